//! Providers that move money: a card network, an invoice of our own.
//!
//! A provider lies outside our database, so an answer can be lost after the money moved. Hence
//! every call carries a key made before it (the intent's id, a capture's or a refund's): the same
//! call again has one effect and the same answer, and [`PaymentProvider::look_up`] tells what
//! became of it. Write down what will be asked before asking it ([`Payment::ask`]), and learn from
//! answers, look-ups and webhooks in the same way ([`Payment::learn`]).
//!
//! [`Payment::ask`]: crate::domain::payment::Payment::ask
//! [`Payment::learn`]: crate::domain::payment::Payment::learn

use crate::domain::{
    id::{CaptureId, PaymentIntentId, RefundId},
    money::Money,
    payment::{Card, CardError, Decline, MethodToken, PaymentIntent, ProviderRecord},
    time::Micros,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;

/// Why a provider did not do what it was asked; each wants something else of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// It said no, and will say so again: tell the buyer [`Decline::words`], and learn the record
    /// as any other.
    #[error("the payment was declined: {}", .why.code())]
    Declined { why: Decline, record: ProviderRecord },
    /// It was not reached or could not work: nothing happened. Try again with the same key.
    #[error("the payment provider is unavailable: {0}")]
    Unavailable(String),
    /// The answer was lost: it may have happened. Ask [`PaymentProvider::look_up`]; never take
    /// this for a no.
    #[error("the payment provider did not answer: {0}")]
    Unknown(String),
    /// The call was wrong: an amount out of bounds, a key used for something else, a token that
    /// is not its own. Nothing happened; a bug of ours, and the same call fails again.
    #[error("the payment provider refused the call: {0}")]
    Refused(String),
}

/// Why a webhook is not believed, or can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A header is missing or is no such header.
    #[error("the webhook has no usable {0} header")]
    Header(&'static str),
    /// Signed by somebody else, or not for this body.
    #[error("the webhook's signature does not fit")]
    Signature,
    /// Signed too long ago or too far ahead: somebody may be sending an old one again.
    #[error("the webhook's time is more than {} minutes from ours", WEBHOOK_TOLERANCE_S / 60)]
    Time,
    /// Signed by the provider, and not to be understood: of a newer version, or damaged before
    /// it was signed.
    #[error("the webhook's body can't be read")]
    Body,
    /// This provider sends none.
    #[error("this payment provider sends no webhooks")]
    Unexpected,
}

/// How far a webhook's time may be from ours, as Standard Webhooks advises.
pub const WEBHOOK_TOLERANCE_S: i64 = 5 * 60;

/// Something the provider tells of its own accord, with its signature checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The same for each delivery of one event: keep it under a unique key.
    pub id: String,
    /// When it happened, by the provider's clock; it orders nothing.
    pub at: Micros,
    /// May be a part of what the provider knows, and older than what we know.
    pub record: ProviderRecord,
}

/// When money that was set aside is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collects {
    /// By the shop, once the order is confirmed.
    OnConfirmation,
    /// By a person who saw the money arrive: the shop never captures by itself.
    ByHand,
}

/// One provider. All calls may be made again with the same key, at the same time too.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// As in [`PaymentMethod::provider`](crate::domain::payment::PaymentMethod).
    fn name(&self) -> &'static str;

    fn collects(&self) -> Collects;

    /// Sets the intent's amount aside: `Ok` means that it is, unless the record says that it was
    /// captured or let go since.
    async fn authorise(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError>;

    /// Takes some of what was set aside; declined when that was let go meanwhile.
    async fn capture(
        &self,
        intent: PaymentIntentId,
        capture: CaptureId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError>;

    /// Gives back some of what was taken.
    async fn refund(
        &self,
        intent: PaymentIntentId,
        refund: RefundId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError>;

    /// Lets go what was set aside and not captured. Afterwards nothing more can be captured.
    ///
    /// An intent that the provider has never heard of is remembered as voided, so that an
    /// authorisation still on its way is declined when it arrives: this is how an intent is given
    /// up. Needs no key of its own: it can happen once only.
    async fn void(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError>;

    /// All the provider knows of an intent. `None`: it never heard of it, which is no promise
    /// that it won't; [`PaymentProvider::void`] makes it one. Never answers `Declined`.
    async fn look_up(
        &self,
        intent: PaymentIntentId,
    ) -> Result<Option<ProviderRecord>, PaymentError>;

    /// Believes a webhook or not. The body is to be the bytes as they came: other white space is
    /// another signature. Answer 2xx only once the event is committed.
    fn read_webhook(&self, headers: &HeaderMap, body: &[u8])
    -> Result<ProviderEvent, WebhookError>;
}

/// A provider that takes a card's number on a form of ours. One whose own page takes it has none:
/// the shop is given a token and never sees a number.
pub trait CardForm: Send + Sync {
    /// Puts a token in the card's place, to go into [`PaymentIntent::method`].
    fn tokenise(&self, card: &Card) -> Result<MethodToken, CardError>;

    /// Cards to try, where all is play money; else none.
    fn to_try(&self) -> Vec<CardToTry>;
}

/// One of the cards of a provider for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardToTry {
    /// In groups of four.
    pub number: String,
    /// What happens when it is used, as one sentence.
    pub does: &'static str,
}

/// Where a provider that lives inside this process posts its webhooks, as over HTTP.
#[async_trait]
pub trait WebhookSink: Send + Sync {
    /// The status it was answered; `None` when nobody answered. Whatever is not 2xx comes again.
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Option<u16>;
}
