//! Rooms of what staff says about selling: taxes, ways of shipping, coupons, price lists.
//!
//! All kinds are listed, made, changed and dropped alike, as in the API ([`Family`]), whose reading
//! a form goes through: here it is only said which field is meant by which place in a body. A new
//! one's id is in its form, so a form that is sent twice makes one.

mod audiences;
mod coupons;
mod fields;
mod price_lists;
mod prices;
mod shipping;
mod taxes;

use super::{Shown, address, field_error, may};
use crate::{
    domain::{
        id::CouponId,
        policy::Permission,
        rule::{Rule, StoredRule},
    },
    http::{
        access::Access,
        api::rules::{Family, absent, refused},
        app::App,
        cursor::{self, BehindRule},
        error::{Code, Problem},
        extract::{Param, Takes},
        form::Form,
        personal::see_other,
        resource::{Asked, Operation, Resource},
    },
    ports::rules::RuleWritten,
    views::admin::{self as views, RuleRoom, RulesRoom, Typed, rules_place},
};
use std::sync::Arc;
use uuid::Uuid;
use warp::reply::Response;

pub(super) const NEEDS: Permission = Permission::PricesRead;
const READ: Access = Access::Staff(NEEDS);
const WRITE: Access = Access::Staff(Permission::PricesWrite);

/// Rules of one page.
const PAGE: usize = 50;
const AFTER: Param = Param::new(
    "after",
    Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
    "Where to go on.",
);
const DONE: Param = Param::new("done", Takes::OneOf(DEEDS), "What was just done.");
const DEEDS: &[&str] = &["made", "saved", "dropped", "for", "prices"];
const LIST: &[Param] = &[AFTER, DONE];

