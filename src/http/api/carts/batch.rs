//! `/api/v1/carts/{id}/lines/batch`: many lines at once, from a list or a pasted text.

use super::super::keeping;
use super::{ID, answering, body, expected, mine, target, told, view::CartView};
use crate::{
    actors::keepers::carts::{Named, Wanted},
    domain::cart::{
        CartAct, CartEdit, CartRefusal, LineRefusal, MOST_AT_ONCE, RowRefusal,
        paste::{self, Place},
    },
    http::{
        app::App,
        carting::of_rows,
        error::{Code, FieldError, Problem},
        openapi::{Doc, json},
        resource::{Asked, Intake, Resource},
    },
};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

/// Either `lines` or `text`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLines {
    #[serde(default)]
    #[schema(max_items = 2000)]
    lines: Option<Vec<super::lines::NewLine>>,
    /// A SKU and a quantity a line, or a table with a header that names a `sku` and a `quantity`
    /// column.
    #[serde(default)]
    #[schema(example = "DRL-18V-2 3\nGLV-M;10")]
    text: Option<String>,
    /// Add what can be had, and tell what is left out. Otherwise one bad row refuses all of them.
    #[serde(default)]
    partial: bool,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct AddedLines {
    cart: CartView,
    /// Rows that went into the cart.
    added: usize,
    /// Those that did not, each with where it stands and why.
    left_out: Vec<FieldError>,
}

pub(super) fn resources() -> Vec<Resource> {
    let add = Doc::new("add_cart_lines", "carts", "Quick order: add many lines at once")
        .about(
            "All of them, or none: an error names the row, and of a text the line and column. With \
             `partial` what can be had is added and the rest told. At most 2,000 rows at a time.",
        )
        .place(ID)
        .body(json::<NewLines>())
        .answer(200, "What was added.", json::<AddedLines>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    vec![Resource::new(
        "/api/v1/carts/{id}/lines/batch",
        [mine(Method::POST, &[], |a, b| Box::pin(add_lines(a, b)))
            .takes(Intake::Json)
            .once()
            .doc(add)],
    )]
}

/// Rows with where each stands in what was sent.
struct Rows {
    wanted: Vec<Wanted>,
    /// Of a text: where the SKU and the quantity of each row stand.
    places: Vec<(Place, Place)>,
    /// What of a text can't be read.
    errors: Vec<FieldError>,
}

impl Rows {
    fn of_lines(lines: Vec<super::lines::NewLine>) -> Self {
        let wanted = lines.into_iter().map(Wanted::from).collect();
        Self { wanted, places: Vec::new(), errors: Vec::new() }
    }

    fn of_text(text: &str) -> Self {
        let paste = paste::read(text);
        let error = |error: &paste::PasteError| FieldError {
            pointer: Some("/text".into()),
            line: Some(error.at.line),
            column: Some(error.at.column),
            detail: error.why.to_string(),
            ..FieldError::default()
        };
        let wanted = |row: &paste::Row| Wanted {
            sku: row.sku.to_string(),
            quantity: row.quantity.clone(),
            note: row.note.clone(),
        };
        Self {
            errors: paste.errors.iter().map(error).collect(),
            places: paste.rows.iter().map(|row| (row.at, row.quantity_at)).collect(),
            wanted: paste.rows.iter().map(wanted).collect(),
        }
    }

    fn refusal(&self, refused: &[RowRefusal]) -> Vec<FieldError> {
        let place = |refused: &RowRefusal| {
            let of_quantity = matches!(refused.why, LineRefusal::Quantity(_));
            match self.places.get(refused.row) {
                Some((sku, quantity)) => {
                    let at = if of_quantity { quantity } else { sku };
                    ("/text".to_owned(), Some((at.line, at.column)))
                }
                None => {
                    let field = match refused.why {
                        LineRefusal::Quantity(_) => "quantity",
                        LineRefusal::NoteTooLong => "note",
                        _ => "sku",
                    };
                    (format!("/lines/{}/{field}", refused.row), None)
                }
            }
        };
        refused
            .iter()
            .flat_map(|one| of_rows(std::slice::from_ref(one), |_| place(one)).errors)
            .collect()
    }
}

async fn add_lines(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (who, name) = keeping(&app, &mut asked).await?;
    let target = target(&app, &asked.path[0])?;
    let expect = expected(&app, &who, &asked.headers, &asked.path[0]).await?;
    let (sent, hash): (NewLines, _) = asked.body.json_and_hash().await?;
    let rows = match (sent.lines, sent.text) {
        (Some(lines), None) if lines.len() > MOST_AT_ONCE => {
            return Err(CartRefusal::TooManyAtOnce.into());
        }
        (Some(lines), None) if !lines.is_empty() => Rows::of_lines(lines),
        (None, Some(text)) => Rows::of_text(&text),
        _ => return Err(Problem::new(Code::BadContent, "send either some lines or a text")),
    };
    let partial = sent.partial;
    let (changes, refused) = app.carts.offers(&who, &rows.wanted)?;
    let mut errors = rows.errors.clone();
    errors.extend(rows.refusal(&refused));
    if !errors.is_empty() && (!partial || changes.is_empty()) {
        return Err(refusal(errors));
    }
    let (of, changes): (Vec<_>, Vec<_>) = changes.into_iter().unzip();
    // The desk counts the changes it gets, the client the rows it sent.
    let renumber = move |refused: &[RowRefusal]| -> Vec<RowRefusal> {
        let numbered = |one: &RowRefusal| RowRefusal { row: of[one.row], ..one.clone() };
        refused.iter().map(numbered).collect()
    };
    let (all, rows) = (changes.len(), Arc::new(rows));
    let edit = CartEdit::Lines { changes, partial };
    let (kept, renumber) = (Arc::clone(&rows), Arc::new(renumber));
    let numbers = Arc::clone(&renumber);
    let answer = answering(move |edited| {
        let mut left_out = errors.clone();
        left_out.extend(kept.refusal(&numbers(&edited.left_out)));
        let added = all - edited.left_out.len();
        let view = AddedLines { cart: CartView::of(&edited.cart), added, left_out };
        (StatusCode::OK, Vec::new(), body(&view))
    });
    let named = Named { name, body: hash, answer };
    let act = CartAct::Edit { target, expect, edit };
    let outcome = app.carts.act_once(&who, act, named).await?;
    told(&app, outcome, |refused| match refused {
        CartRefusal::Rows(refused) => refusal(rows.refusal(&renumber(&refused))),
        other => other.into(),
    })
}

fn refusal(errors: Vec<FieldError>) -> Problem {
    let told = match errors.len() {
        1 => "one row can't be ordered; nothing was added".to_owned(),
        n => format!("{n} rows can't be ordered; nothing was added"),
    };
    Problem { errors, ..Problem::new(Code::BadContent, told) }
}
