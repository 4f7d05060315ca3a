//! What the cart's page sends: quantities, and one button that says what else to do.

use super::{SHOPPER, Shown, Which, address, see_other, sentence, shopper, show, target};
use crate::{
    actors::keepers::carts::CartsError,
    domain::{
        cart::{
            Cart, CartAct, CartEdit, CartKind, CartRefusal, CartTarget, Edited, LineChange,
            MOST_NAME, MOST_NOTE, RowRefusal,
        },
        id::CartId,
        principal::Principal,
        sku::Sku,
    },
    http::{
        app::App,
        error::{Code, Problem},
        form::Form,
        resource::{Asked, Operation, Resource},
    },
};
use std::{collections::HashMap, sync::Arc};
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/cart/change", [Operation::form(SHOPPER, |a, b| Box::pin(change(a, b)))]),
        Resource::new(
            "/cart/acknowledge",
            [Operation::form(SHOPPER, |a, b| Box::pin(acknowledge(a, b)))],
        ),
        Resource::new("/cart/lists", [Operation::form(SHOPPER, |a, b| Box::pin(lists(a, b)))]),
    ]
}

/// An edit that rows of it may be refused by, which is told beside each row.
pub(super) fn tried(
    edited: Result<Edited, CartsError>,
) -> Result<Result<Edited, Vec<RowRefusal>>, Problem> {
    match edited {
        Ok(edited) => Ok(Ok(edited)),
        Err(CartsError::Refused(CartRefusal::Rows(rows))) => Ok(Err(rows)),
        Err(error) => Err(error.into()),
    }
}

/// A form of somebody who has no session is from a page they saw while they had one.
fn known(asked: &Asked) -> Result<Principal, Problem> {
    let gone = "your visit has ended since this page was made; load it again";
    shopper(&asked.visit).ok_or_else(|| Problem::new(Code::Forged, gone))
}

async fn change(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = known(&asked)?;
    let cart = find(&app, &who, asked.form.text("cart")).await?;
    let wish = asked.form.text("do").to_owned();
    let (what, about) = wish.split_once('.').unwrap_or((&wish, ""));
    let mut changes = Vec::new();
    let mut errors = Vec::new();
    // Whatever else is asked for, quantities that were typed are not lost.
    let typed = typed(&app, &cart, &asked.form).await?;
    let removed = (what == "remove").then_some(about);
    for (sku, quantity) in &typed {
        if removed == Some(sku.as_str()) {
            continue;
        }
        let Ok(sku) = Sku::new(sku) else { continue };
        if is_nothing(quantity) {
            changes.push(LineChange::Remove { sku });
            continue;
        }
        match app.carts.set(&who, &sku, quantity)? {
            Ok(set) => changes.push(set),
            Err(why) => errors.push((Some(sku.to_string()), sentence(&why.to_string()))),
        }
    }
    let mut then = None;
    let done = match what {
        "update" | "" => "updated",
        "remove" => {
            changes.push(LineChange::Remove { sku: sku(about)? });
            "removed"
        }
        "note" => {
            let sku = sku(about)?;
            let note = asked.form.text(&format!("note.{about}"));
            if note.chars().count() > MOST_NOTE {
                let told = format!("A note has at most {MOST_NOTE} characters.");
                errors.push((Some(about.to_owned()), told));
            }
            let note = Some(note.to_owned()).filter(|note| !note.is_empty());
            changes.push(LineChange::Note { sku, note });
            "noted"
        }
        "later" | "active" => {
            let kind = if what == "later" { CartKind::Later } else { CartKind::Active };
            then = Some((sku(about)?, app.carts.of(kind)));
            if what == "later" { "later" } else { "added" }
        }
        "move" => {
            let (list, about) = about.split_once('.').ok_or_else(unknown)?;
            let list = list.parse().map(CartTarget::Id).map_err(|_| unknown())?;
            then = Some((sku(about)?, list));
            "moved"
        }
        _ => return Err(unknown()),
    };
    let target = || CartTarget::Id(cart.id);
    if errors.is_empty() && !changes.is_empty() {
        let edit = CartEdit::Lines { changes, partial: false };
        if let Err(rows) = tried(app.carts.edit(&who, target(), None, edit).await)? {
            errors.extend(rows.iter().map(told));
        }
    }
    if let (true, Some((sku, to))) = (errors.is_empty(), then) {
        let edit = CartEdit::Move { sku, to };
        if let Err(rows) = tried(app.carts.edit(&who, target(), None, edit).await)? {
            errors.extend(rows.iter().map(told));
        }
    }
    let after = Some(asked.form.text("after").to_owned()).filter(|after| !after.is_empty());
    if !errors.is_empty() {
        let shown = Shown { cart: Which::Id(cart.id), after, errors, typed };
        return show(&app, asked, shown).await;
    }
    let after = after.map(|after| format!("&after={}", crate::http::extract::encode(&after)));
    Ok(see_other(&format!("{}?done={done}{}", address(&cart), after.unwrap_or_default())))
}