/// A kind of rules as its room has it.
trait Room: Family {
    /// Its list, a new one, one that is there, and where that is dropped.
    const PLACES: [&'static str; 4];
    /// What one says that is taken for another's: the field, and the sentence.
    const TAKEN: (&'static str, &'static str);

    /// What a form says; `before` as the page showed it.
    fn draft(form: &Form, before: Option<&Self>) -> Result<Self::Draft, Problem>;
    /// What stands in the form's fields.
    fn values(&self) -> Values;
    /// The same of one that is new, until somebody says more.
    fn blank(app: &App) -> Values;
    /// The field that is meant by a place in a body.
    fn field(pointer: &str) -> &str;
}

type Values = Vec<(&'static str, String)>;

pub(super) fn resources() -> Vec<Resource> {
    [taxes::resources(), shipping::resources(), coupons::resources(), price_lists::resources()]
        .into_iter()
        .flatten()
        .collect()
}

fn room<R: Room>(one: &'static [Param]) -> Vec<Resource> {
    let [list, new, place, drop] = R::PLACES;
    vec![
        Resource::new(
            list,
            [
                Operation::personal(READ, LIST, |a, b| Box::pin(show_all::<R>(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(make::<R>(a, b))),
            ],
        ),
        Resource::new(
            place,
            [
                Operation::personal(READ, one, |a, b| Box::pin(show::<R>(a, b))),
                Operation::form(WRITE, |a, b| Box::pin(save::<R>(a, b))),
            ],
        ),
        Resource::new(drop, [Operation::form(WRITE, |a, b| Box::pin(drop_it::<R>(a, b)))]),
        // The last one is tried first, and `new` is no id.
        Resource::new(new, [Operation::personal(WRITE, &[], |a, b| Box::pin(fresh::<R>(a, b)))]),
    ]
}

fn done(asked: &Asked) -> Option<&'static str> {
    asked.query.optional("done").map(|done| match done {
        "made" => "It is made.",
        "dropped" => "It is gone.",
        "for" => "Whom it is for is saved.",
        "prices" => "The prices are saved.",
        _ => "It is saved and holds from now on.",
    })
}

async fn show_all<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let here = rules_place(R::KIND);
    let after = match asked.query.text("after") {
        Some(text) => Some(cursor::read::<BehindRule>("after", text)?.of(R::KIND)?),
        None => None,
    };
    let mut rules = app.rules.list(R::KIND, after, PAGE as u32 + 1).await?;
    let more = rules.len() > PAGE;
    rules.truncate(PAGE);
    let last = rules.last().filter(|_| more);
    let next = last.map(|last| cursor::write(BehindRule::new(R::KIND, last.rule.id())));
    let next = next.map(|next| address(here, &asked.query, Some(&next)));
    let done = done(&asked);
    let shown = Shown::new(&app, &mut asked, here).await?.done(done);
    let room = RulesRoom {
        kind: R::KIND,
        rules: &rules,
        now: app.clock.now(),
        is_first: after.is_none(),
        first: here,
        next: next.as_deref(),
        may_change: may(&asked, Permission::PricesWrite),
    };
    Ok(shown.answer(&app, &asked, views::rules(&shown.frame(views::rules_title(R::KIND)), &room)))
}

fn id<R: Room>(asked: &Asked) -> Result<Uuid, Problem> {
    asked.path[0].parse().map_err(|_| absent(R::NAME))
}

async fn find<R: Room>(app: &App, asked: &Asked) -> Result<StoredRule, Problem> {
    let stored = app.rules.get(R::KIND, id::<R>(asked)?).await?;
    stored.ok_or_else(|| absent(R::NAME))
}

fn values<R: Room>(stored: &StoredRule) -> Values {
    R::of(stored).map(|view| view.values()).unwrap_or_default()
}

/// What was typed that could not be kept, to be shown once more.
#[derive(Default)]
struct Wishes {
    details: Option<Typed>,
    audience: Option<audiences::Wish>,
    prices: Option<prices::Wish>,
}

async fn fresh<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let shown = Shown::new(&app, &mut asked, rules_place(R::KIND)).await?;
    let typed = Typed { values: R::blank(&app), errors: Vec::new() };
    Ok(blank::<R>(&app, &asked, shown, app.ids.next(), &typed))
}

fn blank<R: Room>(app: &App, asked: &Asked, shown: Shown, id: Uuid, typed: &Typed) -> Response {
    let room = RuleRoom {
        kind: R::KIND,
        stored: None,
        id,
        typed,
        may_change: true,
        used: None,
        list: None,
    };
    shown.answer(app, asked, views::rule(&shown.frame(views::rule_new(R::KIND)), &room))
}

async fn make<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let unreadable = || Problem::new(Code::BadContent, "the form has no id");
    let id: Uuid = asked.form.text("id").parse().map_err(|_| unreadable())?;
    let here = rules_place(R::KIND);
    match put::<R>(&app, &asked, id, None).await {
        Ok(()) => Ok(see_other(&format!("{here}/{id}?done=made"))),
        Err(problem) => {
            let typed = typed::<R>(&asked.form, R::blank(&app), &problem);
            let shown = Shown::new(&app, &mut asked, here).await?.failed(problem)?;
            Ok(blank::<R>(&app, &asked, shown, id, &typed))
        }
    }
}

async fn show<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let stored = find::<R>(&app, &asked).await?;
    let done = done(&asked);
    let shown = Shown::new(&app, &mut asked, rules_place(R::KIND)).await?.done(done);
    page::<R>(&app, &asked, shown, stored, Wishes::default()).await
}

async fn save<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let stored = find::<R>(&app, &asked).await?;
    let (id, here) = (stored.rule.id(), rules_place(R::KIND));
    match put::<R>(&app, &asked, id, Some(&stored)).await {
        Ok(()) => Ok(see_other(&format!("{here}/{id}?done=saved"))),
        Err(problem) => {
            let stale = problem.code == Code::PreconditionFailed;
            let typed = typed::<R>(&asked.form, values::<R>(&stored), &problem);
            let shown = Shown::new(&app, &mut asked, here).await?.failed(problem)?;
            let stored = find::<R>(&app, &asked).await?;
            // What somebody else changed meanwhile is shown, not what was typed before it was known.
            let wishes = Wishes { details: (!stale).then_some(typed), ..Wishes::default() };
            page::<R>(&app, &asked, shown, stored, wishes).await
        }
    }
}

