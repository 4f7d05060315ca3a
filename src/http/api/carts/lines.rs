//! `/api/v1/carts/{id}/lines` and what has changed in them.

use super::{
    ADDRESS, ID, answering, body, cart_of, expected, given, mine, noted, target, told,
    view::{CartChanges, CartLineView, CartLines, CartView, ComparedLineView, EditedLine},
    who,
};
use crate::{
    actors::keepers::carts::{Named, Wanted},
    domain::{
        cart::{CartAct, CartEdit, CartTarget, Edited, LineChange, LineRefusal, RowRefusal},
        sku::Sku,
    },
    http::{
        api::{fresh, keeping, link_next},
        app::App,
        carting::{of_line, of_rows},
        cursor::{self, BehindPlace},
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json},
        resource::{Asked, Intake, Resource},
    },
};
use http::{HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Deserializer, de};
use std::{fmt, sync::Arc};
use utoipa::ToSchema;
use warp::reply::Response;

const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 500, default: 100 }, "Lines at most."),
];
const SKU: Param = Param::new("sku", Takes::Text { most: 64 }, "The product's SKU.");

/// How many of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLine {
    #[schema(min_length = 1, max_length = 64)]
    pub(super) sku: String,
    #[serde(default)]
    #[schema(value_type = String, example = "2.5", pattern = "^[0-9]{1,7}([.][0-9]{1,6})?$")]
    pub(super) quantity: WrittenQuantity,
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub(super) note: Option<String>,
}

/// Decimal text such as `2.5`; a whole number may be one in JSON too. A fraction may not: nothing
/// of a quantity ever goes through a float.
#[derive(Debug)]
pub(crate) struct WrittenQuantity(String);

impl From<NewLine> for Wanted {
    fn from(line: NewLine) -> Self {
        let note = line.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
        Self { sku: line.sku, quantity: line.quantity.to_string(), note }
    }
}

impl Default for WrittenQuantity {
    fn default() -> Self {
        Self("1".into())
    }
}

impl fmt::Display for WrittenQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WrittenQuantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reading;

        impl de::Visitor<'_> for Reading {
            type Value = WrittenQuantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a quantity as text such as \"2.5\", or a whole number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<WrittenQuantity, E> {
                Ok(WrittenQuantity(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, whole: i64) -> Result<WrittenQuantity, E> {
                Ok(WrittenQuantity(whole.to_string()))
            }

            fn visit_u64<E: de::Error>(self, whole: u64) -> Result<WrittenQuantity, E> {
                Ok(WrittenQuantity(whole.to_string()))
            }
        }

        deserializer.deserialize_any(Reading)
    }
}

/// What to change of a line; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineChangeBody {
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2.5", pattern = "^[0-9]{1,7}([.][0-9]{1,6})?$")]
    quantity: Option<WrittenQuantity>,
    /// `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    note: Option<Option<String>>,
}

/// Where to move a line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LineMove {
    /// A cart's id, or `active` or `later`.
    #[schema(max_length = 36)]
    to: String,
}