fn told(row: &RowRefusal) -> (Option<String>, String) {
    (row.sku.as_ref().map(ToString::to_string), sentence(&row.why.to_string()))
}

fn unknown() -> Problem {
    Problem::new(Code::BadContent, "no button of ours asks for that")
}

fn sku(text: &str) -> Result<Sku, Problem> {
    Sku::new(text).map_err(|_| unknown())
}

async fn find(app: &App, who: &Principal, id: &str) -> Result<Cart, Problem> {
    match target(app, id)? {
        CartTarget::Id(id) => Ok(app.carts.cart(who, id).await?),
        CartTarget::Kind { kind, .. } => {
            let gone = "your cart is empty; load the page again";
            let cart = app.carts.of_kind(who, kind).await?;
            cart.ok_or_else(|| Problem::new(Code::Conflict, gone))
        }
    }
}

/// Quantities that differ from what is there: those that were sent as they were are no wish.
async fn typed(app: &App, cart: &Cart, form: &Form) -> Result<HashMap<String, String>, Problem> {
    let sent: HashMap<_, _> = form
        .below("quantity.")
        .map(|(sku, text)| (sku.to_owned(), text.trim().to_owned()))
        .collect();
    let skus: Vec<_> = sent.keys().filter_map(|sku| Sku::new(sku).ok()).collect();
    let there = app.carts.quantities(cart, &skus).await?;
    let differs =
        |(sku, text): &(String, String)| there.get(sku).is_some_and(|quantity| quantity != text);
    Ok(sent.into_iter().filter(differs).collect())
}

/// `0`, or nothing at all: the line is to go.
fn is_nothing(quantity: &str) -> bool {
    quantity.bytes().all(|b| b == b'0' || b == b'.')
}

async fn acknowledge(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = known(&asked)?;
    let cart = find(&app, &who, asked.form.text("cart")).await?;
    match app.carts.take_note(&who, &cart, asked.form.text("seen")).await {
        Ok(_) => Ok(see_other(&format!("{}?done=seen", address(&cart)))),
        Err(CartsError::ChangedAgain | CartsError::Refused(CartRefusal::Changed { .. })) => {
            let errors =
                vec![(None, "Something has changed once more; this is how it is now.".into())];
            let shown = Shown { cart: Which::Id(cart.id), errors, ..Shown::default() };
            show(&app, asked, shown).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn lists(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.principal_or_guest(&app).await?;
    let name = asked.form.text("name").to_owned();
    let fits = (1..=MOST_NAME).contains(&name.chars().count());
    let fits = fits && !name.chars().any(char::is_control);
    let wish = asked.form.text("do").to_owned();
    let id: Option<CartId> = asked.form.text("cart").parse().ok();
    if matches!(&*wish, "create" | "save") && !fits {
        let told = format!("A list's name is 1 to {MOST_NAME} characters.");
        let cart = id.map_or(Which::Active, Which::Id);
        let shown = Shown { cart, errors: vec![(None, told)], ..Shown::default() };
        return show(&app, asked, shown).await;
    }
    if wish == "create" {
        let act = CartAct::Create { id: app.carts.new_id(), name, note: None };
        let made = app.carts.act(&who, act).await?.cart;
        return Ok(see_other(&format!("{}?done=listed", address(&made))));
    }
    let cart = app.carts.cart(&who, id.ok_or_else(unknown)?).await?;
    let (edit, done) = match &*wish {
        "save" => {
            let note = asked.form.text("note").to_owned();
            if note.chars().count() > MOST_NOTE {
                let told = format!("A note has at most {MOST_NOTE} characters.");
                let errors = vec![(None, told)];
                let shown = Shown { cart: Which::Id(cart.id), errors, ..Shown::default() };
                return show(&app, asked, shown).await;
            }
            let note = Some(Some(note).filter(|note| !note.is_empty()));
            (CartEdit::Describe { name: Some(name), note, kind: None }, "saved")
        }
        "activate" => {
            let kind = Some(CartKind::Active);
            (CartEdit::Describe { name: None, note: None, kind }, "active")
        }
        "delete" => {
            app.carts.act(&who, CartAct::Delete { id: cart.id, expect: None }).await?;
            return Ok(see_other("/cart?done=deleted"));
        }
        _ => return Err(unknown()),
    };
    let edited = app.carts.edit(&who, CartTarget::Id(cart.id), None, edit).await?;
    Ok(see_other(&format!("{}?done={done}", address(&edited.cart))))
}