async fn drop_it<R: Room>(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (who, stored) = (asked.visit.must_act()?, find::<R>(&app, &asked).await?);
    let (id, here) = (stored.rule.id(), rules_place(R::KIND));
    let problem = if asked.form.has("sure") {
        let version = version(&asked.form)?;
        match app.rules.drop(&who, R::KIND, id, Some(version)).await? {
            RuleWritten::Dropped => return Ok(see_other(&format!("{here}?done=dropped"))),
            other => refused(other, R::NAME),
        }
    } else {
        Problem::new(Code::BadContent, "tick that you are sure: there is no way back")
    };
    let shown = Shown::new(&app, &mut asked, here).await?.failed(problem)?;
    page::<R>(&app, &asked, shown, stored, Wishes::default()).await
}

/// The version that was seen.
fn version(form: &Form) -> Result<i64, Problem> {
    let none = || Problem::new(Code::BadContent, "the form has no version");
    form.text("version").parse().map_err(|_| none())
}

/// Makes or changes one by what the form says.
async fn put<R: Room>(
    app: &App,
    asked: &Asked,
    id: Uuid,
    stored: Option<&StoredRule>,
) -> Result<(), Problem> {
    let who = asked.visit.must_act()?;
    let if_version = match stored {
        None => 0,
        // Judged here too, so that nobody is told to mend a form that is no use any more.
        Some(stored) if version(&asked.form)? == stored.version => stored.version,
        Some(stored) => return Err(refused(RuleWritten::Stale(stored.version), R::NAME)),
    };
    let mut rule = read::<R>(&asked.form, stored, id)?;
    if let (Rule::PriceList(new), Some(Rule::PriceList(old))) =
        (&mut rule, stored.map(|stored| &stored.rule))
    {
        // Said by a form of its own.
        new.audiences.clone_from(&old.audiences);
    }
    match app.rules.put(&who, rule.clone(), Some(if_version)).await? {
        RuleWritten::Put(_) => Ok(()),
        RuleWritten::Taken => {
            let (field, told) = R::TAKEN;
            let errors = vec![field_error(field, told)];
            Err(Problem { errors, ..Problem::new(Code::Taken, told) })
        }
        // The form was sent twice.
        RuleWritten::Stale(_) if stored.is_none() => {
            match app.rules.get(R::KIND, id).await?.is_some_and(|made| made.rule == rule) {
                true => Ok(()),
                false => Err(Problem::new(
                    Code::Conflict,
                    "it was made already: look for it in the list",
                )),
            }
        }
        other => Err(refused(other, R::NAME)),
    }
}

fn read<R: Room>(form: &Form, stored: Option<&StoredRule>, id: Uuid) -> Result<Rule, Problem> {
    let before = stored.and_then(R::of);
    R::rule(R::draft(form, before.as_ref())?, id)
}

/// What was typed into the fields of `shown`, and what is wrong with it.
fn typed<R: Room>(form: &Form, shown: Values, problem: &Problem) -> Typed {
    let values = shown.into_iter().map(|(name, _)| (name, form.text(name).to_owned())).collect();
    let error = |(pointer, told): (String, String)| (R::field(&pointer).to_owned(), told);
    Typed { values, errors: super::errors_by_field(problem).into_iter().map(error).collect() }
}

async fn page<R: Room>(
    app: &App,
    asked: &Asked,
    shown: Shown,
    stored: StoredRule,
    wishes: Wishes,
) -> Result<Response, Problem> {
    let as_it_is = || Typed { values: values::<R>(&stored), errors: Vec::new() };
    let typed = wishes.details.unwrap_or_else(as_it_is);
    let used = match &stored.rule {
        Rule::Coupon(coupon) => Some(app.rules.coupon_uses(CouponId(coupon.id.0)).await?.by_anyone),
        _ => None,
    };
    let list = match &stored.rule {
        Rule::PriceList(assigned) => {
            Some(price_lists::parts(app, asked, assigned, wishes.audience, wishes.prices).await?)
        }
        _ => None,
    };
    let room = RuleRoom {
        kind: R::KIND,
        stored: Some(&stored),
        id: stored.rule.id(),
        typed: &typed,
        may_change: may(asked, Permission::PricesWrite),
        used,
        list: list.as_ref(),
    };
    let title = views::rule_name(&stored.rule);
    Ok(shown.answer(app, asked, views::rule(&shown.frame(&title), &room)))
}
