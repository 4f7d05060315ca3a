//! `/api/v1/card-tokens` and what payment providers tell of their own accord.

use super::fresh;
use crate::{
    domain::{payment::Card, policy::Right},
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        extract::{Param, Takes},
        headers,
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::reply::Response;

const PROVIDER: Param = Param::new("provider", Takes::Text { most: 40 }, "The provider's name.");

/// A card as it is typed. Nothing of it is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCard {
    #[schema(max_length = 40, example = "4242 4242 4242 4242")]
    number: String,
    /// Month and year.
    #[schema(max_length = 10, example = "09/31")]
    expiry: String,
    /// The security code.
    #[schema(max_length = 4, example = "123")]
    code: String,
}

/// What stands for a card at its provider.
#[derive(Serialize, ToSchema)]
struct CardToken {
    provider: &'static str,
    token: String,
}

/// What a provider tells; its form is the provider's own.
#[derive(Deserialize, ToSchema)]
struct ProviderWebhook {}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "payments";
    let token = Doc::new("make_card_token", tag, "Put a token in a card's place")
        .about("Only where the shop takes test cards. An order is paid with the token.")
        .body(json::<NewCard>())
        .answer(200, "What stands for the card.", json::<CardToken>())
        .problem(Code::NotFound);
    let webhook = Doc::new("hear_provider", tag, "Hear what a payment provider tells")
        .about(
            "For payment providers, who sign it (Standard Webhooks). Answered once it is \
             committed; told again it changes nothing.",
        )
        .place(PROVIDER)
        .body(json::<ProviderWebhook>())
        .bare(204, "It is known.")
        .problem(Code::NotFound);
    vec![
        Resource::new(
            "/api/v1/card-tokens",
            [Operation::new(Method::POST, Access::Shopper(Right::OrdersWrite), &[], |a, b| {
                Box::pin(tokenise(a, b))
            })
            .takes(Intake::Json)
            .doc(token)],
        ),
        Resource::new(
            "/api/v1/webhooks/payments/{provider}",
            [Operation::new(Method::POST, Access::Signed, &[], |a, b| Box::pin(hear(a, b)))
                .takes(Intake::Json)
                .doc(webhook)],
        ),
    ]
}

async fn tokenise(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let no_cards = || Problem::new(Code::NotFound, "this shop takes no cards on a form of its own");
    let cards = app.cards.as_ref().ok_or_else(no_cards)?;
    let NewCard { number, expiry, code } = asked.body.json().await?;
    let wrong = |error: crate::domain::payment::CardError| {
        Problem::field(&format!("/{}", error.field()), error.to_string())
    };
    let card = Card::read(&number, &expiry, &code, app.clock.now()).map_err(wrong)?;
    let token = cards.form.tokenise(&card).map_err(wrong)?;
    Ok(fresh(&app, &CardToken { provider: cards.provider, token: token.expose().to_owned() }))
}

async fn hear(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let body = asked.body.whole().await?;
    app.till.heard(&asked.path[0], &asked.headers, &body).await.map_err(|error| match error {
        crate::actors::keepers::till::TillError::NoProvider(_) => Problem::not_found(),
        other => other.into(),
    })?;
    let mut response = Response::new(Vec::new().into());
    *response.status_mut() = StatusCode::NO_CONTENT;
    *response.headers_mut() = headers::of_data(&app.config);
    Ok(response)
}
