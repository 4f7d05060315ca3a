//! A customer's data, handed out and taken out on request.

use super::{
    accounts::{CustomerView, UserView, customer_id},
    addresses::AddressView,
    fresh, no_content,
    sessions::SessionView,
};
use crate::{
    domain::{
        id::CustomerId,
        policy::{Permission, Right},
        secret::Secret,
    },
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::Param,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const ID: Param = Param::new("id", super::accounts::UUID, "The customer's id.");

/// All that is kept of a customer and names somebody.
#[derive(Serialize, ToSchema)]
struct CustomerExport {
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    made_at: String,
    customer: CustomerView,
    users: Vec<ExportedUser>,
    addresses: Vec<AddressView>,
}

#[derive(Serialize, ToSchema)]
struct ExportedUser {
    user: UserView,
    /// Where they are logged in, and their keys; never a token.
    sessions: Vec<SessionView>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Farewell {
    /// One's own, as there is no way back.
    #[schema(value_type = String, format = "password", max_length = 128)]
    password: Secret,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "privacy";
    let shape = || json::<CustomerExport>();
    let own = Doc::new("export_me", tag, "All that is kept of one's customer").answer(
        200,
        "Everything that names somebody.",
        shape(),
    );
    let leave = Doc::new("erase_me", tag, "Be forgotten")
        .about(
            "Takes out all that names the customer and its users, and ends their sessions; what \
             the books need stays without a name. There is no way back.",
        )
        .body(json::<Farewell>())
        .bare(204, "It is done.")
        .problem(Code::TooMany)
        .problem(Code::Unencrypted);
    let of = Doc::new("export_customer", tag, "All that is kept of a customer").place(ID).answer(
        200,
        "Everything that names somebody.",
        shape(),
    );
    let erase = Doc::new("erase_customer", tag, "Forget a customer")
        .about("As `erase_me`, at their request.")
        .place(ID)
        .bare(204, "It is done.");
    vec![
        Resource::new(
            "/api/v1/me/export",
            [Operation::new(Method::GET, Access::Buyer(Right::Users), &[], |a, b| {
                Box::pin(export_own(a, b))
            })
            .doc(own)],
        ),
        Resource::new(
            "/api/v1/me/erase",
            [Operation::new(Method::POST, Access::Buyer(Right::Users), &[], |a, b| {
                Box::pin(erase_own(a, b))
            })
            .takes(Intake::Json)
            .doc(leave)],
        ),
        Resource::new(
            "/api/v1/customers/{id}/export",
            [Operation::new(Method::GET, Access::Staff(Permission::CustomersRead), &[], |a, b| {
                Box::pin(export_one(a, b))
            })
            .doc(of)],
        ),
        Resource::new(
            "/api/v1/customers/{id}/erase",
            [Operation::new(
                Method::POST,
                Access::Staff(Permission::CustomersWrite),
                &[],
                |a, b| Box::pin(erase_one(a, b)),
            )
            .doc(erase)],
        ),
    ]
}

async fn export_own(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    export(&app, asked.visit.must_act_for()?).await
}

async fn export_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    export(&app, customer_id(&asked)?).await
}

/// As a file to keep; pages offer the same.
pub(crate) async fn export(app: &App, id: CustomerId) -> Result<Response, Problem> {
    let customer = CustomerView::of(&app.accounts.customer(id).await?);
    let mut users = Vec::new();
    for account in app.accounts.people(Some(id)).await? {
        let sessions = app.visitors.list(account.id).await?;
        users.push(ExportedUser {
            user: UserView::of(&account),
            sessions: sessions.iter().map(|session| SessionView::of(session, false)).collect(),
        });
    }
    let addresses = app.accounts.addresses(id).await?;
    let export = CustomerExport {
        made_at: app.clock.now().rfc3339(),
        customer,
        users,
        addresses: addresses.iter().map(AddressView::of).collect(),
    };
    let mut response = fresh(app, &export);
    let name = format!("attachment; filename=\"customer-{id}.json\"");
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn erase_own(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    asked.visit.must_be_unheard(&app)?;
    let by = asked.visit.must_act()?;
    let Farewell { password } = asked.body.json().await?;
    app.accounts.erase_own(&by, password).await?;
    Ok(no_content(&app))
}

async fn erase_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, by) = (customer_id(&asked)?, asked.visit.must_act()?);
    app.accounts.erase(id, &by).await?;
    Ok(no_content(&app))
}
