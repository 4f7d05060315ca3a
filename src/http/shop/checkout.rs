//! `/checkout` and `/orders/…`: from a cart to an order, page by page, without scripts.
//!
//! What was said on one page comes along on the next in hidden fields, and all of it is read anew
//! each time. A card's number is seen by one request and put nowhere; what goes on is the token that
//! its provider gave. An order is placed for what the review showed, once however often the button
//! is pressed.

mod link;
mod order;

use super::{
    cart::{html, see_other, shopper},
    sentence,
};
use crate::{
    actors::keepers::{
        carts::{CartsError, Named},
        orders::{Basket, Checkout, OrdersError, Reviewed},
        writer::Told,
    },
    domain::{
        address::AddressDraft,
        cart::{Cart, CartKind, CartRefusal},
        coupon::CouponCode,
        id::{OrderId, ShippingMethodId},
        once::{BodyHash, IdempotencyKey, OnceName},
        payment::{Card, InvoiceTerms, MethodToken, PaymentMethod},
        placing::Placed,
        policy::Right,
        principal::Principal,
        review::ReviewHash,
    },
    http::{
        access::Access,
        api::orders::email,
        app::App,
        error::Problem,
        form::Form,
        once,
        ordering::not_placed,
        resource::{Answer, Asked, Operation, Resource},
    },
    ports::writer::{Answering, Written},
    views::{self, CardOffer, CheckoutDraft, CheckoutError, CheckoutPage, CheckoutStep},
};
use http::{StatusCode, header};
use std::{sync::Arc, time::Duration};
use warp::reply::Response;

const SHOPPER: Access = Access::Shopper(Right::OrdersWrite);
/// How long a buyer waits for the bank before they are shown that it is waited for.
const FOR_THE_BANK: Duration = Duration::from_secs(6);

pub(super) fn resources() -> Vec<Resource> {
    let form = |path, run: fn(Arc<App>, Asked) -> Answer| {
        Resource::new(path, [Operation::form(SHOPPER, run)])
    };
    let own = vec![
        Resource::new(
            "/checkout",
            [Operation::personal(SHOPPER, &[], |a, b| Box::pin(begin(a, b)))],
        ),
        form("/checkout/start", |a, b| Box::pin(start(a, b))),
        form("/checkout/address", |a, b| Box::pin(address(a, b))),
        form("/checkout/payment", |a, b| Box::pin(payment(a, b))),
        form("/checkout/place", |a, b| Box::pin(place(a, b))),
    ];
    own.into_iter().chain(order::resources()).collect()
}

/// Whose cart it is, and the cart; `None`: there is nothing to check out.
async fn cart(app: &App, asked: &Asked) -> Result<Option<(Principal, Cart)>, Problem> {
    let Some(who) = shopper(&asked.visit) else { return Ok(None) };
    let cart = app.carts.of_kind(&who, CartKind::Active).await?;
    Ok(cart.filter(|cart| cart.lines() > 0).map(|cart| (who, cart)))
}

async fn begin(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    match cart(&app, &asked).await? {
        Some((who, cart)) => {
            let draft = known(&app, &who).await?;
            Ok(page(&app, asked, &cart, &draft, &[], CheckoutStep::Address))
        }
        None => Ok(see_other("/cart")),
    }
}

/// What is known of a buyer who is signed in: their address of mail, and where their goods go.
async fn known(app: &App, who: &Principal) -> Result<CheckoutDraft, Problem> {
    let Principal::Buyer { user, customer, .. } = who else { return Ok(CheckoutDraft::default()) };
    let email = app.accounts.account(*user).await?.email.map(String::from);
    let book = app.accounts.addresses(*customer).await?;
    let home = book.iter().find(|saved| saved.default_shipping);
    let bills = book.iter().find(|saved| saved.default_billing && !saved.default_shipping);
    Ok(CheckoutDraft {
        email: email.unwrap_or_default(),
        address: home.map(|saved| saved.address.clone().into()).unwrap_or_default(),
        billing: bills.map(|saved| saved.address.clone().into()).unwrap_or_default(),
        ..CheckoutDraft::default()
    })
}

/// The first step with what was said already.
async fn start(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    match cart(&app, &asked).await? {
        Some((_, cart)) => {
            let draft = draft(&asked.form);
            Ok(page(&app, asked, &cart, &draft, &[], CheckoutStep::Address))
        }
        None => Ok(see_other("/cart")),
    }
}

