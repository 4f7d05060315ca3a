//! `/api/v1/customers`, their groups, and `/api/v1/staff`: for the shop's own people. Becoming a
//! customer is for everybody.

use super::{
    accounts::{
        self, BegunAccount, CustomerView, NewUser, UUID, UserChange, UserList, UserView,
        customer_id, staff_role,
    },
    created, fresh, link_next, no_content,
};
use crate::{
    actors::keepers::accounts::{Invitation, Making, Newcomer},
    domain::{
        account::{Account, CustomerGroup, Post, Registration},
        id::{CustomerGroupId, CustomerId, UserId},
        policy::{Permission, Right},
        secret::Secret,
        session::Via,
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BehindCustomer},
        error::{Code, Problem},
        extract::{Param, Takes},
        once,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/customers";
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Customers at most."),
];
const ID: Param = Param::new("id", UUID, "The customer's id.");
const GROUP: Param = Param::new("id", UUID, "The group's id.");
const PERSON: Param = Param::new("user", UUID, "The user's id.");
const USER: Param = Param::new("id", UUID, "The user's id.");

#[derive(Serialize, ToSchema)]
struct CustomerList {
    items: Vec<CustomerView>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Which group a customer is in; `null` for none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustomerChange {
    #[schema(required)]
    group: Option<Uuid>,
}

/// Whether the shop lets somebody in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LockChange {
    locked: bool,
}

#[derive(Serialize, ToSchema)]
struct CustomerGroupList {
    items: Vec<CustomerGroupView>,
}

