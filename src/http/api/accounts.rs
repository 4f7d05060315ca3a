//! `/api/v1/customers`, `/api/v1/me` and what belongs to them: becoming a customer, and what one
//! knows and changes about oneself.

use super::{created, fresh, no_content, sessions::SessionView};
use crate::{
    actors::keepers::{
        accounts::{Invitation, Making, Newcomer},
        sessions::Opened,
    },
    domain::{
        account::{Account, Customer, CustomerKind, Post, Registration},
        id::{CustomerId, UserId},
        policy::{BuyerRole, Right, StaffRole},
        secret::Secret,
        session::{Session, Via},
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        once,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const TAG: &str = "account";
pub(super) const UUID: Takes =
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" };
const USER: Param = Param::new("id", UUID, "The user's id.");

/// Somebody who wants to become a customer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCustomer {
    #[schema(max_length = 100)]
    name: String,
    #[schema(format = "email", max_length = 254)]
    email: String,
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    password: Secret,
    /// Left out by whoever buys for themselves.
    #[serde(default)]
    #[schema(max_length = 100)]
    company: String,
    #[serde(default)]
    #[schema(max_length = 40)]
    tax_number: String,
}

/// Somebody new, logged in.
#[derive(Serialize, ToSchema)]
pub(super) struct BegunAccount {
    /// To be sent as `Authorization: Bearer …`. Told this once: only its hash is kept.
    token: String,
    session: SessionView,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    pub(super) user: UserView,
    /// `null` for the shop's own people.
    #[schema(required)]
    pub(super) customer: Option<CustomerView>,
    /// What one may do here, as this session or key.
    pub(super) rights: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UserView {
    pub(super) id: Uuid,
    pub(super) name: String,
    #[schema(required)]
    pub(super) email: Option<String>,
    /// `admin`, `purchaser` or `viewer` of a customer; `owner`, `manager`, `clerk` or `viewer` of
    /// the shop.
    pub(super) role: &'static str,
    pub(super) active: bool,
    /// Whether the shop doesn't let them in, however `active` they are.
    pub(super) locked: bool,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    pub(super) created_at: String,
    #[schema(required, format = DateTime)]
    pub(super) logged_in_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CustomerView {
    pub(super) id: Uuid,
    pub(super) kind: CustomerKindView,
    pub(super) name: String,
    #[schema(required)]
    pub(super) tax_number: Option<String>,
    /// Whose prices it gets.
    #[schema(required)]
    pub(super) group: Option<Uuid>,
    #[schema(format = DateTime)]
    pub(super) created_at: String,
    /// Since then nothing here names anybody.
    #[schema(required, format = DateTime)]
    pub(super) erased_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CustomerKindView {
    Person,
    Company,
}

/// What is to be otherwise; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MeChange {
    #[schema(max_length = 100)]
    name: Option<String>,
    /// Needs `current_password` beside it.
    #[schema(format = "email", max_length = 254)]
    email: Option<String>,
    #[schema(value_type = Option<String>, format = "password", max_length = 128)]
    current_password: Option<Secret>,
    /// The customer's name; by an administrator of it.
    #[schema(max_length = 100)]
    company: Option<String>,
    #[schema(max_length = 40)]
    tax_number: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    #[schema(value_type = String, format = "password", max_length = 128)]
    current_password: Secret,
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    password: Secret,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ForgottenPassword {
    #[schema(format = "email", max_length = 254)]
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordByLink {
    /// From the mail.
    #[schema(value_type = String, max_length = 100)]
    token: Secret,
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    password: Secret,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    pub(super) items: Vec<UserView>,
}

/// Somebody else who is to act for the customer; they set a password by a mailed link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    #[schema(max_length = 100)]
    pub(super) name: String,
    #[schema(format = "email", max_length = 254)]
    pub(super) email: String,
    #[schema(example = "viewer")]
    pub(super) role: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    #[schema(example = "viewer")]
    pub(super) role: String,
    /// Whether they may come in.
    pub(super) active: bool,
}

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/api/v1/password-resets", password_resets()),
        Resource::new("/api/v1/me", me()),
        Resource::new(
            "/api/v1/me/password",
            [Operation::new(Method::PUT, Access::User(Right::AccountWrite), &[], |a, b| {
                Box::pin(set_password(a, b))
            })
            .takes(Intake::Json)
            .doc(
                Doc::new("set_password", TAG, "Set another password")
                    .about("All other sessions and keys of this user end.")
                    .body(json::<NewPassword>())
                    .bare(204, "It is set.")
                    .problem(Code::TooMany),
            )],
        ),
        Resource::new("/api/v1/me/users", users()),
        Resource::new(
            "/api/v1/me/users/{id}",
            [Operation::new(Method::PUT, Access::Buyer(Right::Users), &[], |a, b| {
                Box::pin(change_user(a, b))
            })
            .takes(Intake::Json)
            .doc(
                Doc::new("change_user", TAG, "Give one of the customer's users another role")
                    .about("Ends that user's sessions.")
                    .place(USER)
                    .body(json::<UserChange>())
                    .bare(204, "It is done.")
                    .problem(Code::Conflict),
            )],
        ),
    ]
}

/// Of `POST /api/v1/customers`, which stands beside what staff does there.
pub(super) fn registration() -> Operation {
    let doc = Doc::new("register_customer", TAG, "Become a customer")
        .about(
            "Makes a customer with one user and logs in. Sent again with the same address and \
             password it logs in only.",
        )
        .body(json::<NewCustomer>())
        .answer(201, "The session of the new customer.", json::<BegunAccount>())
        .problem(Code::Taken)
        .problem(Code::TooMany)
        .problem(Code::Unencrypted);
    Operation::new(Method::POST, Access::Shopper(Right::Sessions), &[], |a, b| {
        Box::pin(register(a, b))
    })
    .takes(Intake::Json)
    .doc(doc)
}

fn password_resets() -> [Operation; 2] {
    let open = Access::Shopper(Right::Sessions);
    let ask = Doc::new("forget_password", TAG, "Have a link mailed to set a password")
        .about("The answer is the same whether there is an account of that address or not.")
        .body(json::<ForgottenPassword>())
        .bare(202, "If there is an account, a mail is on its way.")
        .problem(Code::TooMany);
    let set = Doc::new("reset_password", TAG, "Set a password by a mailed link's token")
        .about("It works once. All sessions and keys of the user end.")
        .body(json::<PasswordByLink>())
        .bare(204, "It is set: log in with it.")
        .problem(Code::NotFound)
        .problem(Code::TooMany)
        .problem(Code::Unencrypted);
    [
        Operation::new(Method::POST, open, &[], |a, b| Box::pin(forget(a, b)))
            .takes(Intake::Json)
            .doc(ask),
        Operation::new(Method::PUT, open, &[], |a, b| Box::pin(reset(a, b)))
            .takes(Intake::Json)
            .doc(set),
    ]
}

fn me() -> [Operation; 2] {
    let show = Doc::new("get_me", TAG, "Who one is").answer(200, "Oneself.", json::<MeView>());
    let change = Doc::new("change_me", TAG, "Change what is known of one")
        .body(json::<MeChange>())
        .answer(200, "Oneself as of now.", json::<MeView>())
        .problem(Code::Taken)
        .problem(Code::TooMany);
    [
        Operation::new(Method::GET, Access::User(Right::AccountRead), &[], |a, b| {
            Box::pin(show_me(a, b))
        })
        .doc(show),
        Operation::new(Method::PATCH, Access::User(Right::AccountWrite), &[], |a, b| {
            Box::pin(change_me(a, b))
        })
        .takes(Intake::Json)
        .doc(change),
    ]
}

fn users() -> [Operation; 2] {
    let access = Access::Buyer(Right::Users);
    let list = Doc::new("list_users", TAG, "Who acts for one's customer").answer(
        200,
        "All of them.",
        json::<UserList>(),
    );
    let invite = Doc::new("invite_user", TAG, "Let somebody act for one's customer")
        .about("They get a mail with a link to set a password.")
        .body(json::<NewUser>())
        .answer(201, "The user.", json::<UserView>())
        .problem(Code::Taken);
    [
        Operation::new(Method::GET, access, &[], |a, b| Box::pin(list_users(a, b))).doc(list),
        Operation::new(Method::POST, access, &[], |a, b| Box::pin(invite_user(a, b)))
            .takes(Intake::Json)
            .once()
            .doc(invite),
    ]
}

async fn register(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    asked.visit.must_be_unheard(&app)?;
    let (whence, from) = (asked.visit.whence(), asked.visit.from());
    let wish: NewCustomer = asked.body.json().await?;
    let registration = Registration {
        name: wish.name,
        email: wish.email,
        password: wish.password,
        company: wish.company,
        tax_number: wish.tax_number,
    };
    let newcomer = Newcomer { registration, before: None, via: Via::Bearer, whence, from };
    let opened = app.accounts.register(newcomer).await?;
    Ok(created(&app, &BegunAccount::of(&opened), "/api/v1/me"))
}

async fn forget(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let from = asked.visit.from();
    let ForgottenPassword { email } = asked.body.json().await?;
    app.accounts.forgot(&email, from.as_deref())?;
    let mut response = no_content(&app);
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

async fn reset(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    asked.visit.must_be_unheard(&app)?;
    let from = asked.visit.from();
    let PasswordByLink { token, password } = asked.body.json().await?;
    app.accounts.reset(&token, password, from.as_deref()).await?;
    Ok(no_content(&app))
}

async fn show_me(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let session = asked.visit.must_have()?;
    Ok(fresh(&app, &me_of(&app, session).await?))
}

pub(super) async fn me_of(app: &App, session: &Session) -> Result<MeView, Problem> {
    let user = session.user().ok_or_else(Problem::not_found)?;
    let account = app.accounts.account(user).await?;
    let customer = match session.principal().customer() {
        Some(id) => Some(CustomerView::of(&app.accounts.customer(id).await?)),
        None => None,
    };
    let rights = session.rights();
    let permissions = session.permissions();
    let rights = rights.iter().map(Right::as_str).collect::<Vec<_>>();
    let names = permissions.iter().map(crate::domain::policy::Permission::as_str);
    Ok(MeView {
        user: UserView::of(&account),
        customer,
        rights: rights.into_iter().chain(names).collect(),
    })
}

async fn change_me(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let session = asked.visit.must_have()?.clone();
    let user = session.user().ok_or_else(Problem::not_found)?;
    let change: MeChange = asked.body.json().await?;
    if change.name.is_some() || change.email.is_some() {
        let account = app.accounts.account(user).await?;
        let email = account.email.map(String::from).unwrap_or_default();
        let (name, email) = (change.name.unwrap_or(account.name), change.email.unwrap_or(email));
        app.accounts.change_account(user, &name, &email, change.current_password).await?;
    }
    if change.company.is_some() || change.tax_number.is_some() {
        let id = session.principal().customer().filter(|_| session.rights().has(Right::Users));
        let id = id.ok_or_else(|| {
            Problem::new(Code::Forbidden, "only an administrator of a customer changes it")
        })?;
        let customer = app.accounts.customer(id).await?;
        let name = change.company.unwrap_or(customer.name);
        let tax_number = change.tax_number.or(customer.tax_number).unwrap_or_default();
        app.accounts.change_customer(id, &name, &tax_number).await?;
    }
    Ok(fresh(&app, &me_of(&app, &session).await?))
}

async fn set_password(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    asked.visit.must_be_unheard(&app)?;
    let session = asked.visit.must_have()?;
    let (id, user) = (session.id, session.user().ok_or_else(Problem::not_found)?);
    let NewPassword { current_password, password } = asked.body.json().await?;
    app.accounts.change_password(user, id, current_password, password).await?;
    Ok(no_content(&app))
}

async fn list_users(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let people = app.accounts.people(Some(asked.visit.must_act_for()?)).await?;
    Ok(fresh(&app, &UserList { items: people.iter().map(UserView::of).collect() }))
}

async fn invite_user(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (customer, by) = (asked.visit.must_act_for()?, asked.visit.must_act()?);
    let key = asked.name()?;
    let (wish, body) = asked.body.json_and_hash().await?;
    let NewUser { name, email, role } = wish;
    let post = Post::Buyer { customer, role: buyer_role(&role)? };
    let answer = |account: &Account| {
        once::made(&UserView::of(account), format!("/api/v1/me/users/{}", account.id))
    };
    let making = Making { name: key, body, answer };
    let invitation = Invitation { name, email, post };
    Ok(once::respond(&app, app.accounts.invite_once(invitation, &by, making).await?))
}

async fn change_user(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (customer, by) = (asked.visit.must_act_for()?, asked.visit.must_act()?);
    let user: UserId = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    let UserChange { role, active } = asked.body.json().await?;
    let post = Post::Buyer { customer, role: buyer_role(&role)? };
    app.accounts.change_post(user, post, active, &by).await?;
    Ok(no_content(&app))
}

fn buyer_role(text: &str) -> Result<BuyerRole, Problem> {
    BuyerRole::parse(text).ok_or_else(|| Problem::field("/role", "admin, purchaser or viewer"))
}

pub(super) fn staff_role(text: &str) -> Result<StaffRole, Problem> {
    StaffRole::parse(text).ok_or_else(|| Problem::field("/role", "owner, manager, clerk or viewer"))
}

impl BegunAccount {
    pub(super) fn of(opened: &Opened) -> Self {
        Self {
            token: opened.token.expose().to_owned(),
            session: SessionView::of(&opened.session, true),
        }
    }
}

impl UserView {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: account.id.0,
            name: account.name.clone(),
            email: account.email.clone().map(String::from),
            role: match account.post {
                Post::Buyer { role, .. } => role.as_str(),
                Post::Staff { role } => role.as_str(),
            },
            active: account.active,
            locked: account.locked_at.is_some(),
            created_at: account.created_at.rfc3339(),
            logged_in_at: account.logged_in_at.map(|at| at.rfc3339()),
        }
    }
}

impl CustomerView {
    pub(super) fn of(customer: &Customer) -> Self {
        Self {
            id: customer.id.0,
            kind: match customer.kind {
                CustomerKind::Person => CustomerKindView::Person,
                CustomerKind::Company => CustomerKindView::Company,
            },
            name: customer.name.clone(),
            tax_number: customer.tax_number.clone(),
            group: customer.group.map(|group| group.0),
            created_at: customer.created_at.rfc3339(),
            erased_at: customer.erased_at.map(|at| at.rfc3339()),
        }
    }
}

/// Of a place in a path.
pub(super) fn customer_id(asked: &Asked) -> Result<CustomerId, Problem> {
    asked.path[0].parse().map_err(|_| Problem::not_found())
}
