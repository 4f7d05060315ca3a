use super::*;
use crate::domain::{
    address::Destination,
    id::{ShippingMethodId, TaxRuleId},
    line::tests::samples::{categories, category, currencies, lines_in, modes, price, rates},
    quantity::{Precision, Quantity},
    shipping::ShippingTax,
    tax::{TaxArea, TaxRule, TaxRules},
};
use proptest::{collection::vec, option, prelude::*};
use uuid::Uuid;

fn germany() -> Destination {
    Destination::somewhere_in("DE".parse().unwrap())
}

fn rules(rates: &[(&str, Ppm)]) -> TaxRules {
    TaxRules::new(rates.iter().map(|(name, rate)| TaxRule {
        id: TaxRuleId(Uuid::nil()),
        name: (*name).into(),
        category: category(name),
        area: TaxArea::all_of(germany().country),
        rate: *rate,
    }))
    .unwrap()
}

fn german_rules() -> TaxRules {
    let percent = |text| Ppm::parse_percent(text).unwrap();
    rules(&[("standard", percent("19")), ("books", percent("7"))])
}

fn line(minor: i64, count: i64, mode: TaxMode, name: &str) -> PricedLine {
    let quantity = Quantity::of_steps(count).unwrap();
    let price = price(minor, Currency::EUR, mode);
    PricedLine::new(quantity, Precision::default(), price, category(name)).unwrap()
}

fn euros(minor: i64) -> Money {
    Money { minor, currency: Currency::EUR }
}

fn sent_for(amount: Money, tax: Option<ShippingTax>) -> ShippingQuote {
    ShippingQuote { method: ShippingMethodId(Uuid::nil()), name: "Parcel".into(), amount, tax }
}

