//! `/api/v1/checkout`: what an order would be, before there is one.

use super::{
    fresh,
    orders::{CheckoutBody, ReviewView, ShippingQuotes},
};
use crate::{
    domain::{payment::InvoiceTerms, policy::Right, principal::Principal},
    http::{
        access::Access,
        app::App,
        error::{Code, Problem},
        openapi::{Doc, json},
        resource::{Asked, Intake, Operation, Resource},
    },
};
use http::Method;
use std::sync::Arc;
use warp::reply::Response;

pub(super) fn resources() -> Vec<Resource> {
    let tag = "orders";
    let review = Doc::new("review_order", tag, "What an order would be")
        .about(
            "Lines at today's prices, what can be chosen for sending them, tax, and what it all \
             comes to, with a `hash` that stands for it. Nothing is kept or held. Where ways of \
             sending are laid down one must be chosen: `POST /api/v1/checkout/shipping` lists them.",
        )
        .body(json::<CheckoutBody>())
        .answer(200, "What it would be.", json::<ReviewView>())
        .problem(Code::NotFound)
        .problem(Code::ReviewChanged)
        .problem(Code::TooMany);
    let shipping = Doc::new("quote_shipping", tag, "How an order can be sent")
        .body(json::<CheckoutBody>())
        .answer(200, "What can be chosen, and what it asks.", json::<ShippingQuotes>())
        .problem(Code::NotFound)
        .problem(Code::ReviewChanged)
        .problem(Code::TooMany);
    let shopper = |run| Operation::new(Method::POST, Access::Shopper(Right::OrdersWrite), &[], run);
    vec![
        Resource::new(
            "/api/v1/checkout/review",
            [shopper(|a, b| Box::pin(show_review(a, b))).takes(Intake::Json).doc(review)],
        ),
        Resource::new(
            "/api/v1/checkout/shipping",
            [shopper(|a, b| Box::pin(show_shipping(a, b))).takes(Intake::Json).doc(shipping)],
        ),
    ]
}

async fn show_review(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.principal().unwrap_or(Principal::NOBODY);
    let body: CheckoutBody = asked.body.json().await?;
    let reviewed =
        app.orders.review(&who, &body.read(&app, &who, asked.visit.from()).await?).await?;
    let is_theirs = |name: &&str| *name != InvoiceTerms::PROVIDER || who.customer().is_some();
    let providers = app.till.names().into_iter().filter(is_theirs).collect();
    Ok(fresh(&app, &ReviewView::of(&reviewed, providers)))
}

async fn show_shipping(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let who = asked.visit.principal().unwrap_or(Principal::NOBODY);
    let body: CheckoutBody = asked.body.json().await?;
    let quotes = app.orders.quotes(&who, &body.read(&app, &who, asked.visit.from()).await?).await?;
    Ok(fresh(&app, &ShippingQuotes::of(&quotes)))
}
