//! What price lists say of a product, changed on its page. A line that is otherwise by now than it
//! was shown is not touched.

use super::{
    HERE,
    one::{Wishes, find, page},
    place,
};
use crate::{
    domain::{
        id::PriceListId,
        money::{Currency, Money},
        price::{PriceEdit, PriceEntry, PriceKey},
        quantity::{Precision, Quantity},
        rule::{AssignedList, Rule, RuleKind},
    },
    http::{
        admin::Shown,
        app::App,
        error::{Code, Problem},
        form::Form,
        personal::{see_other, sentence},
        resource::Asked,
    },
    ports::{products::StoredDraft, rules::RuleWritten},
    views::admin::{ListPrices, Tier},
};
use std::sync::Arc;
use uuid::Uuid;
use warp::reply::Response;

/// Lists that the page has room for.
const MOST_LISTS: u32 = 50;
/// Lines of a form that are read.
const MOST_TIERS: usize = 60;

pub(super) async fn save(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let found = find(&app, &asked).await?;
    let absent = || Problem::new(Code::NotFound, "there is no such price list");
    let id: Uuid = asked.form.text("list").parse().map_err(|_| absent())?;
    let rule = app.rules.get(RuleKind::PriceList, id).await?.ok_or_else(absent)?.rule;
    let Rule::PriceList(AssignedList { list, .. }) = rule else { return Err(absent()) };
    let tiers = tiers(&asked.form);
    let of = Of { stored: &found.stored, precision: found.precision, list: list.id };
    let problem = match saved(&app, &asked, &of, list.currency, &tiers).await {
        Ok(()) => return Ok(see_other(&format!("{}?done=prices", place(&asked.path[0])))),
        Err(problem) => problem,
    };
    let error = sentence(problem.errors.first().map_or(&*problem.detail, |error| &error.detail));
    let stale = problem.code == Code::PreconditionFailed;
    let shown = Shown::new(&app, &mut asked, HERE).await?.failed(problem)?;
    let typed = ListPrices {
        id: id.to_string(),
        name: list.name,
        currency: list.currency.code().to_owned(),
        active: list.active,
        tiers,
        error: Some(error),
    };
    let wishes = Wishes { prices: (!stale).then_some(typed), ..Wishes::default() };
    page(&app, &asked, shown, found, wishes).await
}

/// Of what prices are.
struct Of<'a> {
    stored: &'a StoredDraft,
    precision: Precision,
    list: PriceListId,
}

impl Of<'_> {
    fn key(&self, min_quantity: Quantity) -> PriceKey {
        let (product, unit) = (self.stored.id, self.stored.draft.unit.clone());
        PriceKey { product, unit, min_quantity }
    }
}

fn tiers(form: &Form) -> Vec<Tier> {
    let text = |n: usize, name: &str| form.text(&format!("tier.{n}.{name}")).to_owned();
    let there = |n: &usize| form.has(&format!("tier.{n}.amount"));
    let tier = |n| Tier {
        was_from: text(n, "was_from"),
        was: text(n, "was"),
        from: text(n, "from"),
        amount: text(n, "amount"),
    };
    (0..MOST_TIERS).take_while(there).map(tier).collect()
}

async fn saved(
    app: &App,
    asked: &Asked,
    of: &Of<'_>,
    currency: Currency,
    tiers: &[Tier],
) -> Result<(), Problem> {
    let who = asked.visit.must_act()?;
    let wrong = |what: String| Problem::field("/prices", what);
    let mut edit = PriceEdit::default();
    for tier in tiers {
        let was = match tier.was_from.parse::<i64>().ok().map(Quantity::of_steps) {
            Some(Ok(from)) => Some((of.key(from), tier.was.parse::<i64>().ok())),
            _ => None,
        };
        if tier.amount.is_empty() {
            edit.drop.extend(was.map(|(key, _)| key));
            continue;
        }
        let from = match tier.from.as_str() {
            "" => Quantity::STEP,
            text => Quantity::parse(text, of.precision).map_err(|why| wrong(why.to_string()))?,
        };
        let amount = Money::parse_price(&tier.amount, currency);
        let amount = amount.map_err(|why| wrong(format!("{}: {why}", tier.amount)))?.minor;
        let key = of.key(from);
        if was.as_ref() == Some(&(key.clone(), Some(amount))) {
            continue;
        }
        if edit.put.iter().any(|entry| PriceKey::from(entry) == key) {
            let text = from.text(of.precision);
            return Err(wrong(format!("there are two prices from {text} on")));
        }
        edit.drop.extend(was.map(|(old, _)| old).filter(|old| *old != key));
        let PriceKey { product, unit, min_quantity } = key;
        edit.put.push(PriceEntry { list: of.list, product, unit, min_quantity, amount });
    }
    // Each line that is touched is still as it was shown, and none is written over unseen.
    let seen = |key: &PriceKey| {
        tiers.iter().find_map(|tier| {
            let from = Quantity::of_steps(tier.was_from.parse().ok()?).ok()?;
            (of.key(from) == *key).then(|| tier.was.parse::<i64>().ok())?
        })
    };
    let touched = edit.put.iter().map(PriceKey::from).chain(edit.drop.iter().cloned());
    edit.seen = touched.map(|key| (key.clone(), seen(&key))).collect();
    if edit == PriceEdit::default() {
        return Ok(());
    }
    match app.rules.set_prices(&who, of.list, edit).await? {
        RuleWritten::Prices(_) => Ok(()),
        RuleWritten::PricesMoved => {
            Err(Problem::new(Code::PreconditionFailed, "the prices have changed since"))
        }
        RuleWritten::Absent => Err(Problem::new(Code::Conflict, "the price list is gone")),
        RuleWritten::TooMany => {
            Err(Problem::new(Code::Conflict, "all price lists together have too many prices"))
        }
        other => Err(Problem::internal(format!("prices came to {other:?}"))),
    }
}

/// All lists with what they say of the product, and an empty line to add one; `typed` in place of
/// its own.
pub(super) async fn lists(
    app: &App,
    stored: &StoredDraft,
    precision: Precision,
    typed: Option<ListPrices>,
) -> Result<Vec<ListPrices>, Problem> {
    let rules = app.rules.list(RuleKind::PriceList, None, MOST_LISTS).await?;
    let entries = app.rules.prices_for(stored.id).await?;
    let mut lists = Vec::new();
    for rule in rules {
        let Rule::PriceList(AssignedList { list, .. }) = rule.rule else { continue };
        let own =
            entries.iter().filter(|entry| entry.list == list.id && entry.unit == stored.draft.unit);
        let tier = |entry: &PriceEntry| Tier {
            was_from: entry.min_quantity.steps().to_string(),
            was: entry.amount.to_string(),
            from: entry.min_quantity.text(precision),
            amount: Money { minor: entry.amount, currency: list.currency }.amount(),
        };
        let mut tiers: Vec<_> = own.collect();
        tiers.sort_by_key(|entry| entry.min_quantity);
        let tiers = tiers.into_iter().map(tier).chain([Tier::default()]).collect();
        lists.push(ListPrices {
            id: list.id.to_string(),
            name: list.name,
            currency: list.currency.code().to_owned(),
            active: list.active,
            tiers,
            error: None,
        });
    }
    if let Some(typed) = typed
        && let Some(place) = lists.iter().position(|list| list.id == typed.id)
    {
        lists[place] = typed;
    }
    Ok(lists)
}
