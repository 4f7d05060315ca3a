//! What a shopper says of an order to be, read and checked field by field.

use crate::{
    actors::keepers::{
        carts::Wanted,
        orders::{Basket, Checkout},
    },
    domain::{
        account::Email,
        address::{Address, AddressDraft},
        cart::{CartKind, MOST_AT_ONCE},
        coupon::CouponCode,
        payment::{InvoiceTerms, MethodToken, PaymentMethod},
        principal::Principal,
        review::ReviewHash,
    },
    http::{
        api::{
            address_problem,
            carts::{NewLine, cart_of},
        },
        app::App,
        error::Problem,
    },
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where to. What is left out is as empty.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressBody {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 100)]
    company: String,
    #[schema(min_length = 1, max_length = 100)]
    street: String,
    /// Floor, door, care of.
    #[serde(default)]
    #[schema(max_length = 100)]
    street_more: String,
    #[serde(default)]
    #[schema(max_length = 20)]
    postcode: String,
    #[schema(min_length = 1, max_length = 100)]
    city: String,
    /// State or province; its code where addresses there use one.
    #[serde(default)]
    #[schema(max_length = 60)]
    region: String,
    /// ISO 3166-1, two letters.
    #[schema(min_length = 2, max_length = 2, example = "DE")]
    country: String,
    #[serde(default)]
    #[schema(max_length = 30)]
    phone: String,
}

/// What is to be ordered, and where it goes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckoutBody {
    /// A cart's id, or `active`, which it is when neither a cart nor lines are given.
    #[serde(default)]
    #[schema(max_length = 36)]
    cart: Option<String>,
    /// Instead of a cart.
    #[serde(default)]
    #[schema(max_items = 2000)]
    lines: Option<Vec<NewLine>>,
    /// Where the confirmation goes.
    #[schema(max_length = 254, example = "ada@example.com")]
    email: String,
    ship_to: AddressBody,
    /// Left out: the same.
    #[serde(default)]
    bill_to: Option<AddressBody>,
    /// One of those that the review offers; left out where it offers none.
    #[serde(default)]
    shipping_method: Option<Uuid>,
    #[serde(default)]
    #[schema(max_length = 32)]
    coupon: Option<String>,
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// As it was reviewed.
    checkout: CheckoutBody,
    /// The `hash` of the review that was shown.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    review: String,
    payment: PaymentBody,
}

/// How it is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentBody {
    #[schema(max_length = 40, example = "test-cards")]
    provider: String,
    /// What stands for the card there; none for payment by invoice.
    #[serde(default)]
    #[schema(max_length = 200)]
    token: String,
}

/// Where in a new order's body stands what is to be ordered.
pub(super) const CHECKOUT: &str = "/checkout";

impl NewOrder {
    pub(super) async fn read(
        self,
        app: &App,
        who: &Principal,
        from: Option<String>,
    ) -> Result<(Checkout, ReviewHash, PaymentMethod), Problem> {
        let shown = self.review.parse::<ReviewHash>();
        let shown = shown.map_err(|error| Problem::field("/review", error.to_string()))?;
        let checkout = self.checkout.read(app, who, from).await;
        let checkout = checkout.map_err(|problem| problem.inside(CHECKOUT))?;
        let PaymentBody { provider, token } = self.payment;
        if !app.till.takes(&provider) {
            let told = "this shop takes no payments that way; its review lists those it takes";
            return Err(Problem::field("/payment/provider", told));
        }
        // Whose invoice it is a client can't say: it is their own.
        let method = match who.customer() {
            Some(customer) if provider == InvoiceTerms::PROVIDER => {
                InvoiceTerms::usual(customer).method()
            }
            None if provider == InvoiceTerms::PROVIDER => {
                let told = "payment by invoice is for customers: log in first";
                return Err(Problem::field("/payment/provider", told));
            }
            _ => PaymentMethod { provider, token: MethodToken::new(token) },
        };
        Ok((checkout, shown, method))
    }
}

impl CheckoutBody {
    /// `from`: whom wrong coupon codes are counted for.
    pub(crate) async fn read(
        self,
        app: &App,
        who: &Principal,
        from: Option<String>,
    ) -> Result<Checkout, Problem> {
        let basket = match (self.cart, self.lines) {
            (Some(_), Some(_)) => {
                return Err(Problem::field("/lines", "give a cart or lines, not both"));
            }
            (_, Some(lines)) if lines.len() > MOST_AT_ONCE => {
                let told = format!("at most {MOST_AT_ONCE} lines");
                return Err(Problem::field("/lines", told));
            }
            (_, Some(lines)) => Basket::Lines(lines.into_iter().map(Wanted::from).collect()),
            (cart, None) => {
                let name = cart.as_deref().unwrap_or(CartKind::Active.as_str());
                Basket::Cart(cart_of(app, who, name).await?.id)
            }
        };
        let coupon = self.coupon.filter(|code| !code.trim().is_empty());
        let coupon = coupon.map(|code| CouponCode::new(&code)).transpose();
        Ok(Checkout {
            basket,
            email: email("/email", &self.email)?,
            ship_to: address("/ship_to", self.ship_to)?,
            bill_to: self.bill_to.map(|body| address("/bill_to", body)).transpose()?,
            shipping: self.shipping_method.map(crate::domain::id::ShippingMethodId),
            coupon: coupon.map_err(|error| Problem::field("/coupon", error.to_string()))?,
            from,
        })
    }
}

fn address(pointer: &str, body: AddressBody) -> Result<Address, Problem> {
    let AddressBody { name, company, street, street_more, postcode, city, region, country, phone } =
        body;
    let draft =
        AddressDraft { name, company, street, street_more, postcode, city, region, country, phone };
    draft.check().map_err(|problems| address_problem(pointer, problems))
}

/// An address of mail, in the form it is kept in.
pub(crate) fn email(pointer: &str, text: &str) -> Result<String, Problem> {
    let email = Email::new(text).map_err(|error| Problem::field(pointer, error.to_string()))?;
    Ok(email.to_string())
}
