//! The fields of a rule's form, by its kind.

use super::fields::{Field, Kind, Typed};
use crate::domain::{country::Country, rule::RuleKind};

pub(super) fn fields(kind: RuleKind, typed: &Typed) -> Vec<Field<'_>> {
    match kind {
        RuleKind::Tax => tax(typed),
        RuleKind::Shipping => shipping(typed),
        RuleKind::Coupon => coupon(typed),
        RuleKind::PriceList => price_list(typed),
    }
}

fn of(value: &str, words: &str) -> (String, String) {
    (value.to_owned(), words.to_owned())
}

/// The most characters of a name.
const NAME: usize = 120;
/// The most characters of an amount.
const AMOUNT: usize = 32;
const DECIMAL: Kind = Kind::Line("text", "decimal");
const NUMBER: Kind = Kind::Line("number", "numeric");
const TIME: Kind = Kind::Line("datetime-local", "text");

fn tax(typed: &Typed) -> Vec<Field<'_>> {
    let line = |name, label| Field::line(typed, name, label);
    let mut countries: Vec<_> = Country::all().map(|one| of(one.code(), one.name())).collect();
    countries.sort_by(|a, b| a.1.cmp(&b.1));
    countries.insert(0, of("", "Choose one"));
    vec![
        line("name", "Name").most(NAME).required().help("As it stands on orders: VAT Germany."),
        line("rate", "Rate in percent")
            .kind(DECIMAL)
            .most(12)
            .required()
            .help("Such as 19 or 8.875."),
        line("category", "Category of products")
            .most(32)
            .help("standard is what products are in that name none."),
        line("country", "Country").kind(Kind::Choice(countries)),
        line("region", "Region")
            .most(60)
            .help("As addresses there write it. Empty: all of the country."),
        line("postcode_prefix", "Postcodes beginning with").most(12).help("Empty: any."),
    ]
}

fn shipping(typed: &Typed) -> Vec<Field<'_>> {
    let line = |name, label| Field::line(typed, name, label);
    let rates = vec![
        of("flat", "The same for every order"),
        of("by_subtotal", "By what the goods come to"),
        of("by_units", "By how many there are"),
    ];
    vec![
        line("name", "Name").most(NAME).required().help("As buyers choose it: Parcel."),
        line("position", "Position").kind(NUMBER).most(11).help("Lower is shown first."),
        line("countries", "Countries")
            .kind(Kind::Lines(2))
            .most(1_000)
            .help("Two letters each, such as DE AT CH. Empty: everywhere."),
        line("currency", "Currency")
            .most(3)
            .required()
            .help("It is offered for orders in this currency alone."),
        line("rate", "What it costs").kind(Kind::Choice(rates)),
        line("amount", "Price for every order")
            .kind(DECIMAL)
            .most(AMOUNT)
            .help("When it is the same."),
        line("table", "Table").kind(Kind::Lines(4)).most(10_000).help(
            "When it isn’t: a row a line, such as 0: 4.90 and 100: 0. A row holds up to the \
                 next; without a price after the colon it isn’t sent this way.",
        ),
        line("free_from", "Free from")
            .kind(DECIMAL)
            .most(AMOUNT)
            .help("What the goods come to. Empty: never."),
        line("tax_category", "Taxed as")
            .most(32)
            .help("A category such as standard. Empty: not taxed."),
        line("tax_mode", "Its tax").kind(Kind::Choice(modes())),
    ]
}

/// How amounts and tax go together.
fn modes() -> Vec<(String, String)> {
    vec![of("exclusive", "Comes on top"), of("inclusive", "Is in the price")]
}

fn coupon(typed: &Typed) -> Vec<Field<'_>> {
    let line = |name, label| Field::line(typed, name, label);
    let kinds = vec![of("percent", "A part of what the goods come to"), of("fixed", "An amount")];
    vec![
        line("code", "Code")
            .most(32)
            .required()
            .help("3 to 32 letters, digits, hyphens and underscores."),
        line("takes_off", "Takes off").kind(Kind::Choice(kinds)),
        line("percent", "Percent").kind(DECIMAL).most(12).help("When it is a part, such as 10."),
        line("amount", "Amount").kind(DECIMAL).most(AMOUNT).help("When it is one, such as 5.00."),
        line("minimum", "For orders of at least").kind(DECIMAL).most(AMOUNT).help("Empty: any."),
        line("currency", "Currency").most(3).help("Of the amounts."),
        line("from", "From").kind(TIME).most(40).help("In UTC. Empty: at once."),
        line("until", "Until").kind(TIME).most(40).help("In UTC. Empty: for good."),
        line("most_uses", "Orders at most").kind(NUMBER).most(10).help("Empty: as many as come."),
        line("most_uses_per_customer", "Of one customer at most")
            .kind(NUMBER)
            .most(10)
            .help("Empty: as many as they like."),
    ]
}

fn price_list(typed: &Typed) -> Vec<Field<'_>> {
    let line = |name, label| Field::line(typed, name, label);
    vec![
        line("name", "Name").most(NAME).required(),
        line("currency", "Currency").most(3).required().help("A list with prices keeps its own."),
        line("priority", "Priority")
            .kind(NUMBER)
            .most(11)
            .help("Of lists for the same people the higher comes first."),
        line("tax", "Tax").kind(Kind::Choice(modes())),
        line("from", "From").kind(TIME).most(40).help("In UTC. Empty: at once."),
        line("until", "Until").kind(TIME).most(40).help("In UTC. Empty: for good."),
        line("active", "It counts").kind(Kind::Tick),
    ]
}
