//! `/admin`: the rooms of the shop's own people.
//!
//! Each room names the permission it is for; the navigation shows those that whoever asks has. Who
//! isn't signed in is led to where they can be, and back; who is and may not is told so. A change
//! is asked for with the version that was seen, and goes through the same keepers as the API's, so
//! the same rules hold and the same lines stand in the audit log.

mod customers;
mod home;
mod orders;
mod people;
mod products;
mod quotes;
mod rules;
mod staff;

use crate::{
    domain::{account::Post, policy::Permission, rule::RuleKind, time::Micros},
    http::{
        access::Access,
        app::App,
        error::{Code, FieldError, Problem},
        extract::Query,
        personal::{html, sentence},
        resource::{Asked, Resource},
    },
    views::{
        Shell,
        admin::{AdminFrame, RoomLink, rules_place},
    },
};
use bytes::Bytes;
use http::StatusCode;
use std::sync::Arc;
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    [
        home::resources(),
        orders::resources(),
        quotes::resources(),
        products::resources(),
        rules::resources(),
        customers::resources(),
        staff::resources(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is in the navigation: its name, its address, and whom it is for.
const ROOMS: &[(&str, &str, Permission)] = &[
    ("Overview", home::HERE, home::NEEDS),
    ("Orders", orders::HERE, Permission::OrdersRead),
    ("Quotes", quotes::HERE, Permission::OrdersRead),
    ("Products", products::HERE, Permission::CatalogueRead),
    ("Price lists", rules_place(RuleKind::PriceList), rules::NEEDS),
    ("Coupons", rules_place(RuleKind::Coupon), rules::NEEDS),
    ("Shipping", rules_place(RuleKind::Shipping), rules::NEEDS),
    ("Taxes", rules_place(RuleKind::Tax), rules::NEEDS),
    ("Customers", customers::HERE, Permission::CustomersRead),
    ("Staff", staff::HERE, staff::NEEDS),
];

fn may(asked: &Asked, permission: Permission) -> bool {
    asked.visit.admit(Access::Staff(permission)).is_ok()
}

fn field_error(field: &str, detail: &str) -> FieldError {
    let pointer = Some(format!("/{field}"));
    FieldError { pointer, detail: detail.to_owned(), ..FieldError::default() }
}

/// What is wrong, by the fields of the form it was typed into.
fn errors_by_field(problem: &Problem) -> Vec<(String, String)> {
    let error = |error: &FieldError| {
        let field = error.pointer.as_deref().unwrap_or_default().trim_start_matches('/');
        // A category is chosen whole where a row has its way from the root.
        let field = if field == "categories" { "category" } else { field };
        (field.to_owned(), sentence(&error.detail))
    };
    problem.errors.iter().map(error).collect()
}

/// The same question of a list, from the start or behind a place.
fn address(here: &str, query: &Query, after: Option<&str>) -> String {
    let query = query.address();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let after = after.map(|after| format!("after={after}"));
    let pairs: Vec<_> = kept.map(str::to_owned).chain(after).collect();
    if pairs.is_empty() { here.to_owned() } else { format!("{here}?{}", pairs.join("&")) }
}

/// A page on its way: what is around it, and how it is answered.
struct Shown {
    shell: Arc<Shell>,
    form_token: String,
    who: Option<String>,
    role: &'static str,
    rooms: Vec<RoomLink>,
    closed: Option<Micros>,
    done: Option<&'static str>,
    error: Option<String>,
    status: StatusCode,
}

impl Shown {
    /// A page of the room at `here`.
    async fn new(app: &App, asked: &mut Asked, here: &str) -> Result<Self, Problem> {
        let (mut who, mut role) = (None, "operator");
        if let Some(user) = asked.visit.session().and_then(|session| session.user()) {
            let account = app.accounts.account(user).await?;
            if let Post::Staff { role: own } = account.post {
                role = own.as_str();
            }
            who = Some(account.name);
        }
        let open = ROOMS.iter().filter(|(_, _, permission)| may(asked, *permission));
        let rooms = open.map(|(words, href, _)| RoomLink { words, href, here: *href == here });
        Ok(Self {
            shell: app.shell().1,
            rooms: rooms.collect(),
            form_token: asked.visit.form_token(app),
            who,
            role,
            closed: app.door.closed().map(|closed| closed.until),
            done: None,
            error: None,
            status: StatusCode::OK,
        })
    }

    fn done(self, done: Option<&'static str>) -> Self {
        Self { done, ..self }
    }

    /// The page again, with what could not be done. What isn't about the wish itself is no page of
    /// the room's.
    fn failed(self, problem: Problem) -> Result<Self, Problem> {
        let told = match problem.code {
            Code::PreconditionFailed => {
                "Somebody changed it while you looked, so nothing was done. This is how it is now; \
                 going back shows what you typed."
                    .to_owned()
            }
            Code::Conflict | Code::BadContent | Code::BadParameter | Code::Taken => {
                let errors: Vec<_> = problem.errors.iter().map(|e| sentence(&e.detail)).collect();
                match errors.is_empty() {
                    true => sentence(&problem.detail),
                    false => errors.join(" "),
                }
            }
            _ => return Err(problem),
        };
        Ok(Self { error: Some(told), status: problem.code.status(), ..self })
    }

    fn frame<'a>(&'a self, title: &'a str) -> AdminFrame<'a> {
        AdminFrame {
            shell: &self.shell,
            title,
            form_token: &self.form_token,
            who: self.who.as_deref(),
            role: self.role,
            rooms: &self.rooms,
            closed: self.closed,
            done: self.done,
            error: self.error.as_deref(),
        }
    }

    fn answer(&self, app: &App, asked: &Asked, page: Bytes) -> Response {
        html(app, asked, self.status, page)
    }
}
