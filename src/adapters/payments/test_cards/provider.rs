//! The ports, as the network fulfils them.

use super::{Opening, TestCards, cards, cards::TestCard, network::refused, post};
use crate::{
    domain::{
        id::{CaptureId, PaymentIntentId, RefundId},
        money::Money,
        payment::{Card, CardError, MethodToken, PaymentIntent, ProviderRecord, Step},
    },
    ports::payments::{
        CardForm, CardToTry, Collects, PaymentError, PaymentProvider, ProviderEvent, WebhookError,
    },
};
use async_trait::async_trait;
use http::HeaderMap;

impl CardForm for TestCards {
    fn tokenise(&self, card: &Card) -> Result<MethodToken, CardError> {
        TestCard::of(card).map(TestCard::token).ok_or(CardError::NotATestCard)
    }

    fn to_try(&self) -> Vec<CardToTry> {
        cards().iter().map(TestCard::to_try).collect()
    }
}

#[async_trait]
impl PaymentProvider for TestCards {
    fn name(&self) -> &'static str {
        "test-cards"
    }

    fn collects(&self) -> Collects {
        Collects::OnConfirmation
    }

    async fn authorise(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        let opening = opening(intent)?;
        self.step(intent.id, Some(opening), Step::Authorise, intent.amount).await
    }

    async fn capture(
        &self,
        intent: PaymentIntentId,
        capture: CaptureId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        let step = Step::Capture { id: capture, minor: amount.minor };
        self.step(intent, None, step, amount).await
    }

    async fn refund(
        &self,
        intent: PaymentIntentId,
        refund: RefundId,
        amount: Money,
    ) -> Result<ProviderRecord, PaymentError> {
        let step = Step::Refund { id: refund, minor: amount.minor };
        self.step(intent, None, step, amount).await
    }

    async fn void(&self, intent: &PaymentIntent) -> Result<ProviderRecord, PaymentError> {
        let opening = opening(intent)?;
        self.step(intent.id, Some(opening), Step::Void, intent.amount).await
    }

    async fn look_up(
        &self,
        intent: PaymentIntentId,
    ) -> Result<Option<ProviderRecord>, PaymentError> {
        let (record, lines) = {
            let mut state = self.state();
            self.receive_late(&mut state)?;
            self.lapse(&mut state, intent)?;
            let record = state.network.account(intent).map(|account| account.record(intent));
            (record, self.ledger.queued())
        };
        // What a crash could take back is not told.
        let down = self.ledger.sync(lines).await;
        down.map_err(|error| PaymentError::Unavailable(error.to_string()))?;
        Ok(record)
    }

    fn read_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<ProviderEvent, WebhookError> {
        let id = self.key.verify(headers, body, self.clock.now())?;
        let post::Body { at, data: record, .. } =
            serde_json::from_slice(body).map_err(|_| WebhookError::Body)?;
        Ok(ProviderEvent { id, at, record })
    }
}

fn opening(intent: &PaymentIntent) -> Result<Opening, PaymentError> {
    match TestCard::by_token(&intent.method.token) {
        Some(card) => Ok(Opening { amount: intent.amount, card }),
        None => refused("the token is of no test card"),
    }
}
