//! The rooms of the shop's own people: calm, dense, and whole without scripts.
//!
//! These pages are for one visitor alone and never cached. Whether somebody may enter a room, or
//! press a button, is said by whoever makes the page; here it is only shown.

mod customers;
mod fields;
mod home;
mod orders;
mod price_list;
mod products;
mod quotes;
mod rule_fields;
mod rules;
mod staff;

pub use customers::{CustomerRoom, CustomersRoom, customer, customers};
pub use fields::Typed;
pub use home::{AdminHome, home};
pub use orders::{OrderButton, OrderRoom, OrderRow, OrderSearch, OrdersRoom, order, orders};
pub use price_list::{AudienceRow, AudiencesPart, ListParts, NewPrice, PriceRow, PricesPart};
pub use products::{
    ListPrices, ProductRoom, ProductsRoom, StockBox, StockLine, Tier, product, products,
};
pub use quotes::{QuoteRoom, QuotesRoom, quote, quotes};
pub use rules::{RuleRoom, RulesRoom, rule, rule_name, rule_new, rules, rules_place, rules_title};
pub use staff::{StaffRoom, staff};

use crate::{
    domain::{address::Address, time::Micros},
    views::{assets::asset_path, moment::Moment, shell::Shell},
};

/// A room in the navigation.
#[derive(Debug, Clone, Copy)]
pub struct RoomLink {
    pub words: &'static str,
    pub href: &'static str,
    /// Whether the page is in it.
    pub here: bool,
}

/// What each of these pages has around it.
pub struct AdminFrame<'a> {
    pub shell: &'a Shell,
    pub title: &'a str,
    pub form_token: &'a str,
    /// Who has signed in; `None`: an operator without an account.
    pub who: Option<&'a str>,
    pub role: &'a str,
    /// Those they may enter.
    pub rooms: &'a [RoomLink],
    /// The shop is closed, until this time.
    pub closed: Option<Micros>,
    /// What was just done, in a sentence.
    pub done: Option<&'a str>,
    /// What could not be done, in a sentence.
    pub error: Option<&'a str>,
}

impl AdminFrame<'_> {
    fn style(&self) -> &'static str {
        asset_path("admin.css")
    }

    fn closed(&self) -> Option<Moment> {
        self.closed.map(Moment::of)
    }
}

/// For a buffer: what is on every page.
const FRAME: usize = 4_096;

/// An address line by line, without the name of who lives there twice.
fn address_lines(address: &Address) -> Vec<String> {
    let postcode = address.postcode.as_ref().map(ToString::to_string);
    let city = [postcode, Some(address.city.clone())].into_iter().flatten();
    let city = city.collect::<Vec<_>>().join(" ");
    let lines = [
        Some(address.name.clone()),
        address.company.clone(),
        Some(address.street.clone()),
        address.street_more.clone(),
        Some(city),
        address.region.clone(),
        Some(address.country.name().to_owned()),
        address.phone.clone(),
    ];
    lines.into_iter().flatten().collect()
}