async fn address(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let Some((who, cart)) = cart(&app, &asked).await? else { return Ok(see_other("/cart")) };
    let draft = draft(&asked.form);
    if let Err(errors) = read(&cart, &draft, asked.visit.from()) {
        return Ok(page(&app, asked, &cart, &draft, &errors, CheckoutStep::Address));
    }
    payment_step(&app, asked, &who, &cart, &draft, &[]).await
}

async fn payment(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let Some((who, cart)) = cart(&app, &asked).await? else { return Ok(see_other("/cart")) };
    let mut draft = draft(&asked.form);
    let checkout = match read(&cart, &draft, asked.visit.from()) {
        Ok(checkout) => checkout,
        Err(errors) => {
            let in_address = errors.iter().any(|error| error.field.as_deref() != Some("coupon"));
            if in_address {
                return Ok(page(&app, asked, &cart, &draft, &errors, CheckoutStep::Address));
            }
            return payment_step(&app, asked, &who, &cart, &draft, &errors).await;
        }
    };
    match pay_by(&app, &who, &asked.form) {
        Ok(method) => {
            draft.provider = method.provider;
            draft.token = method.token.expose().to_owned();
        }
        Err(text) => {
            let error = CheckoutError { field: None, text };
            return payment_step(&app, asked, &who, &cart, &draft, &[error]).await;
        }
    }
    match app.orders.review(&who, &checkout).await {
        Ok(reviewed) => Ok(review_page(&app, asked, &cart, &draft, &reviewed, false)),
        Err(error) => refused(&app, asked, &who, &cart, &draft, error).await,
    }
}

async fn place(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let shown = asked.form.text("review").to_owned();
    let draft = draft(&asked.form);
    let Some(who) = shopper(&asked.visit) else { return Ok(see_other("/cart")) };
    let Ok(hash) = shown.parse::<ReviewHash>() else { return Ok(see_other("/checkout")) };
    // Pressed twice, or sent again after a lost answer: one review of one cart is one order.
    let reviewed = asked.form.text("cart").to_owned();
    let key = IdempotencyKey::new(format!("{reviewed}:{hash}").as_bytes());
    let Ok(key) = key else { return Ok(see_other("/checkout")) };
    let name = OnceName::new(who, "POST /checkout/place", &key);
    let cart = match cart(&app, &asked).await? {
        Some((_, cart)) if cart.id.to_string() == reviewed => cart,
        // It was ordered a moment ago, perhaps by this very form.
        _ => {
            return match app.orders.told(name).await? {
                Some(answer) => Ok(once::respond(&app, answer)),
                None => Ok(see_other("/cart")),
            };
        }
    };
    let checkout = match read(&cart, &draft, asked.visit.from()) {
        Ok(checkout) => checkout,
        Err(errors) => {
            return Ok(page(&app, asked, &cart, &draft, &errors, CheckoutStep::Address));
        }
    };
    let Some(method) = chosen_method(&app, &who, &draft) else {
        let error = CheckoutError { field: None, text: "Choose how you pay.".to_owned() };
        return payment_step(&app, asked, &who, &cart, &draft, &[error]).await;
    };
    let body = BodyHash::of(format!("{shown} {} {}", draft.provider, draft.token).as_bytes());
    let named = Named { name, body, answer: placed_answer() };
    match app.orders.place(&who, checkout, hash, method, named).await {
        Ok(Told::Answer(answer)) => {
            let place = answer.headers.iter().find(|(name, _)| name == header::LOCATION.as_str());
            let id = place.and_then(|(_, place)| place.strip_prefix("/orders/"));
            let id = id.and_then(|rest| rest.split('?').next()).and_then(|id| id.parse().ok());
            if let Some(id) = id {
                wait_for_the_bank(&app, id).await;
            }
            Ok(once::respond(&app, answer))
        }
        Ok(Told::Once(Written::Placed(placed))) => {
            let text = not_placed(&placed).map(|problem| sentence(&problem.detail));
            let error = CheckoutError { field: None, text: text.unwrap_or_default() };
            payment_step(&app, asked, &who, &cart, &draft, &[error]).await
        }
        Ok(Told::Once(other)) => Err(Problem::internal(format!("placing came to {other:?}"))),
        Err(OrdersError::Stale(reviewed)) => {
            Ok(review_page(&app, asked, &cart, &draft, &reviewed, true))
        }
        Err(error) => refused(&app, asked, &who, &cart, &draft, error).await,
    }
}

