//! `/api/v1/orders`: placed by shoppers, moved on by them and by staff.
//!
//! Whoever placed an order sees it, with everybody of their customer; so does staff. To others it
//! isn't there.

mod body;
mod view;

pub(super) use body::CheckoutBody;
pub(crate) use body::email;
pub(super) use view::{OrderView, ReviewView, ShippingQuotes};

use super::{JSON, fresh, link_next};
use crate::{
    actors::keepers::{carts::Named, writer::Told},
    domain::{
        account::Email,
        id::OrderId,
        order::{Action, Order, OrderNumber, OrderStatus},
        payment::PaymentState,
        placing::Placed,
        policy::{Permission, Right},
        principal::Principal,
        time::Micros,
    },
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeOrder},
        error::{Code, Problem},
        extract::{Param, Query, Takes},
        once,
        openapi::{Doc, json},
        ordering::{Wish, move_on, not_placed},
        resource::{Answer, Asked, Intake, Operation, Resource},
    },
    ports::{
        orders::OrderFilter,
        writer::{Answering, Written},
    },
};
use body::{CHECKOUT, NewOrder};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;
use view::OrderList;
use warp::reply::Response;

const ADDRESS: &str = "/api/v1/orders";
const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" },
    "The order's id.",
);
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 25 }, "Orders at most."),
    Param::new("status", Takes::OneOf(OrderStatus::NAMES), "Only those in this state."),
    Param::new("payment", Takes::OneOf(PaymentState::NAMES), "Only those whose money is there."),
    Param::new(
        "email",
        Takes::Text { most: 254 },
        "Only those of this buyer, by the whole address of mail.",
    ),
    Param::new("from", DAY, "Only those placed on this day or later, in UTC."),
    Param::new("until", DAY, "Only those placed on this day or before, in UTC."),
];
/// `2026-11-25`.
const DAY: Takes = Takes::Formed { most: 10, pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" };

/// What to do with an order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrderAction {
    action: ActionName,
    /// For those who read its history.
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
    /// With `refund`: its goods came back and can be sold again.
    #[serde(default)]
    restock: bool,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ActionName {
    /// It will be sent, paid or not.
    Confirm,
    /// Somebody begins to pack it.
    Process,
    Ship,
    /// It has arrived.
    Complete,
    Cancel,
    /// Its money goes back.
    Refund,
    /// The money of an invoice has arrived.
    Paid,
}

/// Why an order is cancelled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Cancelling {
    #[serde(default)]
    #[schema(max_length = 500)]
    note: String,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "orders";
    let place = Doc::new("place_order", tag, "Place an order")
        .about(
            "For exactly what `POST /api/v1/checkout/review` showed: `review` is the hash it gave. \
             The goods are held from the answer on while the payment is asked for; follow the \
             order's `status`.",
        )
        .body(json::<NewOrder>())
        .answer(201, "The order; its goods are held.", json::<OrderView>())
        .problem(Code::NotFound)
        .problem(Code::SoldOut)
        .problem(Code::ReviewChanged)
        .problem(Code::TooMany)
        .problem(Code::Conflict);
    let list = Doc::new("list_orders", tag, "Orders, the newest first")
        .about(
            "One's customer's; all of them for staff. A guest's list is empty: each of their \
             orders is at the address that placing it gave.",
        )
        .answer(200, "Some of them.", json::<OrderList>());
    let one = Doc::new("get_order", tag, "An order with its history")
        .about("Its `ETag` stands for this version of it.")
        .place(ID)
        .answer(200, "The order.", json::<OrderView>());
    let cancel = Doc::new("cancel_order", tag, "Cancel one's order")
        .about("Until somebody begins to pack it. What was paid goes back.")
        .place(ID)
        .body(json::<Cancelling>())
        .answer(200, "The order as it is now.", json::<OrderView>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let act = Doc::new("act_on_order", tag, "Move an order on")
        .about("With `If-Match`, only if it is still the version that was seen.")
        .place(ID)
        .body(json::<OrderAction>())
        .answer(200, "The order as it is now.", json::<OrderView>())
        .problem(Code::Conflict)
        .problem(Code::PreconditionFailed);
    let shopper = |method, right, params, run: fn(Arc<App>, Asked) -> Answer| {
        Operation::new(method, Access::Shopper(right), params, run)
    };
    vec![
        Resource::new(
            ADDRESS,
            [
                shopper(Method::GET, Right::OrdersRead, LIST, |a, b| Box::pin(show_all(a, b)))
                    .doc(list),
                shopper(Method::POST, Right::OrdersWrite, &[], |a, b| Box::pin(place_order(a, b)))
                    .takes(Intake::Json)
                    .once()
                    .doc(place),
            ],
        ),
        Resource::new(
            "/api/v1/orders/{id}",
            [shopper(Method::GET, Right::OrdersRead, &[], |a, b| Box::pin(show(a, b))).doc(one)],
        ),
        Resource::new(
            "/api/v1/orders/{id}/cancel",
            [shopper(Method::POST, Right::OrdersWrite, &[], |a, b| Box::pin(cancel_order(a, b)))
                .takes(Intake::Json)
                .doc(cancel)],
        ),
        Resource::new(
            "/api/v1/orders/{id}/actions",
            [Operation::new(Method::POST, Access::Staff(Permission::OrdersWrite), &[], |a, b| {
                Box::pin(act_on(a, b))
            })
            .takes(Intake::Json)
            .doc(act)],
        ),
    ]
}

async fn place_order(app: Arc<App>, mut asked: Asked) -> Result<Response, Problem> {
    let (who, name) = super::keeping(&app, &mut asked).await?;
    let (wanted, body): (NewOrder, _) = asked.body.json_and_hash().await?;
    let (checkout, shown, method) = wanted.read(&app, &who, asked.visit.from()).await?;
    let answer = placed_answer(asked.caller.request_id.clone());
    let named = Named { name, body, answer };
    let placed = app.orders.place(&who, checkout, shown, method, named).await;
    match placed.map_err(|error| Problem::from(error).inside(CHECKOUT))? {
        Told::Answer(answer) => {
            app.till.wake();
            Ok(once::respond(&app, answer))
        }
        Told::Once(Written::Placed(placed)) => Err(not_placed(&placed)
            .map(|problem| problem.inside(CHECKOUT))
            .unwrap_or_else(|| Problem::internal("an order that was placed has no answer"))),
        Told::Once(other) => Err(Problem::internal(format!("placing came to {other:?}"))),
    }
}

/// Kept for who asks again: the order, or that it is sold out.
fn placed_answer(request_id: HeaderValue) -> Answering {
    Arc::new(move |written| match written {
        Written::Placed(Placed::Order(order)) => {
            let place = (header::LOCATION, format!("{ADDRESS}/{}", order.id));
            let tag = (header::ETAG, tag(order.version));
            let body = serde_json::to_vec(&OrderView::of(order, Vec::new())).unwrap_or_default();
            Some(once::kept(StatusCode::CREATED, [place, tag], JSON, body))
        }
        Written::Placed(sold_out @ Placed::SoldOut(_)) => {
            not_placed(sold_out).map(|problem| once::kept_problem(&problem, &request_id))
        }
        _ => None,
    })
}

async fn show_all(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeOrder>("after", text));
    let before = before.transpose()?;
    let limit = asked.query.size("limit");
    let wanted = wanted(&asked.query)?;
    let staff = sees_all(&asked);
    let customer = asked.visit.principal().and_then(|who| who.customer());
    let mut orders = Vec::new();
    if staff || customer.is_some() {
        let filter = OrderFilter { customer: customer.filter(|_| !staff), ..wanted };
        let before = before.map(|place| OrderNumber(place.0));
        let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        orders = app.orders.list(filter, before, most).await?;
    }
    let more = orders.len() > limit;
    orders.truncate(limit);
    let next = orders.last().filter(|_| more).map(|last| cursor::write(BeforeOrder(last.number.0)));
    let items = orders.iter().map(|order| OrderView::of(order, Vec::new())).collect();
    let list = OrderList { items, next: next.clone() };
    let mut response = fresh(&app, &list);
    link_next(&mut response, ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}

/// What a list's parameters ask for.
pub(crate) fn wanted(query: &Query) -> Result<OrderFilter, Problem> {
    let day = |name: &str| {
        let text =
            query.optional(name).map(|day| (day, Micros::parse(&format!("{day}T00:00:00Z"))));
        match text {
            Some((_, None)) => Err(Problem::parameter(name, "is a day such as 2026-11-25")),
            Some((_, day)) => Ok(day),
            None => Ok(None),
        }
    };
    let email = query.optional("email").map(|text| {
        let email =
            Email::new(text).map_err(|error| Problem::parameter("email", error.to_string()));
        email.map(String::from)
    });
    Ok(OrderFilter {
        status: query.optional("status").and_then(OrderStatus::parse),
        payment: query.optional("payment").and_then(PaymentState::parse),
        email: email.transpose()?,
        from: day("from")?,
        until: day("until")?.map(|day| day.plus(Duration::from_secs(24 * 60 * 60))),
        customer: None,
    })
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    shown(&app, &order).await
}

async fn cancel_order(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let order = find(&app, &asked).await?;
    let wish: Cancelling = asked.body.json().await?;
    if !matches!(order.state.status, OrderStatus::Pending | OrderStatus::Confirmed) {
        let told = format!(
            "an order that is {} can't be cancelled here: ask us",
            order.state.status.as_str()
        );
        return Err(Problem::new(Code::Conflict, told));
    }
    let who = asked.visit.principal().ok_or_else(absent)?;
    let cancel = Wish::Act(Action::Cancel);
    moved(&app, &asked.headers, order.id, cancel, wish.note, &who).await
}

async fn act_on(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = asked.path[0].parse::<OrderId>().map_err(|_| absent())?;
    app.orders.get(id).await?.ok_or_else(absent)?;
    let order: OrderAction = asked.body.json().await?;
    let who = asked.visit.principal().unwrap_or(Principal::Operator);
    let wish = match order.action {
        ActionName::Confirm => Wish::Act(Action::Confirm),
        ActionName::Process => Wish::Act(Action::Process),
        ActionName::Ship => Wish::Act(Action::Ship),
        ActionName::Complete => Wish::Act(Action::Complete),
        ActionName::Cancel => Wish::Act(Action::Cancel),
        ActionName::Refund => Wish::Act(Action::Refund { restock: order.restock }),
        ActionName::Paid => Wish::Paid,
    };
    moved(&app, &asked.headers, id, wish, order.note, &who).await
}

async fn moved(
    app: &App,
    headers: &HeaderMap,
    order: OrderId,
    wish: Wish,
    note: String,
    who: &Principal,
) -> Result<Response, Problem> {
    let if_version = super::version_to_match(headers)?;
    move_on(app, order, wish, note, who, if_version).await?;
    let order = app.orders.get(order).await?.ok_or_else(absent)?.order;
    shown(app, &order).await
}

/// The order of an address, if who asks may see it.
async fn find(app: &App, asked: &Asked) -> Result<Order, Problem> {
    let id = asked.path[0].parse::<OrderId>().map_err(|_| absent())?;
    let order = app.orders.get(id).await?.ok_or_else(absent)?.order;
    match sees_all(asked) || asked.visit.principal().is_some_and(|who| is_of(&order, &who)) {
        true => Ok(order),
        false => Err(absent()),
    }
}

/// Whether somebody placed an order, or somebody of their customer.
pub(crate) fn is_of(order: &Order, who: &Principal) -> bool {
    order.placed_by == who.to_string()
        || who.customer().is_some_and(|customer| order.customer == Some(customer))
}

/// Staff that may, and operators.
fn sees_all(asked: &Asked) -> bool {
    asked.visit.admit(Access::Staff(Permission::OrdersRead)).is_ok()
}

async fn shown(app: &App, order: &Order) -> Result<Response, Problem> {
    let steps = app.orders.steps(order.id).await?;
    let mut response = fresh(app, &OrderView::of(order, steps));
    if let Ok(tag) = HeaderValue::from_str(&tag(order.version)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

fn tag(version: i64) -> String {
    format!("\"{version}\"")
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no such order")
}
