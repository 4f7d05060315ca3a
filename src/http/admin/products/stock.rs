//! A product's stock on its page: counted anew, for the version that was seen.

use super::{
    HERE,
    one::{Wishes, find, page},
    place,
};
use crate::{
    domain::{
        quantity::Precision,
        stock::{EditRefused, Movement, StockEdit, StockRecord},
    },
    http::{
        admin::Shown,
        app::App,
        error::{Code, Problem},
        ordering::MOST_NOTE,
        personal::{see_other, sentence},
        resource::Asked,
    },
    ports::stock::{StockWrite, StockWritten, Warehouse},
    views::admin::{StockBox, StockLine},
};
use std::sync::Arc;
use warp::reply::Response;

/// What was typed, and why it could not be kept.
pub(super) struct Wish {
    levels: Vec<(String, String)>,
    threshold: String,
    back_order: bool,
    note: String,
    error: String,
}

pub(super) async fn save(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let found = find(&app, &asked).await?;
    let problem = match saved(&app, &asked, &found.record, found.precision).await {
        Ok(()) => return Ok(see_other(&format!("{}?done=stock", place(&asked.path[0])))),
        Err(problem) => problem,
    };
    let form = &asked.form;
    let level = |(code, text): (&str, &str)| (code.to_owned(), text.trim().to_owned());
    let wish = Wish {
        levels: form.below("level.").map(level).collect(),
        threshold: form.text("threshold").to_owned(),
        back_order: form.has("back_order"),
        note: form.text("note").to_owned(),
        error: sentence(problem.errors.first().map_or(&*problem.detail, |error| &error.detail)),
    };
    let stale = problem.code == Code::PreconditionFailed;
    let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
    let found = find(&app, &asked).await?;
    // What somebody else counted meanwhile is shown, not what was typed before it was known.
    let wishes = Wishes { stock: (!stale).then_some(wish), ..Wishes::default() };
    page(&app, &asked, shown, found, wishes).await
}

async fn saved(
    app: &App,
    asked: &Asked,
    record: &StockRecord,
    precision: Precision,
) -> Result<(), Problem> {
    let form = &asked.form;
    let version = form.text("version").parse();
    let version = version.map_err(|_| Problem::new(Code::BadContent, "the form has no version"))?;
    let note = form.text("note").to_owned();
    if note.chars().count() > MOST_NOTE {
        return Err(Problem::field("/note", format!("a note has at most {MOST_NOTE} characters")));
    }
    let mut levels = Vec::new();
    for (code, text) in form.below("level.") {
        let known = record.levels.iter().find(|level| level.warehouse == code);
        // A warehouse that has none of it, and gets none, stays without.
        if text.trim().is_empty() && known.is_none() {
            continue;
        }
        let place = format!("/level.{code}");
        let count = precision.count(text);
        let count = count.map_err(|error| Problem::field(&place, format!("{code}: {error}")))?;
        if known.is_none_or(|level| level.on_hand != count) {
            levels.push((code.to_owned(), count));
        }
    }
    let threshold = precision.count(form.text("threshold"));
    let threshold =
        threshold.map_err(|error| Problem::field("/threshold", format!("kept back: {error}")))?;
    let write = StockWrite {
        site: app.scope.site.clone(),
        sku: record.sku.clone(),
        edit: StockEdit::Set { levels, threshold, back_order: form.has("back_order") },
        by: asked.visit.must_act()?.to_string(),
        note,
        at: app.clock.now(),
        if_version: Some(version),
    };
    let gone = || Problem::new(Code::NotFound, "there is no product with this SKU");
    match app.stocks.edit(write).await?.ok_or_else(gone)? {
        StockWritten::Done(_) => Ok(()),
        StockWritten::Bundle => {
            Err(Problem::new(Code::Conflict, "it is counted by its parts: change theirs"))
        }
        StockWritten::Stale(_) => {
            Err(Problem::new(Code::PreconditionFailed, "the stock has changed since"))
        }
        StockWritten::Refused(EditRefused::NoWarehouse(code)) => {
            Err(Problem::new(Code::Conflict, format!("there is no warehouse {code} any more")))
        }
        StockWritten::Refused(EditRefused::Level { warehouse, why }) => {
            Err(Problem::new(Code::Conflict, format!("{warehouse}: {why}")))
        }
    }
}

pub(super) fn shown<'a>(
    record: &'a StockRecord,
    precision: Precision,
    warehouses: Vec<Warehouse>,
    wish: Option<Wish>,
    movements: &'a [Movement],
    people: &'a dyn Fn(&str) -> String,
) -> StockBox<'a> {
    let positive = |steps: i64| if steps > 0 { precision.count_text(steps) } else { String::new() };
    let line = |warehouse: Warehouse| {
        let Warehouse { code, name, .. } = warehouse;
        let level = record.levels.iter().find(|level| level.warehouse == code);
        let on_hand = level.map(|level| precision.count_text(level.on_hand)).unwrap_or_default();
        let typed = wish.as_ref().and_then(|wish| {
            wish.levels.iter().find(|(of, _)| *of == code).map(|(_, text)| text.clone())
        });
        StockLine {
            typed: typed.unwrap_or_else(|| on_hand.clone()),
            on_hand,
            reserved: level.map(|level| positive(level.reserved)).unwrap_or_default(),
            owed: level.map(|level| positive(level.owed)).unwrap_or_default(),
            code,
            name,
        }
    };
    let levels = warehouses.into_iter().map(line).collect();
    let threshold = precision.count_text(record.threshold);
    match wish {
        Some(Wish { threshold, back_order, note, error, .. }) => {
            let error = Some(error);
            StockBox { record, levels, threshold, back_order, note, error, movements, people }
        }
        None => StockBox {
            record,
            levels,
            threshold,
            back_order: record.back_order,
            note: String::new(),
            error: None,
            movements,
            people,
        },
    }
}