/// Kept for whoever sends the form again: where the order is.
fn placed_answer() -> Answering {
    Arc::new(|written| match written {
        Written::Placed(Placed::Order(order)) => {
            let place = (header::LOCATION, format!("/orders/{}?placed=true", order.id));
            Some(once::kept(StatusCode::SEE_OTHER, [place], super::HTML, Vec::new()))
        }
        _ => None,
    })
}

/// Most banks answer at once; the page says so when this one doesn't.
async fn wait_for_the_bank(app: &App, id: OrderId) {
    app.till.wake();
    let Ok(Some(stored)) = app.orders.get(id).await else { return };
    let settled = tokio::time::timeout(FOR_THE_BANK, app.till.settle(stored.order.payment)).await;
    if let Ok(Err(error)) = settled {
        tracing::warn!(order = %id, %error, "a payment is looked at again later");
    }
}

/// What was said so far.
fn draft(form: &Form) -> CheckoutDraft {
    let text = |name| form.text(name).to_owned();
    CheckoutDraft {
        email: text("email"),
        address: form.address(""),
        billing: form.address("bill_"),
        shipping: text("shipping"),
        coupon: text("coupon"),
        provider: text("provider"),
        token: text("token"),
    }
}

/// It as an order to be, or all that is wrong with it.
fn read(
    cart: &Cart,
    draft: &CheckoutDraft,
    from: Option<String>,
) -> Result<Checkout, Vec<CheckoutError>> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, text: String| {
        errors.push(CheckoutError { field: Some(field.to_owned()), text: sentence(&text) });
    };
    let mail = email("email", &draft.email)
        .map_err(|problem| wrong("email", problem.errors[0].detail.clone()))
        .ok();
    let mut address = |draft: &AddressDraft, prefix: &str| {
        let checked = draft.check().map_err(|problems| {
            for problem in problems {
                let field = format!("{prefix}{}", problem.field.as_str());
                wrong(&field, problem.fault.to_string());
            }
        });
        checked.ok()
    };
    let ship_to = address(&draft.address, "");
    let bill_to = match draft.billing.is_blank() {
        true => None,
        false => address(&draft.billing, "bill_"),
    };
    let coupon = match draft.coupon.as_str() {
        "" => None,
        code => CouponCode::new(code).map_err(|error| wrong("coupon", error.to_string())).ok(),
    };
    match (mail, ship_to) {
        (Some(email), Some(ship_to)) if errors.is_empty() => Ok(Checkout {
            basket: Basket::Cart(cart.id),
            email,
            ship_to,
            bill_to,
            shipping: draft.shipping.parse().ok().map(ShippingMethodId),
            coupon,
            from,
        }),
        _ => Err(errors),
    }
}

/// How it is to be paid, or why not so. The card's number goes no further than here.
fn pay_by(app: &App, who: &Principal, form: &Form) -> Result<PaymentMethod, String> {
    let provider = form.text("provider");
    if provider == InvoiceTerms::PROVIDER {
        let customer = who.customer().ok_or("Payment by invoice is for customers who log in.")?;
        return Ok(InvoiceTerms::usual(customer).method());
    }
    let cards = app.cards.as_ref().filter(|cards| cards.provider == provider);
    let cards = cards.ok_or("Choose how you pay.")?;
    let (number, expiry) = (form.text("card_number"), form.text("card_expiry"));
    let card = Card::read(number, expiry, form.text("card_code"), app.clock.now());
    let token = card.and_then(|card| cards.form.tokenise(&card));
    let token = token.map_err(|error| error.to_string())?;
    Ok(PaymentMethod { provider: provider.to_owned(), token })
}

/// What hidden fields say of paying. Whose invoice it is they can't say: that is the buyer's own.
fn chosen_method(app: &App, who: &Principal, draft: &CheckoutDraft) -> Option<PaymentMethod> {
    if draft.provider == InvoiceTerms::PROVIDER {
        let customer = who.customer()?;
        return Some(InvoiceTerms::usual(customer).method());
    }
    (!draft.token.is_empty() && app.till.takes(&draft.provider)).then(|| PaymentMethod {
        provider: draft.provider.clone(),
        token: MethodToken::new(draft.token.clone()),
    })
}

