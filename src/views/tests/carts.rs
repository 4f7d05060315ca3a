//! A buyer's pages: carts in every state, and orders by SKU.

use super::shop::{HOSTILE, document, shell, usd};
use crate::domain::{
    cart::{
        Cart, CartKind, CartLine, CartOwner, CartState,
        compare::{Change, Standing},
        testing::{line_of, offer_of},
    },
    cart_sums::CartSums,
    id::{CartId, UserId},
    stock::StockBand,
    time::Micros,
};
use crate::views::{
    CartPage, CartPageError, CartReview, CartRow, QuickOrderError, QuickOrderPage, cart,
    quick_order,
};
use bytes::Bytes;
use uuid::Uuid;

fn a_cart(id: u128, kind: CartKind, name: &str, lines: &[CartLine]) -> Cart {
    Cart {
        id: CartId(Uuid::from_u128(id)),
        owner: CartOwner::User(UserId(Uuid::nil())),
        kind,
        state: CartState::Open,
        name: name.into(),
        note: Some(HOSTILE.into()),
        version: 3,
        sums: CartSums::of(lines.iter().map(|line| &line.priced)).unwrap(),
        next_place: 9,
        created_at: Micros(0),
        updated_at: Micros(0),
    }
}

fn lines() -> Vec<CartLine> {
    let line = |place, name: &str, note: Option<&str>| CartLine {
        place,
        note: note.map(str::to_owned),
        ..line_of(&offer_of(name, 4_999), 2)
    };
    vec![line(1, "A/1&\"2", Some(HOSTILE)), line(2, "GONE", None), line(3, "B", None)]
}

/// Every cart and quick order page, by a name.
pub(super) fn every_page() -> Vec<(String, Bytes)> {
    let (shell, lines) = (shell(), lines());
    let product = document(HOSTILE, usd(6_000), StockBand::FewLeft);
    let offered = Standing::Offered(offer_of("A/1&\"2", 6_000));
    let (was, now) = (usd(4_999).unwrap(), usd(6_000).unwrap());
    let stock = Change::Stock { was: StockBand::InStock, now: StockBand::FewLeft };
    let changed = [Change::Price { was, now }, stock];
    let rows = [
        CartRow {
            line: &lines[0],
            document: Some(&product),
            standing: &offered,
            changes: &changed,
            typed: Some("1.5"),
        },
        CartRow {
            line: &lines[1],
            document: None,
            standing: &Standing::NotSold,
            changes: &[Change::NotSold],
            typed: None,
        },
        CartRow {
            line: &lines[2],
            document: Some(&product),
            standing: &offered,
            changes: &[],
            typed: None,
        },
    ];
    let carts = [
        a_cart(1, CartKind::Active, "Cart", &lines),
        a_cart(2, CartKind::Later, "Saved for later", &[]),
        a_cart(3, CartKind::List, HOSTILE, &lines),
        a_cart(4, CartKind::List, "Other", &[]),
    ];
    let errors = [
        CartPageError { text: format!("{HOSTILE} is no quantity"), place: Some(1) },
        CartPageError { text: "the cart has changed".into(), place: None },
    ];
    let page = CartPage {
        shell: &shell,
        offset: 42,
        form_token: "token",
        cart: Some(&carts[0]),
        carts: &carts,
        lines: &rows,
        review: Some(CartReview {
            rows: rows[..2].iter().map(|row| (row.line, row.document, row.changes)).collect(),
            changed: 7,
            token: "seen",
        }),
        after: Some("here"),
        next: Some("there"),
        done: Some("It was done."),
        errors: &errors,
    };
    let empty = |shown| CartPage {
        shell: &shell,
        offset: 42,
        form_token: "token",
        cart: shown,
        carts: if shown.is_some() { &carts } else { &[] },
        lines: &[],
        review: None,
        after: None,
        next: None,
        done: None,
        errors: &[],
    };
    let list = CartPage { cart: Some(&carts[2]), lines: &rows, errors: &[], ..empty(None) };
    let list = CartPage { carts: &carts, ..list };
    let wrong = [QuickOrderError {
        line: 3,
        column: 7,
        sku: Some(HOSTILE.into()),
        text: "there is no product with this SKU".into(),
    }];
    let order = QuickOrderPage {
        shell: &shell,
        offset: 42,
        form_token: "token",
        cart_lines: Some(3),
        rows: HOSTILE,
        partial: true,
        added: 2,
        errors: &wrong,
    };
    let blank = QuickOrderPage { rows: "", partial: false, added: 0, errors: &[], ..order };
    vec![
        ("cart".into(), cart(&page)),
        ("cart of a newcomer".into(), cart(&empty(None))),
        ("list for later without anything".into(), cart(&empty(Some(&carts[1])))),
        ("list".into(), cart(&list)),
        ("quick order that failed".into(), quick_order(&order)),
        ("quick order".into(), quick_order(&blank)),
    ]
}

fn page(name: &str) -> String {
    let found = every_page().into_iter().find(|(known, _)| known == name).unwrap();
    String::from_utf8(found.1.to_vec()).unwrap()
}

#[test]
fn a_cart_says_what_changed_and_what_it_comes_to_as_it_was_seen() {
    let cart = page("cart");
    for said in [
        "7 things have changed since you last looked",
        "the price is higher now, $60.00 instead of $49.99; only a few left",
        "it is no longer sold",
        "<dd class=\"price\">$299.94</dd>",
        "value=\"seen\"",
        "name=\"quantity.A/1&#38;&#34;2\" value=\"1.5\"",
        "aria-invalid=\"true\" aria-describedby=\"error-1\"",
        "<a href=\"#quantity-1\">",
        "href=\"/cart?after=there\"",
        "Move to Other",
    ] {
        assert!(cart.contains(said), "{said} in {cart}");
    }
    assert!(cart.contains("data-cart-count>3</span>"), "the count needs no script");
    assert!(page("cart of a newcomer").contains("Your cart is empty"));
    assert!(page("list").contains("Put into the cart"));
}

#[test]
fn an_order_by_sku_names_the_place_and_keeps_what_was_typed() {
    let failed = page("quick order that failed");
    assert!(failed.contains("2 rows are in your cart; these are not"));
    assert!(failed.contains("Line 3, column 7"));
    assert!(failed.contains("&#60;script&#62;") && failed.contains(" checked>"));
    assert!(!page("quick order").contains("role=\"alert\""));
}
