//! What a buyer is mailed of an order.

use super::shop::HOSTILE;
use crate::domain::{
    address::AddressDraft,
    id::{CustomerId, OrderId, PaymentIntentId, ProductId},
    line::PricedLine,
    money::{Currency, Money},
    order::{
        Action, Order, OrderLetter, OrderLine, OrderNumber, OrderState, OrderStatus, OrderStep,
    },
    payment::PaymentState,
    price::{PriceSource, UnitPrice},
    quantity::{Precision, Quantity},
    scope::Scope,
    secret::Secret,
    sku::Sku,
    tax::{TaxAt, TaxCategory, TaxMode},
    time::Micros,
    totals::{Terms, Totals},
};
use crate::views::{MailText, OrderMail, Sender, order_mail};
use uuid::Uuid;

/// Of a guest, with what people shouldn't type in every text.
fn order() -> Order {
    let price = UnitPrice {
        amount: Money { minor: 1_299, currency: Currency::EUR },
        tax: TaxMode::Exclusive,
        source: PriceSource::Base,
        min_quantity: Quantity::STEP,
    };
    let quantity = Quantity::of_steps(2).unwrap();
    let priced =
        PricedLine::new(quantity, Precision::default(), price, TaxCategory::default()).unwrap();
    let terms = Terms { currency: Currency::EUR, discount: None, shipping: None, tax: TaxAt::NONE };
    let totals = Totals::of(std::slice::from_ref(&priced), &terms).unwrap();
    let line = OrderLine {
        product: ProductId(Uuid::nil()),
        sku: Sku::new("A-1").unwrap(),
        name: format!("{HOSTILE}\r\nBcc: spy@example.com\r\n"),
        unit: "each".into(),
        priced,
        total: totals.lines[0],
    };
    let address = AddressDraft {
        name: HOSTILE.into(),
        street: "1 Road".into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        country: "DE".into(),
        ..AddressDraft::default()
    };
    let mut ship_to = address.check().unwrap();
    ship_to.street_more = Some("x\r\nSubject: won".into());
    Order {
        id: OrderId(Uuid::from_u128(9)),
        number: OrderNumber(1_001),
        scope: Scope::default(),
        state: OrderState::PLACED,
        version: 1,
        cart: None,
        customer: None,
        placed_by: "guest".into(),
        email: "ada@example.com".into(),
        lines: vec![line],
        summary: totals.summary,
        coupon: None,
        shipping: None,
        bill_to: Some(ship_to.clone()),
        ship_to,
        payment: PaymentIntentId(Uuid::nil()),
        provider: "test".into(),
        held_until: None,
        placed_at: Micros(0),
        updated_at: Micros(0),
    }
}

fn write(letter: OrderLetter, order: &Order, steps: &[OrderStep], token: Option<&str>) -> MailText {
    let sender = Sender { shop: "Bits\r\n& Bolts".into(), url: "https://shop.example".into() };
    let token = token.map(Secret::new);
    order_mail(&OrderMail { sender: &sender, letter, order, steps, token: token.as_ref() })
}

#[test]
fn an_orders_mail_tells_all_of_it_and_nothing_typed_begins_a_line() {
    let order = order();
    let MailText { subject, body, html } = write(OrderLetter::Placed, &order, &[], Some("t0ken"));
    let html = html.unwrap();
    assert_eq!(subject, "Your order 1001 at Bits  & Bolts");
    let link = "https://shop.example/orders/00000000-0000-0000-0000-000000000009?token=t0ken";
    for told in ["2 ×", "A-1", "€25.98", "10115 Berlin", "Germany", "waiting for your bank", link]
    {
        assert!(body.contains(told), "{told} in {body}");
        assert!(html.contains(told), "{told} in {html}");
    }
    assert_eq!(body.matches("10115 Berlin").count(), 2, "to, and the invoice: {body}");
    assert!(body.lines().any(|line| line == link), "{body}");
    for line in body.lines().chain(html.lines()) {
        assert!(!line.starts_with("Bcc:") && !line.starts_with("Subject:"), "{line}");
    }
    assert!(!body.contains('\r'));
    assert!(!html.contains("<script") && !html.contains("<b style"), "{html}");
    assert!(html.contains("&#60;script&#62;"), "{html}");
}

#[test]
fn what_is_next_about_the_money_is_said_as_it_is() {
    let invoiced =
        Order { provider: "invoice".into(), customer: Some(CustomerId(Uuid::nil())), ..order() };
    let told = |order: &Order| write(OrderLetter::Placed, order, &[], None).body;
    let body = told(&invoiced);
    assert!(body.contains("€25.98 by invoice, within 30 days; please name 1001"), "{body}");
    assert!(!body.contains("token="), "{body}");
    let with = |payment, status| {
        let state = OrderState { payment, status, ..OrderState::PLACED };
        Order { state, ..order() }
    };
    let body = told(&with(PaymentState::Captured, OrderStatus::Confirmed));
    assert!(body.contains("€25.98: paid, thank you."), "{body}");
    let body = told(&with(PaymentState::Declined, OrderStatus::Cancelled));
    assert!(body.contains("cancelled since") && !body.contains("Payment:"), "{body}");
}

#[test]
fn a_cancelled_order_says_why() {
    let state = OrderState { status: OrderStatus::Cancelled, ..OrderState::PLACED };
    let declined = PaymentState::Declined;
    for (action, why) in [
        (Action::HoldEnds, "not paid in time"),
        (Action::PaymentIs { state: declined }, "was declined"),
        (Action::Cancel, "your order is cancelled. Nothing is charged."),
    ] {
        let (by, note) = ("operator".to_owned(), "they owe us".to_owned());
        let steps = [OrderStep { at: Micros(0), by, action, note, state }];
        let mail = write(OrderLetter::Cancelled, &Order { state, ..order() }, &steps, None);
        assert_eq!(mail.subject, "Your order 1001 is cancelled");
        assert!(mail.body.contains(why), "{}", mail.body);
        assert!(!mail.body.contains("they owe us"), "a note is for staff: {}", mail.body);
        assert!(mail.body.contains("open the link of the mail that confirmed it"), "{}", mail.body);
    }
    let paid = OrderState { payment: PaymentState::Captured, ..state };
    let mail = write(OrderLetter::Cancelled, &Order { state: paid, ..order() }, &[], None);
    assert!(mail.body.contains("What you paid goes back to you"), "{}", mail.body);
}