/// Customers that get the same prices.
#[derive(Serialize, ToSchema)]
struct CustomerGroupView {
    id: Uuid,
    code: String,
    name: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCustomerGroup {
    /// As price lists name it: letters, digits, `-` and `_`.
    #[schema(min_length = 1, max_length = 40)]
    code: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Who the shop is to belong to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOwner {
    /// From the link.
    #[schema(value_type = String, max_length = 100)]
    token: Secret,
    #[schema(max_length = 100)]
    name: String,
    #[schema(format = "email", max_length = 254)]
    email: String,
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    password: Secret,
}

pub(super) fn resources() -> Vec<Resource> {
    let (read, write) =
        (Access::Staff(Permission::CustomersRead), Access::Staff(Permission::CustomersWrite));
    let tag = "customers";
    let list = Doc::new("list_customers", tag, "Customers, the oldest first").answer(
        200,
        "Some customers.",
        json::<CustomerList>(),
    );
    let one = Doc::new("get_customer", tag, "One customer").place(ID).answer(
        200,
        "The customer.",
        json::<CustomerView>(),
    );
    let change = Doc::new("change_customer", tag, "Put a customer into a group")
        .place(ID)
        .body(json::<CustomerChange>())
        .answer(200, "The customer as it is now.", json::<CustomerView>());
    let people = Doc::new("list_customer_users", tag, "Who acts for a customer").place(ID).answer(
        200,
        "All of them.",
        json::<UserList>(),
    );
    vec![
        Resource::new(
            ADDRESS,
            [
                Operation::new(Method::GET, read, LIST, |a, b| Box::pin(show_list(a, b))).doc(list),
                accounts::registration(),
            ],
        ),
        Resource::new(
            "/api/v1/customers/{id}",
            [
                Operation::new(Method::GET, read, &[], |a, b| Box::pin(show(a, b))).doc(one),
                Operation::new(Method::PATCH, write, &[], |a, b| Box::pin(change_one(a, b)))
                    .takes(Intake::Json)
                    .doc(change),
            ],
        ),
        Resource::new(
            "/api/v1/customers/{id}/users",
            [Operation::new(Method::GET, read, &[], |a, b| Box::pin(show_people(a, b)))
                .doc(people)],
        ),
        Resource::new("/api/v1/customers/{id}/users/{user}", [lock(write)]),
        Resource::new("/api/v1/customer-groups", groups(read, write)),
        Resource::new(
            "/api/v1/customer-groups/{id}",
            [Operation::new(Method::PUT, write, &[], |a, b| Box::pin(put_group(a, b)))
                .takes(Intake::Json)
                .doc(
                    Doc::new("put_customer_group", tag, "Write a group anew")
                        .place(GROUP)
                        .body(json::<NewCustomerGroup>())
                        .answer(200, "The group as it is now.", json::<CustomerGroupView>())
                        .problem(Code::Taken),
                )],
        ),
        Resource::new("/api/v1/staff", staff()),
        Resource::new("/api/v1/setup", [set_up()]),
        Resource::new(
            "/api/v1/staff/{id}",
            [Operation::new(Method::PUT, Access::Staff(Permission::StaffWrite), &[], |a, b| {
                Box::pin(change_staff(a, b))
            })
            .takes(Intake::Json)
            .doc(
                Doc::new("change_staff", "staff", "Give one of the staff another role")
                    .about("Ends that user's sessions.")
                    .place(USER)
                    .body(json::<UserChange>())
                    .bare(204, "It is done.")
                    .problem(Code::Conflict),
            )],
        ),
    ]
}

fn lock(write: Access) -> Operation {
    let doc = Doc::new(
        "change_customer_user",
        "customers",
        "Lock somebody out, or let them in again",
    )
    .about(
        "Ends their sessions and keys, which stay ended. They are told no more than who mistyped \
             a password; their own customer can't let them in.",
    )
    .place(ID)
    .place(PERSON)
    .body(json::<LockChange>())
    .bare(204, "It is done.");
    Operation::new(Method::PATCH, write, &[], |a, b| Box::pin(lock_out(a, b)))
        .takes(Intake::Json)
        .doc(doc)
}

fn groups(read: Access, write: Access) -> [Operation; 2] {
    let tag = "customers";
    let list = Doc::new("list_customer_groups", tag, "Groups of customers").answer(
        200,
        "All of them.",
        json::<CustomerGroupList>(),
    );
    let add = Doc::new("add_customer_group", tag, "Make a group of customers")
        .body(json::<NewCustomerGroup>())
        .answer(201, "The group.", json::<CustomerGroupView>())
        .problem(Code::Taken);
    [
        Operation::new(Method::GET, read, &[], |a, b| Box::pin(show_groups(a, b))).doc(list),
        Operation::new(Method::POST, write, &[], |a, b| Box::pin(add_group(a, b)))
            .takes(Intake::Json)
            .once()
            .doc(add),
    ]
}

fn staff() -> [Operation; 2] {
    let access = Access::Staff(Permission::StaffWrite);
    let list = Doc::new("list_staff", "staff", "Who works in the shop").answer(
        200,
        "All of them.",
        json::<UserList>(),
    );
    let invite = Doc::new("invite_staff", "staff", "Let somebody work in the shop")
        .about("They get a mail with a link to set a password.")
        .body(json::<NewUser>())
        .answer(201, "The user.", json::<UserView>())
        .problem(Code::Taken);
    [
        Operation::new(Method::GET, access, &[], |a, b| Box::pin(show_staff(a, b))).doc(list),
        Operation::new(Method::POST, access, &[], |a, b| Box::pin(invite_staff(a, b)))
            .takes(Intake::Json)
            .once()
            .doc(invite),
    ]
}

fn set_up() -> Operation {
    let doc = Doc::new("set_up", "staff", "Become the shop's owner")
        .about(
            "By the token of the link that a shop without staff shows as it starts. It works once; \
             each start makes another.",
        )
        .body(json::<NewOwner>())
        .answer(201, "The owner's session.", json::<BegunAccount>())
        .problem(Code::NotFound)
        .problem(Code::Taken)
        .problem(Code::TooMany)
        .problem(Code::Unencrypted);
    Operation::new(Method::POST, Access::Shopper(Right::Sessions), &[], |a, b| {
        Box::pin(become_owner(a, b))
    })
    .takes(Intake::Json)
    .doc(doc)
}

async fn become_owner(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    asked.visit.must_be_unheard(&app)?;
    let (whence, from) = (asked.visit.whence(), asked.visit.from());
    let NewOwner { token, name, email, password } = asked.body.json().await?;
    let (company, tax_number) = (String::new(), String::new());
    let registration = Registration { name, email, password, company, tax_number };
    let newcomer = Newcomer { registration, before: None, via: Via::Bearer, whence, from };
    let opened = app.accounts.set_up(&token, newcomer).await?;
    Ok(created(&app, &BegunAccount::of(&opened), "/api/v1/me"))
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let limit = asked.query.size("limit");
    let after = asked.query.text("after");
    let after = after.map(|text| cursor::read::<BehindCustomer>("after", text)).transpose()?;
    let after = after.map(|place| CustomerId(place.0));
    let mut found = app.accounts.customers(after, limit as u32 + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = match found.last() {
        Some(last) if more => Some(cursor::write(BehindCustomer(last.id.0))),
        _ => None,
    };
    let items = found.iter().map(CustomerView::of).collect();
    let mut response = fresh(&app, &CustomerList { items, next: next.clone() });
    link_next(&mut response, ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let customer = app.accounts.customer(customer_id(&asked)?).await?;
    Ok(fresh(&app, &CustomerView::of(&customer)))
}

async fn show_people(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = customer_id(&asked)?;
    app.accounts.customer(id).await?;
    let people = app.accounts.people(Some(id)).await?;
    Ok(fresh(&app, &UserList { items: people.iter().map(UserView::of).collect() }))
}

async fn lock_out(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (customer_id(&asked)?, asked.visit.must_act()?);
    let user: UserId = asked.path[1].parse().map_err(|_| Problem::not_found())?;
    let LockChange { locked } = asked.body.json().await?;
    app.accounts.set_locked(id, user, locked, &by).await?;
    Ok(no_content(&app))
}

async fn change_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (customer_id(&asked)?, asked.visit.must_act()?);
    let CustomerChange { group } = asked.body.json().await?;
    app.accounts.set_group(id, group.map(CustomerGroupId), &by).await?;
    let customer = app.accounts.customer(id).await?;
    Ok(fresh(&app, &CustomerView::of(&customer)))
}

async fn show_groups(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    let groups = app.accounts.groups().await?;
    let items = groups.into_iter().map(Into::into).collect();
    Ok(fresh(&app, &CustomerGroupList { items }))
}

async fn add_group(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (by, key) = (asked.visit.must_act()?, asked.name()?);
    let (wish, body) = asked.body.json_and_hash().await?;
    let NewCustomerGroup { code, name } = wish;
    let answer = |group: &CustomerGroup| {
        let place = format!("/api/v1/customer-groups/{}", group.id);
        once::made(&CustomerGroupView::from(group.clone()), place)
    };
    let making = Making { name: key, body, answer };
    Ok(once::respond(&app, app.accounts.add_group(&code, &name, &by, making).await?))
}

async fn put_group(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let by = asked.visit.must_act()?;
    let id: CustomerGroupId = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    let NewCustomerGroup { code, name } = asked.body.json().await?;
    let group = app.accounts.put_group(id, &code, &name, &by).await?;
    Ok(fresh(&app, &CustomerGroupView::from(group)))
}

async fn show_staff(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    let people = app.accounts.people(None).await?;
    Ok(fresh(&app, &UserList { items: people.iter().map(UserView::of).collect() }))
}

async fn invite_staff(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (by, key) = (asked.visit.must_act()?, asked.name()?);
    let (wish, body) = asked.body.json_and_hash().await?;
    let NewUser { name, email, role } = wish;
    let post = Post::Staff { role: staff_role(&role)? };
    let answer = |account: &Account| {
        once::made(&UserView::of(account), format!("/api/v1/staff/{}", account.id))
    };
    let making = Making { name: key, body, answer };
    let invitation = Invitation { name, email, post };
    Ok(once::respond(&app, app.accounts.invite_once(invitation, &by, making).await?))
}

async fn change_staff(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let by = asked.visit.must_act()?;
    let user: UserId = asked.path[0].parse().map_err(|_| Problem::not_found())?;
    let UserChange { role, active } = asked.body.json().await?;
    let post = Post::Staff { role: staff_role(&role)? };
    app.accounts.change_post(user, post, active, &by).await?;
    Ok(no_content(&app))
}

impl From<CustomerGroup> for CustomerGroupView {
    fn from(group: CustomerGroup) -> Self {
        Self { id: group.id.0, code: group.code, name: group.name }
    }
}
