//! Domain values to bytes: pages, cards, the API's product, drawings and assets.
//!
//! Everything here is pure: the same values give the same bytes, without I/O, clock or
//! randomness, so actors may render ahead and http may cache. Text is escaped by the templates;
//! no page holds an inline script or style, so a strict content security policy fits. Nothing is
//! held, so there is nothing that could die.

mod account;
mod address;
pub mod admin;
mod assets;
mod card;
mod cart_page;
mod checkout_page;
mod docs;
pub mod drawings;
mod error_page;
mod form;
mod home;
mod json_ld;
mod list;
mod mail;
mod moment;
mod order_mail;
mod pictures;
mod problems;
mod product_json;
mod product_page;
mod quote_mail;
mod render;
mod shell;
mod sitemap;
mod suggestions;
#[cfg(test)]
mod tests;
mod webhook;

pub use account::{
    AccountFrame, AccountHomePage, AddressCard, AddressForm, Filled, OrderRow, Profile, QuoteForm,
    QuoteRow, SessionCard, account_home, address, addresses, details, forgotten, leave, log_in,
    orders, quote, quote_form, quotes, register, reset, sessions, set_up,
};
pub use address::{ListAddress, category_path, param, product_path};
pub use assets::{Asset, assets};
pub use card::{product_card, product_card_with};
pub use cart_page::{
    CartPage, CartPageError, CartReview, CartRow, QuickOrderError, QuickOrderPage, cart,
    quick_order,
};
pub use checkout_page::{
    CardOffer, CheckoutDraft, CheckoutError, CheckoutPage, CheckoutStep, OrderPage, checkout, order,
};
pub use docs::{DocsPage, docs_page};
pub use error_page::{ErrorPage, error_page};
pub use form::form;
pub use home::{HomePage, home};
pub use list::{CategoryPage, Listing, SearchResultsPage, category, search};
pub use mail::{MailText, Sender};
pub use order_mail::{OrderMail, order_mail};
pub use pictures::Pictures;
pub use problems::{ProblemKind, ProblemsPage, problems_page};
pub use product_json::{
    CategoryView, PriceView, ProductStatusView, ProductView, StockBandView, StockView, VariantView,
    product_json,
};
pub use product_page::{ProductPage, product};
pub use quote_mail::{QuoteMail, quote_mail};
pub use shell::{Shell, ShellOptions, Visitor};
pub use sitemap::{MOST_SITEMAP_ENTRIES, SitemapEntry, robots_txt, sitemap, sitemap_index};
pub use suggestions::{SuggestedProduct, SuggestionsView, suggestions_html, suggestions_json};
pub use webhook::told_to_webhooks;