/// Which changes were seen.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TakenNote {
    /// That of the changes that were shown.
    #[schema(max_length = 64)]
    token: String,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "carts";
    let list = Doc::new("list_cart_lines", tag, "A cart's lines")
        .about(
            "Each with the price and stock its buyer last saw, and with what has changed since. \
             The cart's sum stays as it was seen until the changes were taken note of.",
        )
        .place(ID)
        .answer(200, "Some lines.", json::<CartLines>());
    let add = Doc::new("add_cart_line", tag, "Add a product to a cart")
        .about(
            "A product that is in it already gets that many more. A product whose price is on \
             request can't be added: ask for a quote.",
        )
        .place(ID)
        .body(json::<NewLine>())
        .answer(200, "The line as it is now.", json::<EditedLine>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let change = Doc::new("change_cart_line", tag, "Change a line's quantity or note")
        .place(ID)
        .place(SKU)
        .body(json::<LineChangeBody>())
        .answer(200, "The line as it is now.", json::<EditedLine>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let remove = Doc::new("remove_cart_line", tag, "Remove a line")
        .place(ID)
        .place(SKU)
        .answer(200, "The cart without it.", json::<EditedLine>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let transfer = Doc::new("move_cart_line", tag, "Move a line to another cart")
        .about("With its quantity, which adds to what is there: `later` saves it for later.")
        .place(ID)
        .place(SKU)
        .body(json::<LineMove>())
        .answer(200, "The cart it came from.", json::<EditedLine>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let changes = Doc::new("get_cart_changes", tag, "What has changed in a cart")
        .about("All lines are compared with what their products cost now, and how many there are.")
        .place(ID)
        .answer(200, "The changed lines.", json::<CartChanges>());
    let note = Doc::new("acknowledge_cart_changes", tag, "Take note of changes")
        .about(
            "The prices and stock that the token stands for are those the buyer has seen from then \
             on. If they have changed once more, nothing is done and `409` says so. What is no \
             longer sold stays a change until it is removed.",
        )
        .place(ID)
        .body(json::<TakenNote>())
        .answer(200, "The cart as it is now.", json::<CartView>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    vec![
        Resource::new(
            "/api/v1/carts/{id}/lines",
            [
                mine(Method::GET, LIST, |a, b| Box::pin(show(a, b))).doc(list),
                mine(Method::POST, &[], |a, b| Box::pin(add_line(a, b)))
                    .takes(Intake::Json)
                    .once()
                    .doc(add),
            ],
        ),
        Resource::new(
            "/api/v1/carts/{id}/lines/{sku}",
            [
                mine(Method::PATCH, &[], |a, b| Box::pin(change_line(a, b)))
                    .takes(Intake::Json)
                    .doc(change),
                mine(Method::DELETE, &[], |a, b| Box::pin(remove_line(a, b))).doc(remove),
            ],
        ),
        Resource::new(
            "/api/v1/carts/{id}/lines/{sku}/move",
            [mine(Method::POST, &[], |a, b| Box::pin(move_line(a, b)))
                .takes(Intake::Json)
                .doc(transfer)],
        ),
        Resource::new(
            "/api/v1/carts/{id}/changes",
            [mine(Method::GET, &[], |a, b| Box::pin(show_changes(a, b))).doc(changes)],
        ),
        Resource::new(
            "/api/v1/carts/{id}/acknowledge",
            [mine(Method::POST, &[], |a, b| Box::pin(take_note(a, b)))
                .takes(Intake::Json)
                .doc(note)],
        ),
    ]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = who(&asked)?;
    let cart = cart_of(&app, &who, &asked.path[0]).await?;
    let limit = asked.query.size("limit");
    let after = asked.query.text("after").map(|text| cursor::read::<BehindPlace>("after", text));
    let after = after.transpose()?.map_or(0, |place| place.0);
    let mut lines = app.carts.lines(&who, &cart, after, limit as u32 + 1).await?;
    let more = lines.len() > limit;
    lines.truncate(limit);
    let next = match lines.last() {
        Some(last) if more => Some(cursor::write(BehindPlace(last.line.place))),
        _ => None,
    };
    let items = lines.iter().map(ComparedLineView::of).collect();
    let answer = CartLines { version: cart.version, items, next: next.clone() };
    let mut response = fresh(&app, &answer);
    let address = format!("{ADDRESS}/{}/lines", asked.path[0]);
    link_next(&mut response, &address, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn add_line(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (who, name) = keeping(&app, &mut asked).await?;
    let target = target(&app, &asked.path[0])?;
    let expect = expected(&app, &who, &asked.headers, &asked.path[0]).await?;
    let (line, hash): (NewLine, _) = asked.body.json_and_hash().await?;
    let wanted = Wanted {
        sku: line.sku,
        quantity: line.quantity.to_string(),
        note: noted("/note", line.note)?,
    };
    let (changes, refused) = app.carts.offers(&who, &[wanted])?;
    if !refused.is_empty() {
        return Err(of_rows(&refused, |_| (pointer(&refused[0]), None)));
    }
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    let edit = CartEdit::Lines { changes, partial: false };
    let answer = answering(|edited| (StatusCode::OK, Vec::new(), body(&edited_line(edited))));
    let named = Named { name, body: hash, answer };
    let act = CartAct::Edit { target, expect, edit };
    let outcome = app.carts.act_once(&who, act, named).await?;
    told(&app, outcome, |refusal| of_line(refusal.into()))
}

/// What of a line is wrong.
fn pointer(refused: &RowRefusal) -> String {
    let field = match refused.why {
        LineRefusal::Quantity(_) => "quantity",
        LineRefusal::NoteTooLong => "note",
        _ => "sku",
    };
    format!("/{field}")
}

fn edited_line(edited: &Edited) -> EditedLine {
    EditedLine {
        cart: CartView::of(&edited.cart),
        line: edited.lines.first().map(CartLineView::of),
    }
}

fn answer(app: &App, edited: &Edited) -> Response {
    let mut response = fresh(app, &edited_line(edited));
    if let Ok(tag) = HeaderValue::from_str(&super::tag(&edited.cart)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// What can't be a SKU names no line.
fn sku(asked: &Asked) -> Result<Sku, Problem> {
    let nothing = || Problem::new(Code::NotFound, LineRefusal::NoSuchLine.to_string());
    Sku::new(&asked.path[1]).map_err(|_| nothing())
}

async fn change_line(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, sku) = (who(&asked)?, sku(&asked)?);
    let target = CartTarget::Id(cart_of(&app, &who, &asked.path[0]).await?.id);
    let expect = expected(&app, &who, &asked.headers, &asked.path[0]).await?;
    let change: LineChangeBody = asked.body.json().await?;
    let mut changes = Vec::new();
    if let Some(note) = change.note {
        changes.push(LineChange::Note { sku: sku.clone(), note: noted("/note", note)? });
    }
    if let Some(quantity) = change.quantity {
        match app.carts.set(&who, &sku, &quantity.to_string())? {
            Ok(set) => changes.push(set),
            Err(why) => {
                let refused = RowRefusal { row: 0, sku: Some(sku), why };
                let pointer = pointer(&refused);
                return Err(of_rows(&[refused], |_| (pointer.clone(), None)));
            }
        }
    }
    if changes.is_empty() {
        return Err(Problem::new(Code::BadContent, "say a quantity or a note to change"));
    }
    let edit = CartEdit::Lines { changes, partial: false };
    let edited = app.carts.edit(&who, target, expect, edit).await.map_err(of_line)?;
    Ok(answer(&app, &edited))
}

async fn remove_line(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, sku) = (who(&asked)?, sku(&asked)?);
    let target = CartTarget::Id(cart_of(&app, &who, &asked.path[0]).await?.id);
    let expect = expected(&app, &who, &asked.headers, &asked.path[0]).await?;
    let changes = vec![LineChange::Remove { sku }];
    let edit = CartEdit::Lines { changes, partial: false };
    let edited = app.carts.edit(&who, target, expect, edit).await.map_err(of_line)?;
    Ok(answer(&app, &edited))
}

async fn move_line(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (who, sku) = (who(&asked)?, sku(&asked)?);
    let from = CartTarget::Id(cart_of(&app, &who, &asked.path[0]).await?.id);
    let expect = expected(&app, &who, &asked.headers, &asked.path[0]).await?;
    let LineMove { to } = asked.body.json().await?;
    let to = target(&app, &to).map_err(|_| Problem::field("/to", "there is no such cart"))?;
    let edit = CartEdit::Move { sku, to };
    let edited = app.carts.edit(&who, from, expect, edit).await.map_err(of_line)?;
    Ok(answer(&app, &edited))
}

async fn show_changes(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = who(&asked)?;
    let cart = cart_of(&app, &who, &asked.path[0]).await?;
    let review = app.carts.review(&who, &cart).await?;
    let items = review.lines.iter().map(ComparedLineView::of).collect();
    Ok(fresh(&app, &CartChanges { changed: review.changed, items, token: review.token }))
}

async fn take_note(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = who(&asked)?;
    let cart = cart_of(&app, &who, &asked.path[0]).await?;
    let TakenNote { token } = asked.body.json().await?;
    let edited = app.carts.take_note(&who, &cart, &token).await?;
    Ok(super::shown(&app, &edited.cart))
}
