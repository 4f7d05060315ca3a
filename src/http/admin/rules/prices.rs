//! A price list's prices, page by page, changed in place: each line that is touched is compared with
//! what was shown of it inside the write, so nobody's change is written over unseen.

use super::{Wishes, find, page};
use crate::{
    domain::{
        document::ProductDocument,
        id::{PriceListId, ProductId},
        money::{Currency, Money},
        price::{PriceEdit, PriceEntry, PriceKey},
        quantity::{Precision, Quantity},
        rule::{AssignedList, Rule, RuleKind},
        sku::Sku,
    },
    http::{
        admin::Shown,
        api::rules::{Family, fields, price_lists::PriceListView, prices::Named, refused},
        app::App,
        cursor::{self, BehindPrice},
        error::{Code, Problem},
        extract::encode,
        form::Form,
        personal::{see_other, sentence},
        resource::Asked,
    },
    ports::rules::RuleWritten,
    views::admin::{NewPrice, PriceRow, PricesPart, rules_place},
};
use std::sync::Arc;
use warp::reply::Response;

/// Lines of one page; a form has room for some more fields than these take.
const PAGE: usize = 25;
/// Empty lines for prices that are new.
const NEW: usize = 3;

/// What was typed, and why it could not be kept.
pub(super) struct Wish {
    /// By the line's key.
    amounts: Vec<(String, String)>,
    new: Vec<NewPrice>,
    /// Of which lines they were.
    place: Place,
    error: String,
}

/// Which of the prices are shown.
#[derive(Default, Clone)]
struct Place {
    after: Option<String>,
    sku: Option<String>,
}

impl Place {
    fn of(asked: &Asked) -> Self {
        let text = |name| asked.query.optional(name).map(str::to_owned);
        Self { after: text("after"), sku: text("sku") }
    }

    fn typed(form: &Form) -> Self {
        let text = |name| Some(form.text(name)).filter(|text| !text.is_empty()).map(str::to_owned);
        Self { after: text("after"), sku: text("sku") }
    }

    fn address(&self, list: PriceListId, done: bool) -> String {
        let pair = |name, text: &Option<String>| {
            text.as_ref().map(|text| format!("{name}={}", encode(text)))
        };
        let done = done.then(|| "done=prices".to_owned());
        let pairs: Vec<_> = [pair("after", &self.after), pair("sku", &self.sku), done]
            .into_iter()
            .flatten()
            .collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}/{list}{mark}{}#prices", rules_place(RuleKind::PriceList), pairs.join("&"))
    }
}

pub(super) async fn save(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let stored = find::<PriceListView>(&app, &asked).await?;
    let Rule::PriceList(AssignedList { list, .. }) = &stored.rule else {
        return Err(refused(RuleWritten::Absent, PriceListView::NAME));
    };
    let place = Place::typed(&asked.form);
    let problem = match saved(&app, &asked, list.id, list.currency).await {
        Ok(()) => return Ok(see_other(&place.address(list.id, true))),
        Err(problem) => problem,
    };
    let told = problem.errors.first().map_or(&*problem.detail, |error| &error.detail);
    let stale = problem.code == Code::PreconditionFailed;
    let (amounts, new) = match stale {
        // What somebody else changed meanwhile is shown, not what was typed before it was known.
        true => (Vec::new(), Vec::new()),
        false => (amounts(&asked.form), new_lines(&asked.form)),
    };
    let wish = Wish { amounts, new, place, error: sentence(told) };
    let shown = Shown::new(&app, &mut asked, rules_place(RuleKind::PriceList)).await?;
    let shown = shown.failed(problem)?;
    let wishes = Wishes { prices: Some(wish), ..Wishes::default() };
    page::<PriceListView>(&app, &asked, shown, stored, wishes).await
}

fn amounts(form: &Form) -> Vec<(String, String)> {
    let line = |n| {
        let key = form.text(&format!("price.{n}.key"));
        let amount = form.text(&format!("price.{n}.amount"));
        (!key.is_empty()).then(|| (key.to_owned(), amount.to_owned()))
    };
    (0..PAGE).map_while(line).collect()
}

fn new_lines(form: &Form) -> Vec<NewPrice> {
    let text = |n: usize, name: &str| form.text(&format!("new.{n}.{name}")).to_owned();
    let line =
        |n| NewPrice { sku: text(n, "sku"), from: text(n, "from"), amount: text(n, "amount") };
    (0..NEW).map(line).collect()
}

/// How a form names a line: the unit is last, as it may have spaces.
fn key_text(key: &PriceKey) -> String {
    format!("{} {} {}", key.product, key.min_quantity.steps(), key.unit)
}

fn read_key(text: &str) -> Option<PriceKey> {
    let mut parts = text.splitn(3, ' ');
    let product: ProductId = parts.next()?.parse().ok()?;
    let min_quantity = Quantity::of_steps(parts.next()?.parse().ok()?).ok()?;
    Some(PriceKey { product, unit: parts.next()?.to_owned(), min_quantity })
}

