//! Customers as staff sees them: the list, and one with who acts for it and what it bought.

use super::{AdminFrame, FRAME, OrderRow, address_lines};
use crate::{
    domain::{
        account::{Account, Customer, CustomerGroup, CustomerKind, Post, SavedAddress},
        id::CustomerGroupId,
        order::Order,
    },
    views::{moment::Moment, render::render},
};
use askama::Template;
use bytes::Bytes;

pub struct CustomersRoom<'a> {
    pub text: &'a str,
    /// Each with an address of mail.
    pub found: &'a [(Customer, Option<String>)],
    pub groups: &'a [CustomerGroup],
    pub is_first: bool,
    /// Where the first page of this question is.
    pub first: &'a str,
    /// Where the list goes on.
    pub next: Option<&'a str>,
}

struct Row<'a> {
    id: String,
    name: &'a str,
    email: &'a str,
    kind: &'static str,
    group: &'a str,
    since: Moment,
}

fn kind_words(customer: &Customer) -> &'static str {
    match (customer.erased_at, customer.kind) {
        (Some(_), _) => "Erased",
        (None, CustomerKind::Person) => "Person",
        (None, CustomerKind::Company) => "Company",
    }
}

fn group_name(groups: &[CustomerGroup], id: Option<CustomerGroupId>) -> &str {
    let found = groups.iter().find(|group| Some(group.id) == id);
    found.map_or("", |group| &group.name)
}

#[derive(Template)]
#[template(path = "admin_customers.html")]
struct Customers<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a CustomersRoom<'a>,
    rows: Vec<Row<'a>>,
}

pub fn customers(frame: &AdminFrame<'_>, page: &CustomersRoom<'_>) -> Bytes {
    let rows = page.found.iter().map(|(customer, email)| Row {
        id: customer.id.to_string(),
        name: &customer.name,
        email: email.as_deref().unwrap_or_default(),
        kind: kind_words(customer),
        group: group_name(page.groups, customer.group),
        since: Moment::of(customer.created_at),
    });
    let view = Customers { frame, page, rows: rows.collect() };
    render(&view, 2 * FRAME + page.found.len() * 600)
}

pub struct CustomerRoom<'a> {
    pub customer: &'a Customer,
    pub people: &'a [Account],
    pub addresses: &'a [SavedAddress],
    pub groups: &'a [CustomerGroup],
    /// The latest ones; `None`: whoever looks may not see them.
    pub orders: Option<&'a [Order]>,
    /// Whether there are more of them.
    pub more_orders: bool,
    pub may_change: bool,
}

struct Person<'a> {
    id: String,
    name: &'a str,
    email: String,
    role: &'static str,
    active: bool,
    locked: Option<Moment>,
    /// Whether there is anybody any more.
    named: bool,
    seen: Option<Moment>,
}

struct Place {
    lines: Vec<String>,
    ships: bool,
    bills: bool,
}

/// One of several, in a form.
struct Choice<'a> {
    value: String,
    words: &'a str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "admin_customer.html")]
struct OneCustomer<'a> {
    frame: &'a AdminFrame<'a>,
    page: &'a CustomerRoom<'a>,
    customer: &'a Customer,
    kind: &'static str,
    since: Moment,
    people: Vec<Person<'a>>,
    places: Vec<Place>,
    groups: Vec<Choice<'a>>,
    orders: Option<Vec<OrderRow>>,
}

impl OneCustomer<'_> {
    fn group(&self) -> &str {
        group_name(self.page.groups, self.customer.group)
    }
}

pub fn customer(frame: &AdminFrame<'_>, page: &CustomerRoom<'_>) -> Bytes {
    let customer = page.customer;
    let place = |saved: &SavedAddress| Place {
        lines: address_lines(&saved.address),
        ships: saved.default_shipping,
        bills: saved.default_billing,
    };
    let groups = page.groups.iter().map(|group| Choice {
        value: group.id.to_string(),
        words: &group.name,
        chosen: Some(group.id) == customer.group,
    });
    let view = OneCustomer {
        frame,
        page,
        customer,
        kind: kind_words(customer),
        since: Moment::of(customer.created_at),
        people: page.people.iter().map(person).collect(),
        places: page.addresses.iter().map(place).collect(),
        groups: groups.collect(),
        orders: page.orders.map(|orders| orders.iter().map(OrderRow::of).collect()),
    };
    render(&view, 3 * FRAME)
}

fn person(account: &Account) -> Person<'_> {
    Person {
        id: account.id.to_string(),
        name: &account.name,
        email: account.email.clone().map(String::from).unwrap_or_default(),
        role: match account.post {
            Post::Buyer { role, .. } => role.as_str(),
            Post::Staff { role } => role.as_str(),
        },
        active: account.active,
        locked: account.locked_at.map(Moment::of),
        named: account.email.is_some(),
        seen: account.logged_in_at.map(Moment::of),
    }
}
