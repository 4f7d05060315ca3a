//! Where a list goes on, as a text that clients hand back unread.
//!
//! A cursor carries its version and the list it was made for, so an old or foreign one is refused
//! by name rather than misread.

use crate::{
    domain::{id::ProductId, quantity::Quantity, rule::RuleKind, sku::Sku},
    http::error::{Code, Problem},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::hash::{Hash, Hasher};
use uuid::Uuid;

/// The version of every cursor's form.
const VERSION: u8 = 1;
/// Most bytes of a cursor as text.
pub(crate) const MOST: usize = 256;
/// Its form, as the API's description gives it.
pub(crate) const PATTERN: &str = "^[A-Za-z0-9_-]{1,256}$";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    v: u8,
    /// The list it belongs to.
    l: String,
    p: T,
}

/// A kind of list, and what marks a place in it.
pub(crate) trait Place: Serialize + DeserializeOwned {
    const LIST: &'static str;
}

/// Behind this SKU.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindSku(pub(crate) Sku);

impl Place for BehindSku {
    const LIST: &'static str = "products";
}

/// Behind this SKU, in an export.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindExported(pub(crate) Sku);

impl Place for BehindExported {
    const LIST: &'static str = "exports";
}

/// Older than this import.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeImport(pub(crate) Uuid);

impl Place for BeforeImport {
    const LIST: &'static str = "imports";
}

/// Behind this customer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindCustomer(pub(crate) Uuid);

impl Place for BehindCustomer {
    const LIST: &'static str = "customers";
}

/// Older than this customer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeCustomer(pub(crate) Uuid);

impl Place for BeforeCustomer {
    const LIST: &'static str = "newest-customers";
}

/// Before this entry of the audit log.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeEntry(pub(crate) i64);

impl Place for BeforeEntry {
    const LIST: &'static str = "audit";
}

/// Older than this job.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeJob(pub(crate) Uuid);

impl Place for BeforeJob {
    const LIST: &'static str = "jobs";
}

/// Older than this delivery.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeDelivery(pub(crate) Uuid);

impl Place for BeforeDelivery {
    const LIST: &'static str = "webhook deliveries";
}

/// Behind this place of a cart.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindPlace(pub(crate) i64);

impl Place for BehindPlace {
    const LIST: &'static str = "cart";
}

/// Behind this rule of a kind.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BehindRule {
    kind: String,
    id: Uuid,
}

impl Place for BehindRule {
    const LIST: &'static str = "rules";
}

impl BehindRule {
    pub(crate) fn new(kind: RuleKind, id: Uuid) -> Self {
        Self { kind: kind.as_str().to_owned(), id }
    }

    /// The id, if the list was of this kind.
    pub(crate) fn of(self, kind: RuleKind) -> Result<Uuid, Problem> {
        let told = "is no cursor of this list; leave it out to begin again";
        let refused = || Problem::of_parameter(Code::BadCursor, "after", told.to_owned());
        (self.kind == kind.as_str()).then_some(self.id).ok_or_else(refused)
    }
}

/// Behind this price of a list: product, unit and least quantity.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BehindPrice(pub(crate) ProductId, pub(crate) String, pub(crate) Quantity);

impl Place for BehindPrice {
    const LIST: &'static str = "prices";
}

/// Older than this order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeOrder(pub(crate) i64);

impl Place for BeforeOrder {
    const LIST: &'static str = "orders";
}

/// Older than this quote.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeQuote(pub(crate) Uuid);

impl Place for BeforeQuote {
    const LIST: &'static str = "quotes";
}

/// Older than this line of a product's ledger.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BeforeMovement(pub(crate) Uuid);

impl Place for BeforeMovement {
    const LIST: &'static str = "movements";
}

/// So many hits into the answer to one question.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntoHits {
    pub(crate) offset: usize,
    /// [`fingerprint`] of the question.
    pub(crate) question: u32,
}

impl Place for IntoHits {
    const LIST: &'static str = "search";
}

pub(crate) fn write<T: Place>(place: T) -> String {
    let envelope = Envelope { v: VERSION, l: T::LIST.to_owned(), p: place };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&envelope).unwrap_or_default())
}

/// Reads the cursor that came as `parameter`.
pub(crate) fn read<T: Place>(parameter: &str, text: &str) -> Result<T, Problem> {
    let told = "is no cursor of this list; leave it out to begin again";
    let refused = || Problem::of_parameter(Code::BadCursor, parameter, told.to_owned());
    if text.len() > MOST {
        return Err(refused());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let envelope: Envelope<T> = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    let ours = envelope.v == VERSION && envelope.l == T::LIST;
    ours.then_some(envelope.p).ok_or_else(refused)
}

/// Tells one question from another; it guards against mistakes, not against malice.
pub(crate) fn fingerprint(question: &impl Hash) -> u32 {
    // FNV-1a, without a secret of the process: a cursor outlives a restart and fits every node.
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    question.hash(&mut hasher);
    let hash = hasher.finish();
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_is_read_back() {
        let sku = Sku::new("AB/12").unwrap();
        let text = write(BehindSku(sku.clone()));
        assert_eq!(read::<BehindSku>("after", &text).unwrap(), BehindSku(sku));
    }

    #[test]
    fn one_behind_the_longest_unit_fits() {
        let most = Quantity::of_units(1_000_000, crate::domain::quantity::Precision::MOST).unwrap();
        let text = write(BehindPrice(ProductId(Uuid::nil()), "\u{1f4e6}".repeat(20), most));
        assert!(text.len() <= MOST, "{}", text.len());
        assert_eq!(read::<BehindPrice>("after", &text).unwrap().2, most);
    }

    #[test]
    fn one_of_another_list_or_version_is_refused_by_name() {
        let of_search = write(IntoHits { offset: 24, question: 1 });
        let problem = read::<BehindSku>("after", &of_search).unwrap_err();
        assert_eq!(problem.code, Code::BadCursor);
        assert_eq!(problem.errors[0].parameter.as_deref(), Some("after"));
        let old = URL_SAFE_NO_PAD.encode(r#"{"v":0,"l":"products","p":"A"}"#);
        assert!(read::<BehindSku>("after", &old).is_err());
    }

    proptest! {
        #[test]
        fn garbage_is_refused(text in "\\PC{0,300}") {
            prop_assert!(read::<IntoHits>("after", &text).is_err());
        }
    }
}
