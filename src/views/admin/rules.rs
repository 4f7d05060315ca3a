//! What staff says about selling: the list of a kind of rules, and one of them.

use super::{
    AdminFrame, FRAME, ListParts,
    fields::{Field, Typed},
    rule_fields,
};
use crate::{
    domain::{
        coupon::{Coupon, Reduction},
        money::Money,
        price::Audience,
        rule::{AssignedList, Rule, RuleKind, StoredRule},
        schedule::Schedule,
        shipping::{Destinations, ShippingMethod, ShippingRate},
        tax::TaxRule,
        time::Micros,
    },
    views::{moment::Moment, render::render},
};
use askama::Template;
use bytes::Bytes;
use uuid::Uuid;

/// Where the list of a kind is.
pub const fn rules_place(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::PriceList => "/admin/price-lists",
        RuleKind::Tax => "/admin/taxes",
        RuleKind::Shipping => "/admin/shipping",
        RuleKind::Coupon => "/admin/coupons",
    }
}

pub fn rules_title(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::PriceList => "Price lists",
        RuleKind::Tax => "Taxes",
        RuleKind::Shipping => "Shipping",
        RuleKind::Coupon => "Coupons",
    }
}

/// The heading of a new one, and the button that leads there.
pub fn rule_new(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::PriceList => "New price list",
        RuleKind::Tax => "New tax",
        RuleKind::Shipping => "New way of shipping",
        RuleKind::Coupon => "New coupon",
    }
}

/// What staff calls it.
pub fn rule_name(rule: &Rule) -> String {
    match rule {
        Rule::PriceList(assigned) => assigned.list.name.clone(),
        Rule::Tax(tax) => tax.name.clone(),
        Rule::Shipping(method) => method.name.clone(),
        Rule::Coupon(coupon) => coupon.code.to_string(),
    }
}

pub struct RulesRoom<'a> {
    pub kind: RuleKind,
    pub rules: &'a [StoredRule],
    pub now: Micros,
    pub is_first: bool,
    /// Where the first page is.
    pub first: &'a str,
    /// Where the list goes on.
    pub next: Option<&'a str>,
    pub may_change: bool,
}

/// What stands below one of the columns.
struct Cell {
    column: &'static str,
    words: String,
    class: &'static str,
}

struct Row {
    place: String,
    name: String,
    cells: Vec<Cell>,
}

#[derive(Template)]
#[template(path = "admin_rules.html")]
struct Rules<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a RulesRoom<'a>,
    here: &'static str,
    title: &'static str,
    new: &'static str,
    /// What it means that there are none.
    none: &'static str,
    columns: &'static [(&'static str, &'static str)],
    rows: Vec<Row>,
}

pub fn rules(frame: &AdminFrame<'_>, page: &RulesRoom<'_>) -> Bytes {
    let columns = columns(page.kind);
    let row = |stored: &StoredRule| {
        let cells = cells(&stored.rule, page.now).into_iter().zip(&columns[1..]);
        type Both<'a> = ((String, &'static str), &'a (&'static str, &'static str));
        let cell = |((words, mark), (column, class)): Both<'_>| Cell {
            column,
            words,
            class: if mark.is_empty() { class } else { mark },
        };
        Row {
            place: format!("{}/{}", rules_place(page.kind), stored.rule.id()),
            name: rule_name(&stored.rule),
            cells: cells.map(cell).collect(),
        }
    };
    let none = match page.kind {
        RuleKind::PriceList => "Everybody pays products’ own prices.",
        RuleKind::Tax => "No tax is due on anything.",
        RuleKind::Shipping => "Sending costs nothing, wherever it goes.",
        RuleKind::Coupon => "Make one and tell buyers its code.",
    };
    let view = Rules {
        frame,
        page,
        here: rules_place(page.kind),
        title: rules_title(page.kind),
        new: rule_new(page.kind),
        none,
        columns,
        rows: page.rules.iter().map(row).collect(),
    };
    render(&view, FRAME + page.rules.len() * 600)
}

/// The columns of a kind's list with their class, the name's first.
fn columns(kind: RuleKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        RuleKind::PriceList => {
            &[("Name", ""), ("For", ""), ("Currency", ""), ("Priority", "number"), ("Counts", "")]
        }
        RuleKind::Tax => &[("Name", ""), ("Category", ""), ("Where", ""), ("Rate", "number")],
        RuleKind::Shipping => &[
            ("Name", ""),
            ("Where", ""),
            ("Costs", ""),
            ("Free from", "number"),
            ("Position", "number"),
        ],
        RuleKind::Coupon => &[
            ("Code", ""),
            ("Takes off", "number"),
            ("For orders of", "number"),
            ("Orders", ""),
            ("Counts", ""),
        ],
    }
}

/// What stands below the columns behind the name's, each with a class of its own.
fn cells(rule: &Rule, now: Micros) -> Vec<(String, &'static str)> {
    match rule {
        Rule::PriceList(assigned) => list_cells(assigned, now),
        Rule::Tax(tax) => tax_cells(tax),
        Rule::Shipping(method) => method_cells(method),
        Rule::Coupon(coupon) => coupon_cells(coupon, now),
    }
}

