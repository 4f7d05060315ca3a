//! Ids, typed per kind: a category's id can't be passed where a product's is wanted.
//!
//! All are UUIDv7 (RFC 9562), so rows created together lie together in an index. They are made
//! by `ports::ids`, never here.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    )*};
}

ids! {
    /// One product (a variant is a product too).
    ProductId,
    /// One node of the category tree.
    CategoryId,
    /// What is counted in a warehouse; a plain SKU has one of its own.
    StockItemId,
    /// A place that holds stock.
    WarehouseId,
    /// One run of a catalogue import.
    ImportId,
    /// One visit, from its first change to its end; never the token a browser holds.
    SessionId,
    /// A company, or a single buyer, that orders.
    CustomerId,
    /// A person who logs in: a buyer of a customer, or staff.
    UserId,
    /// An address in a customer's book.
    AddressId,
    /// A message on its way to somebody.
    MailId,
    /// Somebody else's, to which events are posted.
    EndpointId,
    /// One event on its way to one endpoint, by its webhook; the same at each try.
    DeliveryId,
    /// One piece of work that waits in the queue, or waited there.
    JobId,
    /// One process' time of running jobs, from when it joined to when it left or was lost.
    WorkerId,
    /// A list of products that somebody means to buy.
    CartId,
    /// One order.
    OrderId,
    /// One line of an order.
    OrderLineId,
    /// Customers who are treated alike, by price for one.
    CustomerGroupId,
    /// One price list.
    PriceListId,
    /// One coupon; its code may be changed, its id stays.
    CouponId,
    /// One wish to know what something costs, with its answer.
    QuoteId,
    /// One way of sending goods.
    ShippingMethodId,
    /// One rule of tax.
    TaxRuleId,
    /// One wish to be paid for an order, and the key under which a provider knows it.
    PaymentIntentId,
    /// One taking of authorised money, and its key with the provider.
    CaptureId,
    /// One giving back of captured money, and its key with the provider.
    RefundId,
}
