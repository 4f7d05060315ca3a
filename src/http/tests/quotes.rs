//! Quotes over HTTP: whom they are for, and what is wrong with a wish.

use super::{accounts::Nobody, orders::Nothing};
use crate::{
    actors::keepers::{
        quotes::{Quotes, QuotesParts},
        writer,
    },
    domain::{id::QuoteId, quote::Quote, scope::Scope, tax::TaxMode},
    ports::{
        StoreError,
        documents::Documents,
        quotes::{self as port, QuoteFilter},
    },
    views::Sender,
};
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl port::Quotes for Nothing {
    async fn quote(&self, _: QuoteId) -> Result<Option<Quote>, StoreError> {
        Ok(None)
    }
    async fn quotes(
        &self,
        _: QuoteFilter,
        _: Option<QuoteId>,
        _: u32,
    ) -> Result<Vec<Quote>, StoreError> {
        Ok(Vec::new())
    }
}

/// A handle whose writer has stopped.
pub(super) fn no_quotes(documents: Arc<dyn Documents>) -> Quotes {
    let (_gone, store) = writer::store();
    Quotes::new(QuotesParts {
        store,
        rows: Arc::new(Nothing),
        accounts: Arc::new(Nobody),
        documents,
        clock: Arc::new(Nothing),
        ids: Arc::new(Nothing),
        scope: Scope::default(),
        sender: Sender { shop: "Shop".into(), url: "http://localhost".into() },
        shop_email: "shop@localhost".into(),
        tax: TaxMode::Exclusive,
    })
}
