//! Who works here, and as what.

use super::{
    AdminFrame, FRAME,
    fields::{Field, Kind, Typed},
};
use crate::{
    domain::{
        account::{Account, Post},
        id::UserId,
        policy::StaffRole,
    },
    views::{moment::Moment, render::render},
};
use askama::Template;
use bytes::Bytes;

pub struct StaffRoom<'a> {
    pub people: &'a [Account],
    /// Who looks: their own row has no button.
    pub own: Option<UserId>,
    /// What was typed to invite somebody.
    pub typed: &'a Typed,
}

struct Person<'a> {
    id: String,
    name: &'a str,
    email: String,
    role: &'static str,
    roles: Vec<(&'static str, bool)>,
    active: bool,
    own: bool,
    seen: Option<Moment>,
}

#[derive(Template)]
#[template(path = "admin_staff.html")]
struct Staff<'a> {
    frame: &'a AdminFrame<'a>,
    people: Vec<Person<'a>>,
    fields: Vec<Field<'a>>,
}

pub fn staff(frame: &AdminFrame<'_>, page: &StaffRoom<'_>) -> Bytes {
    let person = |account: &'_ Account| {
        let role = match account.post {
            Post::Staff { role } => role.as_str(),
            Post::Buyer { .. } => "",
        };
        let choice = |one: &StaffRole| (one.as_str(), one.as_str() == role);
        (role, StaffRole::ALL.iter().map(choice).collect::<Vec<_>>())
    };
    let people = page.people.iter().map(|account| {
        let (role, roles) = person(account);
        Person {
            id: account.id.to_string(),
            name: &account.name,
            email: account.email.clone().map(String::from).unwrap_or_default(),
            role,
            roles,
            active: account.active,
            own: page.own == Some(account.id),
            seen: account.logged_in_at.map(Moment::of),
        }
    });
    let words = |role: &StaffRole| (role.as_str().to_owned(), role_words(*role).to_owned());
    let roles = StaffRole::ALL.iter().rev().map(words).collect();
    let line = |name, label| Field::line(page.typed, name, label);
    let fields = vec![
        line("name", "Name").most(100).required(),
        line("email", "Email address").kind(Kind::Line("email", "email")).most(254).required(),
        line("role", "Role").kind(Kind::Choice(roles)),
    ];
    render(&Staff { frame, people: people.collect(), fields }, 2 * FRAME)
}

fn role_words(role: StaffRole) -> &'static str {
    match role {
        StaffRole::Owner => "Owner: everything, and who works here",
        StaffRole::Manager => "Manager: everything else",
        StaffRole::Clerk => "Clerk: orders, stock and customers",
        StaffRole::Viewer => "Viewer: looks, and changes nothing",
    }
}