async fn payment_step(
    app: &App,
    asked: Asked,
    who: &Principal,
    cart: &Cart,
    draft: &CheckoutDraft,
    errors: &[CheckoutError],
) -> Result<Response, Problem> {
    // The coupon is asked for with them, and checked when the step is over.
    let plain = CheckoutDraft { coupon: String::new(), ..draft.clone() };
    let Ok(checkout) = read(cart, &plain, asked.visit.from()) else {
        return Ok(page(app, asked, cart, draft, errors, CheckoutStep::Address));
    };
    let quotes = match app.orders.quotes(who, &checkout).await {
        Ok(quotes) => quotes,
        Err(error) if errors.is_empty() => {
            return Box::pin(refused(app, asked, who, cart, draft, error)).await;
        }
        Err(_) => return Ok(page(app, asked, cart, draft, errors, CheckoutStep::Address)),
    };
    let offer = app.cards.as_ref().map(|cards| CardOffer {
        provider: cards.provider,
        to_try: cards.form.to_try().into_iter().map(|card| (card.number, card.does)).collect(),
    });
    let Some(subtotal) = cart.subtotal() else { return Ok(see_other("/cart")) };
    let invoice = who.customer().is_some() && app.till.takes(InvoiceTerms::PROVIDER);
    let step = CheckoutStep::Payment { quotes: &quotes, cards: offer.as_ref(), invoice, subtotal };
    Ok(page(app, asked, cart, draft, errors, step))
}

/// Why there is no review, on the page where it can be mended.
async fn refused(
    app: &App,
    asked: Asked,
    who: &Principal,
    cart: &Cart,
    draft: &CheckoutDraft,
    error: OrdersError,
) -> Result<Response, Problem> {
    let told = sentence(&error.to_string());
    let of = |field: &str| CheckoutError { field: Some(field.to_owned()), text: told.clone() };
    match error {
        // The cart says what has changed, and takes note of it.
        OrdersError::CartChanged { .. }
        | OrdersError::Empty
        | OrdersError::Carts(CartsError::Refused(CartRefusal::Absent | CartRefusal::Ordered)) => {
            Ok(see_other("/cart"))
        }
        OrdersError::NoDelivery => {
            Ok(page(app, asked, cart, draft, &[of("country")], CheckoutStep::Address))
        }
        OrdersError::Coupon(_) | OrdersError::Guesses(_) => {
            let plain = CheckoutDraft { coupon: String::new(), ..draft.clone() };
            Box::pin(payment_step(app, asked, who, cart, &plain, &[of("coupon")])).await
        }
        OrdersError::NoShipping | OrdersError::OtherShipping => {
            let plain = CheckoutDraft { shipping: String::new(), ..draft.clone() };
            Box::pin(payment_step(app, asked, who, cart, &plain, &[of("shipping")])).await
        }
        other => Err(other.into()),
    }
}

fn review_page(
    app: &App,
    asked: Asked,
    cart: &Cart,
    draft: &CheckoutDraft,
    reviewed: &Reviewed,
    changed: bool,
) -> Response {
    let (hash, id) = (reviewed.hash.to_string(), cart.id.to_string());
    let step = CheckoutStep::Review {
        cart: &id,
        lines: &reviewed.lines,
        summary: &reviewed.summary,
        shipping: reviewed.shipping.as_ref(),
        hash: &hash,
        changed,
    };
    page(app, asked, cart, draft, &[], step)
}

fn page(
    app: &App,
    mut asked: Asked,
    cart: &Cart,
    draft: &CheckoutDraft,
    errors: &[CheckoutError],
    step: CheckoutStep<'_>,
) -> Response {
    let form_token = asked.visit.form_token(app);
    let (_, shell) = app.shell();
    let changed = matches!(step, CheckoutStep::Review { changed: true, .. });
    let status = match (errors.is_empty(), changed) {
        (true, false) => StatusCode::OK,
        (true, true) => StatusCode::CONFLICT,
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let bytes = views::checkout(&CheckoutPage {
        shell: &shell,
        offset: app.offset(),
        form_token: &form_token,
        cart_lines: cart.lines(),
        draft,
        errors,
        step,
    });
    html(app, &asked, status, bytes)
}