fn in_euros(tax: TaxAt<'_>) -> Terms<'_> {
    Terms { currency: Currency::EUR, discount: None, shipping: None, tax }
}

#[test]
fn a_consumer_pays_what_the_prices_say_and_sees_the_tax_in_it() {
    let (rules, to) = (german_rules(), germany());
    let lines = [
        line(1_999, 2, TaxMode::Inclusive, "standard"),
        line(1_000, 1, TaxMode::Inclusive, "books"),
    ];
    let tax = ShippingTax { category: category("standard"), mode: TaxMode::Inclusive };
    let shipping = sent_for(euros(490), Some(tax));
    let terms = Terms { shipping: Some(&shipping), ..in_euros(rules.at(&to)) };
    let Totals { summary, lines } = Totals::of(&lines, &terms).unwrap();
    assert_eq!((summary.subtotal, summary.shipping, summary.total), (4_998, 490, 5_488));
    // 19 of 119 in 44.88, 7 of 107 in 10.00.
    assert_eq!((summary.tax, summary.tax_on_top), (717 + 65, 0));
    let taxes: Vec<_> = summary.taxes.iter().map(|tax| (tax.net, tax.tax)).collect();
    assert_eq!(taxes, [(3_771, 717), (935, 65)]);
    assert_eq!((lines[0].gross, lines[0].tax, summary.shipping_tax), (3_998, 639, 78));
    assert_eq!((lines[1].gross, lines[1].net), (1_000, 935));
}

#[test]
fn a_company_sees_tax_on_top_and_the_discount_before_it() {
    let (rules, to) = (german_rules(), germany());
    let lines = [
        line(10_000, 1, TaxMode::Exclusive, "standard"),
        line(5_000, 1, TaxMode::Exclusive, "books"),
    ];
    let terms = Terms { discount: Some(euros(1_500)), ..in_euros(rules.at(&to)) };
    let Totals { summary, lines } = Totals::of(&lines, &terms).unwrap();
    assert_eq!((lines[0].discount, lines[1].discount), (1_000, 500));
    assert_eq!((lines[0].tax, lines[1].tax), (1_710, 315));
    assert_eq!(summary.total, 15_000 - 1_500 + 1_710 + 315);
    assert_eq!(summary.net(), 13_500);
}

#[test]
fn tax_is_rounded_once_on_what_is_taxed_at_a_rate() {
    let (rules, to) = (german_rules(), germany());
    // Line by line it would be five times 0.19 → 0, together 0.95 → 1.
    let lines = vec![line(1, 1, TaxMode::Exclusive, "standard"); 5];
    let totals = Totals::of(&lines, &in_euros(rules.at(&to))).unwrap();
    assert_eq!((totals.summary.tax, totals.summary.total), (1, 6));
    assert_eq!(totals.lines.iter().map(|line| line.tax).collect::<Vec<_>>(), [1, 0, 0, 0, 0]);
}

#[test]
fn an_order_that_is_given_away_costs_nothing_and_never_less() {
    let (rules, to) = (german_rules(), germany());
    let lines = [
        line(999, 3, TaxMode::Exclusive, "standard"),
        line(1, 1, TaxMode::Inclusive, "books"),
        line(0, 1, TaxMode::Inclusive, "books"),
    ];
    let terms = Terms { discount: Some(euros(i64::MAX)), ..in_euros(rules.at(&to)) };
    let Totals { summary, lines } = Totals::of(&lines, &terms).unwrap();
    assert_eq!((summary.total, summary.tax, summary.discount), (0, 0, 2_998));
    assert!(lines.iter().all(|line| (line.net, line.tax, line.gross) == (0, 0, 0)));
}

#[test]
fn an_empty_cart_comes_to_what_sending_it_costs() {
    let shipping = sent_for(euros(490), None);
    let terms = Terms { shipping: Some(&shipping), ..in_euros(TaxAt::NONE) };
    let totals = Totals::of(&[], &terms).unwrap();
    assert_eq!((totals.summary.total, totals.summary.taxes.len()), (490, 0));
}

#[test]
fn what_does_not_fit_is_refused() {
    let most = line(i64::MAX, 1, TaxMode::Exclusive, "standard");
    let of = |lines: &[PricedLine], terms: &Terms<'_>| Totals::of(lines, terms).unwrap_err();
    let (rules, to) = (german_rules(), germany());
    let terms = in_euros(rules.at(&to));
    assert_eq!(of(std::slice::from_ref(&most), &terms), TotalsError::TooLarge);
    assert_eq!(of(&[most.clone(), most.clone()], &terms), TotalsError::TooLarge);
    let books = line(1, 1, TaxMode::Exclusive, "books");
    assert_eq!(of(&[most.clone(), books], &in_euros(TaxAt::NONE)), TotalsError::TooLarge);
    assert!(Totals::of(&[most], &in_euros(TaxAt::NONE)).is_ok());

    let (order, part) = (Currency::EUR, Currency::USD);
    let other = TotalsError::OtherCurrency { order, part };
    let dollar = Money { minor: 1, currency: part };
    let terms = Terms { discount: Some(dollar), ..in_euros(TaxAt::NONE) };
    assert_eq!(of(&[], &terms), other);
    let shipping = sent_for(dollar, None);
    assert_eq!(of(&[], &Terms { shipping: Some(&shipping), ..in_euros(TaxAt::NONE) }), other);
    let dollars = PricedLine::new(
        Quantity::STEP,
        Precision::default(),
        price(1, part, TaxMode::Exclusive),
        category("books"),
    );
    assert_eq!(of(&[dollars.unwrap()], &in_euros(TaxAt::NONE)), other);
    let terms = Terms { discount: Some(euros(-1)), ..in_euros(TaxAt::NONE) };
    assert_eq!(of(&[], &terms), TotalsError::Negative);
    let shipping = sent_for(euros(-1), None);
    let terms = Terms { shipping: Some(&shipping), ..in_euros(TaxAt::NONE) };
    assert_eq!(of(&[], &terms), TotalsError::Negative);
}

/// An order of one currency with everything that it depends on.
#[derive(Debug, Clone)]
struct Order {
    currency: Currency,
    lines: Vec<PricedLine>,
    discount: Option<Money>,
    shipping: Option<ShippingQuote>,
    rules: TaxRules,
}

impl Order {
    fn with<T>(&self, ask: impl Fn(&Terms<'_>) -> T) -> T {
        let to = germany();
        ask(&Terms {
            currency: self.currency,
            discount: self.discount,
            shipping: self.shipping.as_ref(),
            tax: self.rules.at(&to),
        })
    }
}

fn orders() -> impl Strategy<Value = Order> {
    currencies().prop_flat_map(|currency| {
        let money = move |minor| Money { minor, currency };
        let tax = option::of((categories(), modes()))
            .prop_map(|tax| tax.map(|(category, mode)| ShippingTax { category, mode }));
        let shipping = (0i64..5_000, tax).prop_map(move |(minor, tax)| sent_for(money(minor), tax));
        // No rule for `exempt`, so that one category always lacks one.
        let rules = (rates(), rates(), rates())
            .prop_map(|(a, b, c)| rules(&[("standard", a), ("reduced", b), ("books", c)]));
        let discount = prop_oneof![0i64..100, 0i64..1_000_000, Just(i64::MAX)].prop_map(money);
        (vec(lines_in(currency), 0..25), option::of(discount), option::of(shipping), rules)
            .prop_map(move |(lines, discount, shipping, rules)| Order {
                currency,
                lines,
                discount,
                shipping,
                rules,
            })
    })
}

proptest! {
    /// Guarantee G27.
    #[test]
    fn lines_and_tax_and_shipping_less_the_discount_are_the_total(order in orders()) {
        let Totals { summary, lines } = order.with(|terms| Totals::of(&order.lines, terms)).unwrap();
        let sum = |part: fn(&LineTotal) -> i64| lines.iter().map(part).sum::<i64>();
        let shipping_mode = order.shipping.as_ref().and_then(|quote| quote.tax.as_ref()).map(|tax| tax.mode);
        let shipping_on_top = if shipping_mode == Some(TaxMode::Exclusive) { summary.shipping_tax } else { 0 };
        let goods = order.lines.iter().map(|line| line.amount().minor).sum::<i64>();

        // The whole.
        prop_assert_eq!(summary.subtotal, goods);
        prop_assert_eq!(summary.discount, order.discount.map_or(0, |off| off.minor.min(goods)));
        prop_assert_eq!(summary.shipping, order.shipping.as_ref().map_or(0, |quote| quote.amount.minor));
        prop_assert_eq!(
            summary.subtotal - summary.discount + summary.shipping + summary.tax_on_top,
            summary.total
        );
        // The parts.
        prop_assert_eq!(sum(|line| line.amount), summary.subtotal);
        prop_assert_eq!(sum(|line| line.discount), summary.discount);
        prop_assert_eq!(sum(|line| line.tax) + summary.shipping_tax, summary.tax);
        prop_assert_eq!(sum(|line| line.gross) + summary.shipping + shipping_on_top, summary.total);
        prop_assert_eq!(sum(|line| line.net) + summary.shipping + shipping_on_top - summary.shipping_tax, summary.net());
        prop_assert_eq!(summary.taxes.iter().map(|line| line.tax).sum::<i64>(), summary.tax);
        for (line, from) in lines.iter().zip(&order.lines) {
            prop_assert_eq!(line.amount, from.amount().minor);
            prop_assert_eq!(line.net + line.tax, line.gross);
            let shown = match from.price().tax {
                TaxMode::Exclusive => line.net,
                TaxMode::Inclusive => line.gross,
            };
            prop_assert_eq!(line.amount - line.discount, shown);
        }
        // Never below zero.
        for line in &lines {
            prop_assert!([line.amount, line.discount, line.net, line.tax, line.gross].iter().all(|n| *n >= 0));
        }
        for amount in [summary.total, summary.net(), summary.tax_on_top, summary.shipping_tax, summary.discount] {
            prop_assert!(amount >= 0);
        }
        if summary.discount == summary.subtotal && order.shipping.is_none() {
            prop_assert_eq!(summary.total, 0);
        }
    }

    #[test]
    fn each_rates_tax_is_the_nearest_to_exact(order in orders()) {
        let Totals { summary, lines } = order.with(|terms| Totals::of(&order.lines, terms)).unwrap();
        let to = germany();
        let at = order.rules.at(&to);
        let mut seen = Vec::new();
        for tax in &summary.taxes {
            prop_assert!(!seen.contains(&(tax.rate, tax.mode)), "a rate is told once");
            seen.push((tax.rate, tax.mode));
            // What is taxed so, from the lines themselves.
            let mut shown: i64 = lines.iter().zip(&order.lines)
                .filter(|(_, from)| at.rate(from.tax_category()) == tax.rate && from.price().tax == tax.mode)
                .map(|(line, _)| line.amount - line.discount)
                .sum();
            if let Some(quote) = &order.shipping
                && let Some(how) = &quote.tax
                && at.rate(&how.category) == tax.rate && how.mode == tax.mode
            {
                shown += quote.amount.minor;
            }
            let (rate, shown, found) = (i128::from(tax.rate.parts()), i128::from(shown), i128::from(tax.tax));
            let (on, of) = match tax.mode {
                TaxMode::Exclusive => (i128::from(tax.net), 1_000_000),
                TaxMode::Inclusive => (i128::from(tax.net) + found, 1_000_000 + rate),
            };
            prop_assert_eq!(on, shown);
            let off = found * of - shown * rate;
            prop_assert!(off.abs() * 2 < of || off * 2 == of, "{} too far from exact", off);
        }
    }

    #[test]
    fn sums_without_lines_come_to_the_same(order in orders()) {
        let sums = CartSums::of(&order.lines).unwrap();
        let summary = order.with(|terms| sums.summary(terms)).unwrap();
        prop_assert_eq!(summary, order.with(|terms| Totals::of(&order.lines, terms)).unwrap().summary);
    }

    #[test]
    fn the_whole_does_not_depend_on_the_order_of_the_lines(order in orders(), turn in 0usize..25) {
        let mut turned = order.lines.clone();
        turned.rotate_left(turn % order.lines.len().max(1));
        prop_assert_eq!(
            order.with(|terms| Totals::of(&turned, terms)).unwrap().summary,
            order.with(|terms| Totals::of(&order.lines, terms)).unwrap().summary
        );
    }
}