async fn saved(
    app: &App,
    asked: &Asked,
    list: PriceListId,
    currency: Currency,
) -> Result<(), Problem> {
    let (who, form) = (asked.visit.must_act()?, &asked.form);
    let mut edit = PriceEdit::default();
    for (n, (key, amount)) in amounts(form).into_iter().enumerate() {
        let unread = || Problem::new(Code::BadContent, "the form could not be read");
        let key = read_key(&key).ok_or_else(unread)?;
        let was = form.text(&format!("price.{n}.was")).parse::<i64>().map_err(|_| unread())?;
        let wanted = match amount.as_str() {
            "" => None,
            text => Some(fields::amount("/prices", text, currency)?),
        };
        if wanted == Some(was) {
            continue;
        }
        edit.seen.push((key.clone(), Some(was)));
        match wanted {
            None => edit.drop.push(key),
            Some(amount) => edit.put.push(entry(list, key, amount)),
        }
    }
    let mut named = Named::new(app);
    for NewPrice { sku, from, amount } in new_lines(form) {
        if sku.is_empty() && amount.is_empty() {
            continue;
        }
        let line = |problem: Problem| {
            let told = problem.errors.first().map_or(&*problem.detail, |error| &error.detail);
            Problem::field("/prices", format!("{sku}: {told}"))
        };
        let from = Some(&*from).filter(|from| !from.is_empty());
        let key = named.key("/prices", &sku, None, from).map_err(line)?;
        let amount = fields::amount("/prices", &amount, currency).map_err(line)?;
        if edit.put.iter().any(|other| PriceKey::from(other) == key) {
            return Err(Problem::field("/prices", format!("there are two prices for {sku}")));
        }
        let known = app.rules.prices_for(key.product).await?;
        let is_there = |one: &PriceEntry| one.list == list && PriceKey::from(one) == key;
        if known.iter().any(is_there) {
            let told = format!("there is such a price for {sku} already: change it in its line");
            return Err(Problem::field("/prices", told));
        }
        edit.seen.push((key.clone(), None));
        edit.put.push(entry(list, key, amount));
    }
    if edit == PriceEdit::default() {
        return Ok(());
    }
    match app.rules.set_prices(&who, list, edit).await? {
        RuleWritten::Prices(_) => Ok(()),
        other => Err(refused(other, PriceListView::NAME)),
    }
}

fn entry(list: PriceListId, key: PriceKey, amount: i64) -> PriceEntry {
    let PriceKey { product, unit, min_quantity } = key;
    PriceEntry { list, product, unit, min_quantity, amount }
}

/// A page of what the list says; `wish` in place of what stands.
pub(super) async fn shown(
    app: &App,
    asked: &Asked,
    assigned: &AssignedList,
    wish: Option<Wish>,
) -> Result<PricesPart, Problem> {
    let list = &assigned.list;
    let place = wish.as_ref().map_or_else(|| Place::of(asked), |wish| wish.place.clone());
    let (entries, next) = match &place.sku {
        Some(sku) => (of_product(app, list.id, sku).await?, None),
        None => some(app, list.id, place.after.as_deref()).await?,
    };
    let ids: Vec<ProductId> = entries.iter().map(|entry| entry.product).collect();
    let documents = app.documents.documents(&app.scope, &ids)?;
    let typed = |key: &str| {
        let amounts = wish.iter().flat_map(|wish| &wish.amounts);
        amounts.into_iter().find(|(of, _)| of == key).map(|(_, amount)| amount.clone())
    };
    let row = |(entry, document): (&PriceEntry, Option<ProductDocument>)| {
        let precision = document.as_ref().and_then(|it| Precision::new(it.precision).ok());
        let from = precision.map(|precision| entry.min_quantity.text(precision));
        let key = key_text(&PriceKey::from(entry));
        let now = Money { minor: entry.amount, currency: list.currency }.amount();
        PriceRow {
            product: document.map(|document| (document.sku.to_string(), document.name)),
            unit: entry.unit.clone(),
            from: from.unwrap_or_else(|| entry.min_quantity.steps().to_string()),
            was: entry.amount,
            amount: typed(&key).unwrap_or(now),
            key,
        }
    };
    let rows = entries.iter().zip(documents).map(row).collect();
    let on = |after| Place { after: Some(after), sku: None }.address(list.id, false);
    let (new, error) = wish.map(|wish| (wish.new, wish.error)).unzip();
    let new = new.filter(|new| !new.is_empty());
    Ok(PricesPart {
        currency: list.currency,
        rows,
        new: new.unwrap_or_else(|| (0..NEW).map(|_| NewPrice::default()).collect()),
        error,
        next: next.map(on),
        after: place.after.unwrap_or_default(),
        sku: place.sku.unwrap_or_default(),
    })
}

/// What the list says of one product, all of it.
async fn of_product(app: &App, list: PriceListId, sku: &str) -> Result<Vec<PriceEntry>, Problem> {
    let Ok(sku) = Sku::new(sku) else { return Ok(Vec::new()) };
    let found = app.documents.by_sku(&app.scope, &sku)?;
    let Some(product) = found.map(|found| found.document.id) else { return Ok(Vec::new()) };
    let mut entries = app.rules.prices_for(product).await?;
    entries.retain(|entry| entry.list == list);
    entries.sort_by_key(|entry| entry.min_quantity);
    entries.truncate(PAGE);
    Ok(entries)
}

/// One page of them, and where the next begins.
async fn some(
    app: &App,
    list: PriceListId,
    after: Option<&str>,
) -> Result<(Vec<PriceEntry>, Option<String>), Problem> {
    let after = after.map(|text| cursor::read::<BehindPrice>("after", text)).transpose()?;
    let after = after.map(|BehindPrice(product, unit, min_quantity)| PriceKey {
        product,
        unit,
        min_quantity,
    });
    let mut entries = app.rules.prices_of(list, after.as_ref(), PAGE as u32 + 1).await?;
    let more = entries.len() > PAGE;
    entries.truncate(PAGE);
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| {
        cursor::write(BehindPrice(entry.product, entry.unit.clone(), entry.min_quantity))
    });
    Ok((entries, next))
}
