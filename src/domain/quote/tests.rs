use super::*;
use crate::domain::money::Currency;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const NOW: Micros = Micros(1_800_000_000_000_000);

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

fn quote() -> Quote {
    let line = |n: u8| QuoteLine {
        product: ProductId(Uuid::from_u128(n.into())),
        sku: Sku::new(&format!("P{n}")).unwrap(),
        name: "Crane".into(),
        unit: "each".into(),
        precision: Precision::default(),
        quantity: Quantity::of_steps(i64::from(n)).unwrap(),
        offered: None,
    };
    Quote {
        id: QuoteId(Uuid::from_u128(0xabcdef12)),
        customer: CustomerId(Uuid::from_u128(5)),
        asked_by: "user:1".into(),
        email: "ada@example.com".into(),
        status: QuoteStatus::Requested,
        version: 1,
        body: QuoteBody {
            lines: vec![line(1), line(2)],
            wish: String::new(),
            answer: String::new(),
        },
        valid_until: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn offer(prices: &[Money], until: Micros) -> QuoteAct {
    QuoteAct::Offer { prices: prices.to_vec(), answer: "Gladly.".into(), valid_until: until }
}

fn offered() -> Quote {
    quote().apply(&offer(&[usd(10), usd(20)], NOW.plus(DAY)), NOW).unwrap()
}

#[test]
fn an_offer_is_taken_while_it_holds_and_becomes_the_customers_own_prices() {
    let offered = offered();
    assert_eq!((offered.status, offered.version), (QuoteStatus::Offered, 2));
    assert_eq!(offered.label(), "ABCDEF12");
    let end = NOW.plus(DAY);
    assert_eq!(offered.status_at(end), QuoteStatus::Expired);
    for act in [QuoteAct::Accept, QuoteAct::Decline] {
        assert_eq!(offered.apply(&act, end), Err(QuoteRefusal::Expired));
    }
    let last = Micros(end.0 - 1);
    let taken = offered.apply(&QuoteAct::Accept, last).unwrap();
    assert_eq!(taken.status_at(end.plus(DAY)), QuoteStatus::Accepted);
    let list = PriceListId(Uuid::nil());
    let (assigned, edit) = taken.agreed(list, TaxMode::Exclusive, last).unwrap();
    assigned.list.check().unwrap();
    assert_eq!(
        assigned.audiences,
        BTreeSet::from([Audience::Customer { customer: taken.customer }])
    );
    assert_eq!(assigned.list.schedule.until, Some(last.plus(TO_ORDER)));
    let prices: Vec<_> =
        edit.put.iter().map(|entry| (entry.min_quantity.steps(), entry.amount)).collect();
    assert_eq!(prices, [(1, 10), (2, 20)]);
    assert_eq!(quote().agreed(list, TaxMode::Exclusive, NOW), None, "nothing is offered yet");
}

#[test]
fn each_state_takes_what_it_may_and_refuses_the_rest() {
    use QuoteStatus::*;
    let until = NOW.plus(DAY);
    let acts = [
        offer(&[usd(1), usd(1)], until),
        QuoteAct::Refuse { answer: String::new() },
        QuoteAct::Accept,
        QuoteAct::Decline,
        QuoteAct::Withdraw,
    ];
    for (status, expected) in [
        (Requested, [Some(Offered), Some(Refused), None, None, Some(Withdrawn)]),
        (Offered, [Some(Offered), Some(Refused), Some(Accepted), Some(Declined), None]),
        (Accepted, [None; 5]),
        (Declined, [None; 5]),
        (Refused, [None; 5]),
        (Withdrawn, [None; 5]),
    ] {
        let quote = Quote { status, valid_until: Some(until), ..quote() };
        let found = acts.clone().map(|act| quote.apply(&act, NOW).ok().map(|next| next.status));
        assert_eq!(found, expected, "{status:?}");
        assert_eq!(QuoteStatus::parse(status.as_str()), Some(status));
        assert!(QuoteStatus::KEPT.contains(&status.as_str()));
    }
}

#[test]
fn an_offer_that_makes_no_sense_changes_nothing() {
    let eur = Money { minor: 1, currency: Currency::EUR };
    let day = NOW.plus(DAY);
    for (prices, until, why) in [
        (vec![usd(1)], day, QuoteRefusal::Prices { lines: 2 }),
        (vec![usd(1), eur], day, QuoteRefusal::Currencies),
        (vec![usd(1), usd(0)], day, QuoteRefusal::NoPrice),
        (vec![usd(1), usd(-1)], day, QuoteRefusal::NoPrice),
        (vec![usd(1), usd(1)], NOW, QuoteRefusal::Until),
        (vec![usd(1), usd(1)], NOW.plus(DAY * 400), QuoteRefusal::Until),
    ] {
        assert_eq!(quote().apply(&offer(&prices, until), NOW), Err(why));
    }
    let long = QuoteAct::Refuse { answer: "x".repeat(MOST_WORDS + 1) };
    assert_eq!(quote().apply(&long, NOW), Err(QuoteRefusal::TooLong));
}