fn list_cells(assigned: &AssignedList, now: Micros) -> Vec<(String, &'static str)> {
    let list = &assigned.list;
    let count = |is_it: fn(&Audience) -> bool, one: &str, many: &str| match assigned
        .audiences
        .iter()
        .filter(|audience| is_it(audience))
        .count()
    {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {many}")),
    };
    let everybody = assigned.audiences.iter().any(|one| matches!(one, Audience::Site { .. }));
    let whom: Vec<_> = [
        everybody.then(|| "everybody".to_owned()),
        count(|one| matches!(one, Audience::Group { .. }), "group", "groups"),
        count(|one| matches!(one, Audience::Customer { .. }), "customer", "customers"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let whom = if whom.is_empty() { "nobody yet".to_owned() } else { whom.join(", ") };
    let counts = match list.active {
        true => holds(list.schedule, now),
        false => ("Off".to_owned(), "mark mark-off"),
    };
    vec![(whom, ""), (list.currency.code().to_owned(), ""), (list.priority.to_string(), ""), counts]
}

fn tax_cells(tax: &TaxRule) -> Vec<(String, &'static str)> {
    let mut place = tax.area.country.name().to_owned();
    if let Some(region) = &tax.area.region {
        place.push_str(&format!(", {region}"));
    }
    if let Some(prefix) = &tax.area.postcode_prefix {
        place.push_str(&format!(", {prefix}…"));
    }
    vec![(tax.category.to_string(), ""), (place, ""), (format!("{} %", tax.rate.percent()), "")]
}

/// Countries that a list names before it counts the rest.
const NAMED: usize = 6;

fn method_cells(method: &ShippingMethod) -> Vec<(String, &'static str)> {
    let place = match &method.destinations {
        Destinations::Everywhere => "everywhere".to_owned(),
        Destinations::Countries { countries } => {
            let named: Vec<_> = countries.iter().take(NAMED).map(ToString::to_string).collect();
            let more = countries.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{}{more}", named.join(", "))
        }
    };
    let money = |minor| Money { minor, currency: method.currency }.to_string();
    let costs = match &method.rate {
        ShippingRate::Flat { amount } => money(*amount),
        ShippingRate::BySubtotal { .. } => "by what the goods come to".to_owned(),
        ShippingRate::ByUnits { .. } => "by how many there are".to_owned(),
    };
    vec![
        (place, ""),
        (costs, ""),
        (method.free_from.map(money).unwrap_or_else(|| "never".to_owned()), ""),
        (method.position.to_string(), ""),
    ]
}

fn coupon_cells(coupon: &Coupon, now: Micros) -> Vec<(String, &'static str)> {
    let off = match coupon.takes_off {
        Reduction::Percent { ppm } => format!("{} %", ppm.percent()),
        Reduction::Fixed { amount } => amount.to_string(),
    };
    let orders = match (coupon.most_uses, coupon.most_uses_per_customer) {
        (None, None) => "any number".to_owned(),
        (Some(all), None) => format!("at most {all}"),
        (None, Some(each)) => format!("{each} a customer"),
        (Some(all), Some(each)) => format!("at most {all}, {each} a customer"),
    };
    let minimum = coupon.minimum.map_or_else(|| "any amount".to_owned(), |from| from.to_string());
    vec![(off, ""), (minimum, ""), (orders, ""), holds(coupon.schedule, now)]
}

/// Whether it holds now, and what comes of that.
fn holds(schedule: Schedule, now: Micros) -> (String, &'static str) {
    let words = |at: Option<Micros>| at.map(|at| Moment::of(at).words).unwrap_or_default();
    match schedule {
        over if over.is_over(now) => ("Over".to_owned(), "mark mark-off"),
        soon if !soon.has_begun(now) => (format!("From {}", words(soon.from)), "mark mark-wait"),
        Schedule { until: Some(_), .. } => {
            (format!("Until {}", words(schedule.until)), "mark mark-good")
        }
        _ => ("Now".to_owned(), "mark mark-good"),
    }
}

pub struct RuleRoom<'a> {
    pub kind: RuleKind,
    /// `None`: a new one.
    pub stored: Option<&'a StoredRule>,
    pub id: Uuid,
    pub typed: &'a Typed,
    pub may_change: bool,
    /// Orders that used it, of a coupon.
    pub used: Option<u32>,
    /// Of a price list that is there.
    pub list: Option<&'a ListParts>,
}

#[derive(Template)]
#[template(path = "admin_rule.html")]
struct One<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a RuleRoom<'a>,
    here: &'static str,
    title: &'static str,
    place: String,
    name: String,
    changed: Option<Moment>,
    /// What comes of dropping it.
    dropping: &'static str,
    fields: Vec<Field<'a>>,
}

impl One<'_> {
    /// Where the form goes.
    fn action(&self) -> &str {
        if self.page.stored.is_some() { &self.place } else { self.here }
    }
}

pub fn rule(frame: &AdminFrame<'_>, page: &RuleRoom<'_>) -> Bytes {
    let here = rules_place(page.kind);
    let stored = page.stored;
    let dropping = match page.kind {
        RuleKind::PriceList => "Its prices go with it, and who bought by it pays what else holds.",
        RuleKind::Tax => "What it was on is taxed by what else fits, or not at all.",
        RuleKind::Shipping => "Orders that chose it keep it; nobody can choose it any more.",
        RuleKind::Coupon => {
            "Orders that used it keep what it took off; nobody can use it any more."
        }
    };
    let view = One {
        frame,
        page,
        here,
        title: rules_title(page.kind),
        place: format!("{here}/{}", page.id),
        name: stored.map_or_else(|| rule_new(page.kind).to_owned(), |one| rule_name(&one.rule)),
        changed: stored.map(|one| Moment::of(one.updated_at)),
        dropping,
        fields: rule_fields::fields(page.kind, page.typed),
    };
    let rows = page.list.map_or(0, |list| list.prices.rows.len() + list.audiences.rows.len());
    render(&view, 3 * FRAME + rows * 800)
}
