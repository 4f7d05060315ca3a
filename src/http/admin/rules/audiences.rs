//! Whom a price list is for, changed on its page for the version that was seen.

use super::{Wishes, find, page, version};
use crate::{
    domain::{
        account::Customer,
        id::CustomerId,
        price::Audience,
        rule::{AssignedList, Rule, RuleKind},
    },
    http::{
        admin::Shown,
        api::rules::{Family, price_lists::PriceListView, refused},
        app::App,
        error::{Code, Problem},
        personal::{see_other, sentence},
        resource::Asked,
    },
    ports::rules::RuleWritten,
    views::admin::{AudienceRow, AudiencesPart, rules_place},
};
use std::{collections::HashMap, sync::Arc};
use warp::reply::Response;

/// Customers that are looked up for a page; more are told by their ids.
const MOST_NAMES: usize = 50;
/// Customers that fit what was typed, enough to know that it is not one.
const FITTING: u32 = 50;

/// What was typed, and why it could not be kept.
pub(super) struct Wish {
    customer: String,
    error: String,
}

pub(super) async fn save(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let stored = find::<PriceListView>(&app, &asked).await?;
    let (id, here) = (stored.rule.id(), rules_place(RuleKind::PriceList));
    let problem = match saved(&app, &asked, stored.rule).await {
        Ok(()) => return Ok(see_other(&format!("{here}/{id}?done=for#for"))),
        Err(problem) => problem,
    };
    let told = problem.errors.first().map_or(&*problem.detail, |error| &error.detail);
    let wish = Wish { customer: asked.form.text("customer").to_owned(), error: sentence(told) };
    let stale = problem.code == Code::PreconditionFailed;
    let shown = Shown::new(&app, &mut asked, here).await?.failed(problem)?;
    let stored = find::<PriceListView>(&app, &asked).await?;
    let wishes = Wishes { audience: (!stale).then_some(wish), ..Wishes::default() };
    page::<PriceListView>(&app, &asked, shown, stored, wishes).await
}

async fn saved(app: &App, asked: &Asked, rule: Rule) -> Result<(), Problem> {
    let (who, form) = (asked.visit.must_act()?, &asked.form);
    let Rule::PriceList(mut assigned) = rule else {
        return Err(refused(RuleWritten::Absent, PriceListView::NAME));
    };
    if form.has("take") {
        let gone = || Problem::new(Code::Conflict, "it isn’t for them any more");
        let of = |audience: &&Audience| value(audience) == form.text("take");
        let audience = assigned.audiences.iter().find(of).cloned().ok_or_else(gone)?;
        assigned.audiences.remove(&audience);
    } else if !form.text("customer").is_empty() {
        let customer = customer(app, form.text("customer")).await?;
        assigned.audiences.insert(Audience::Customer { customer: customer.id });
    } else {
        let chosen = choices(app).await?.into_iter().map(|(audience, _)| audience);
        let is_it = |audience: &Audience| value(audience) == form.text("add");
        let told = "choose a group, or write a customer’s email address";
        let none = || Problem::field("/customer", told);
        assigned.audiences.insert(chosen.into_iter().find(is_it).ok_or_else(none)?);
    }
    let version = version(form)?;
    match app.rules.put(&who, Rule::PriceList(assigned), Some(version)).await? {
        RuleWritten::Put(_) => Ok(()),
        other => Err(refused(other, PriceListView::NAME)),
    }
}

/// The one who is meant by a part of a name, or by an address of mail.
async fn customer(app: &App, text: &str) -> Result<Customer, Problem> {
    let wrong = |told: &str| Problem::field("/customer", told);
    let mut found = app.accounts.find_customers(text, None, FITTING).await?;
    found.retain(|(customer, _)| customer.erased_at.is_none());
    let whole = |email: &Option<String>| {
        email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(text))
    };
    match found.iter().position(|(_, email)| whole(email)) {
        Some(place) => Ok(found.swap_remove(place).0),
        None if found.len() > 1 => Err(wrong("several customers fit: write a whole email address")),
        None => {
            found.pop().map(|(one, _)| one).ok_or_else(|| wrong("no customer has that address"))
        }
    }
}

/// How a form names one.
fn value(audience: &Audience) -> String {
    match audience {
        Audience::Customer { customer } => format!("customer:{customer}"),
        Audience::Group { group } => format!("group:{group}"),
        Audience::Site { site } => format!("site:{}", site.0),
    }
}

/// Who can be chosen by name: everybody, and each group.
async fn choices(app: &App) -> Result<Vec<(Audience, String)>, Problem> {
    let everybody = (Audience::Site { site: app.scope.site.clone() }, "Everybody".to_owned());
    let groups = app.accounts.groups().await?.into_iter();
    let groups = groups.map(|one| (Audience::Group { group: one.id }, one.name));
    Ok(std::iter::once(everybody).chain(groups).collect())
}

pub(super) async fn shown(
    app: &App,
    assigned: &AssignedList,
    wish: Option<Wish>,
) -> Result<AudiencesPart, Problem> {
    let choices = choices(app).await?;
    let mut names: HashMap<CustomerId, String> = HashMap::new();
    for audience in &assigned.audiences {
        let Audience::Customer { customer } = audience else { continue };
        if names.len() == MOST_NAMES {
            break;
        }
        if let Ok(found) = app.accounts.customer(*customer).await {
            names.insert(*customer, found.name);
        }
    }
    let name = |audience: &Audience| choices.iter().find(|(of, _)| of == audience);
    let row = |audience: &Audience| {
        let (kind, words, place) = match audience {
            Audience::Customer { customer } => {
                let words = names.get(customer).filter(|name| !name.is_empty()).cloned();
                let words = words.unwrap_or_else(|| customer.to_string());
                ("Customer", words, Some(format!("/admin/customers/{customer}")))
            }
            Audience::Group { group } => {
                let words = name(audience).map(|(_, words)| words.clone());
                ("Group", words.unwrap_or_else(|| group.to_string()), None)
            }
            Audience::Site { site } => {
                let words = name(audience).map(|(_, words)| words.clone());
                ("Site", words.unwrap_or_else(|| format!("Everybody on {}", site.0)), None)
            }
        };
        AudienceRow { value: value(audience), kind, words, place }
    };
    let open = choices.iter().filter(|(audience, _)| !assigned.audiences.contains(audience));
    let (customer, error) = wish.map(|wish| (wish.customer, wish.error)).unzip();
    Ok(AudiencesPart {
        rows: assigned.audiences.iter().map(row).collect(),
        choices: open.map(|(audience, words)| (value(audience), words.clone())).collect(),
        customer: customer.unwrap_or_default(),
        error,
    })
}
