//! `/cart/quick`: many products at once, by SKU.

use super::{SHOPPER, change::tried, html, see_other, shopper};
use crate::{
    actors::keepers::carts::Wanted,
    domain::cart::{
        Cart, CartEdit, CartKind, LineRefusal, RowRefusal,
        paste::{self, Paste},
    },
    http::{
        app::App,
        error::Problem,
        resource::{Asked, Operation, Resource},
    },
    views::{self, QuickOrderError, QuickOrderPage},
};
use http::{Method, StatusCode};
use std::sync::Arc;
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    let page = Operation::personal(SHOPPER, &[], |a, b| Box::pin(blank(a, b)));
    let form = Operation::form(SHOPPER, |a, b| Box::pin(order(a, b)));
    debug_assert_eq!((&page.method, &form.method), (&Method::GET, &Method::POST));
    vec![Resource::new("/cart/quick", [page, form])]
}

async fn blank(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let cart = match shopper(&asked.visit) {
        Some(who) => app.carts.of_kind(&who, CartKind::Active).await?,
        None => None,
    };
    Ok(show(&app, asked, cart.map(|cart| cart.lines()), 0, &[]))
}

async fn order(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.principal_or_guest(&app).await?;
    let partial = asked.form.has("partial");
    let paste = paste::read(asked.form.raw("rows"));
    let wanted: Vec<_> = paste.rows.iter().map(wanted).collect();
    let (changes, refused) = app.carts.offers(&who, &wanted)?;
    let mut errors: Vec<_> = paste.errors.iter().map(unread).collect();
    errors.extend(refused.iter().map(|row| unordered(&paste, row)));
    let (of, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    let (mut added, mut cart): (usize, Option<Cart>) = (0, None);
    if !changes.is_empty() && (partial || errors.is_empty()) {
        let all = changes.len();
        let edit = CartEdit::Lines { changes, partial };
        let target = app.carts.of(CartKind::Active);
        let left_out = match tried(app.carts.edit(&who, target, None, edit).await)? {
            Ok(edited) => {
                added = all - edited.left_out.len();
                cart = Some(edited.cart);
                edited.left_out
            }
            Err(rows) => rows,
        };
        let numbered = |row: &RowRefusal| RowRefusal { row: of[row.row], ..row.clone() };
        errors.extend(left_out.iter().map(|row| unordered(&paste, &numbered(row))));
    }
    if errors.is_empty() {
        return Ok(see_other("/cart?done=added"));
    }
    errors.sort_by_key(|error| (error.line, error.column));
    let lines = match cart {
        Some(cart) => Some(cart.lines()),
        None => app.carts.of_kind(&who, CartKind::Active).await?.map(|cart| cart.lines()),
    };
    Ok(show(&app, asked, lines, added, &errors))
}

fn wanted(row: &paste::Row) -> Wanted {
    Wanted { sku: row.sku.to_string(), quantity: row.quantity.clone(), note: row.note.clone() }
}

fn unread(error: &paste::PasteError) -> QuickOrderError {
    let text = error.why.to_string();
    QuickOrderError { line: error.at.line, column: error.at.column, sku: None, text }
}

fn unordered(paste: &Paste, refused: &RowRefusal) -> QuickOrderError {
    let row = paste.rows.get(refused.row);
    let at = row.map(|row| match refused.why {
        LineRefusal::Quantity(_) => row.quantity_at,
        _ => row.at,
    });
    QuickOrderError {
        line: at.map_or(1, |at| at.line),
        column: at.map_or(1, |at| at.column),
        sku: refused.sku.as_ref().map(ToString::to_string),
        text: refused.why.to_string(),
    }
}

fn show(
    app: &App,
    mut asked: Asked,
    cart_lines: Option<u64>,
    added: usize,
    errors: &[QuickOrderError],
) -> Response {
    let form_token = asked.visit.form_token(app);
    let (_, shell) = app.shell();
    let page = QuickOrderPage {
        shell: &shell,
        offset: app.offset(),
        form_token: &form_token,
        cart_lines,
        // What is in the cart already must not be sent a second time.
        rows: if added > 0 { "" } else { asked.form.raw("rows") },
        partial: asked.form.has("partial"),
        added,
        errors,
    };
    let bytes = views::quick_order(&page);
    let status = match errors {
        [] => StatusCode::OK,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    html(app, &asked, status, bytes)
}
