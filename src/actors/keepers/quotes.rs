//! Quotes: asked for by customers, answered by staff, taken or not.
//!
//! Promise: what is answered is committed, with the mail that tells the other side of it and, of a
//! taken offer, the prices that were agreed on. Each move is decided on a quote as it was read and
//! written only if nobody moved it meanwhile. Nothing is kept here, so nothing is lost when a
//! process dies.

use super::{
    carts::{Named, Wanted},
    writer::{OnceError, StoreHandle, Told, WriteError, unexpected},
};
use crate::{
    domain::{
        audit::Change,
        cart::{LineRefusal, RowRefusal},
        id::{MailId, PriceListId, QuoteId},
        principal::Principal,
        product::ProductStatus,
        quantity::{Precision, Quantity},
        quote::{
            MOST_LINES, MOST_WORDS, Quote, QuoteAct, QuoteBody, QuoteLine, QuoteRefusal,
            QuoteStatus,
        },
        rule::Rule,
        scope::Scope,
        sku::Sku,
        tax::TaxMode,
        time::Micros,
    },
    ports::{
        StoreError,
        accounts::Accounts,
        clock::{Clock, Ids},
        documents::{Documents, DocumentsError},
        mail::{MailBody, NewMail},
        quotes::{self as port, QuoteFilter, QuoteWrite, QuoteWritten},
        rules::{RuleAct, RuleWrite},
        writer::{Once, Write, Written},
    },
    views::{MailText, QuoteMail, Sender, quote_mail},
};
use std::{sync::Arc, time::Duration};

/// Later its mail would only confuse.
const MAIL_LASTS: Duration = Duration::from_secs(3 * 24 * 60 * 60);

#[derive(Debug, thiserror::Error)]
pub(crate) enum QuotesError {
    #[error("a quote is for somebody who has logged in, as its prices are for them alone")]
    NoBuyer,
    #[error("there is nothing in it to quote")]
    Empty,
    #[error("ask for at most {MOST_LINES} products at once")]
    TooMany,
    #[error("say it in {MOST_WORDS} characters at most")]
    TooLong,
    #[error("some products can't be quoted")]
    Lines(Vec<RowRefusal>),
    #[error(transparent)]
    Refused(#[from] QuoteRefusal),
    /// Somebody moved it meanwhile, or it is another version than was seen.
    #[error("the quote has changed since: look at it once more")]
    Stale,
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Once(#[from] OnceError),
}

pub(crate) struct QuotesParts {
    pub(crate) store: StoreHandle,
    pub(crate) rows: Arc<dyn port::Quotes>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) scope: Scope,
    pub(crate) sender: Sender,
    /// Where the shop itself is written to.
    pub(crate) shop_email: String,
    /// Of prices that are agreed on.
    pub(crate) tax: TaxMode,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Quotes {
    parts: Arc<QuotesParts>,
}

impl Quotes {
    pub(crate) fn new(parts: QuotesParts) -> Self {
        Self { parts: Arc::new(parts) }
    }

    /// Asks for prices, under the name the asker gave.
    pub(crate) async fn ask(
        &self,
        who: &Principal,
        wanted: &[Wanted],
        wish: &str,
        named: Named,
    ) -> Result<Told, QuotesError> {
        let parts = &self.parts;
        let Principal::Buyer { user, customer, .. } = who else { return Err(QuotesError::NoBuyer) };
        if wish.chars().count() > MOST_WORDS {
            return Err(QuotesError::TooLong);
        }
        let lines = self.lines(wanted)?;
        let account = parts.accounts.by_user(*user).await?.ok_or(QuotesError::NoBuyer)?.account;
        let now = parts.clock.now();
        let quote = Quote {
            id: QuoteId(parts.ids.next()),
            customer: *customer,
            asked_by: who.to_string(),
            email: account.email.map(String::from).unwrap_or_default(),
            status: QuoteStatus::Requested,
            version: 1,
            body: QuoteBody { lines, wish: wish.trim().to_owned(), answer: String::new() },
            valid_until: None,
            created_at: now,
            updated_at: now,
        };
        let write = QuoteWrite {
            mails: self.mails(&quote),
            told: self.told("quote.ask", who, None, &quote),
            was: None,
            rules: Vec::new(),
            quote,
        };
        let Named { name, body, answer } = named;
        let write = Box::new(Write::Quote(Box::new(write)));
        Ok(parts.store.once(Once { name, body, at: now, write, answer }).await?)
    }

    fn lines(&self, wanted: &[Wanted]) -> Result<Vec<QuoteLine>, QuotesError> {
        match wanted.len() {
            0 => return Err(QuotesError::Empty),
            1..=MOST_LINES => {}
            _ => return Err(QuotesError::TooMany),
        }
        let (mut lines, mut refused) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (row, wanted) in wanted.iter().enumerate() {
            match Sku::new(&wanted.sku) {
                Ok(sku) => match self.line(&sku, &wanted.quantity)? {
                    Ok(line) => lines.push(line),
                    Err(why) => refused.push(RowRefusal { row, sku: Some(sku), why }),
                },
                Err(error) => {
                    refused.push(RowRefusal { row, sku: None, why: LineRefusal::Sku(error) });
                }
            }
        }
        match refused.is_empty() {
            true => Ok(lines),
            false => Err(QuotesError::Lines(refused)),
        }
    }

    fn line(
        &self,
        sku: &Sku,
        quantity: &str,
    ) -> Result<Result<QuoteLine, LineRefusal>, DocumentsError> {
        let found = self.parts.documents.by_sku(&self.parts.scope, sku)?;
        let Some(document) = found.map(|found| found.document) else {
            return Ok(Err(LineRefusal::Unknown));
        };
        if document.status != ProductStatus::Active {
            return Ok(Err(LineRefusal::NotSold));
        }
        if !document.variants.is_empty() {
            let skus = document.variants.into_iter().map(|variant| variant.sku);
            return Ok(Err(LineRefusal::HasVariants(skus.collect())));
        }
        let read = Precision::new(document.precision)
            .and_then(|precision| Ok((precision, Quantity::parse(quantity, precision)?)));
        Ok(read.map_err(LineRefusal::Quantity).map(|(precision, quantity)| QuoteLine {
            product: document.id,
            sku: document.sku,
            name: document.name,
            unit: document.unit,
            precision,
            quantity,
            offered: None,
        }))
    }

    /// Moves a quote on. `None`: there is no such one.
    pub(crate) async fn act(
        &self,
        who: &Principal,
        id: QuoteId,
        act: QuoteAct,
        if_version: Option<i64>,
    ) -> Result<Option<Quote>, QuotesError> {
        let parts = &self.parts;
        let Some(before) = parts.rows.quote(id).await? else { return Ok(None) };
        if if_version.is_some_and(|version| version != before.version) {
            return Err(QuotesError::Stale);
        }
        let at = parts.clock.now();
        let quote = before.apply(&act, at)?;
        let write = QuoteWrite {
            rules: self.agreed(who, &quote, &act, at),
            mails: self.mails(&quote),
            told: self.told(act.name(), who, Some(&before), &quote),
            was: Some(before.version),
            quote,
        };
        match parts.store.write(Write::Quote(Box::new(write))).await? {
            Written::Quote(QuoteWritten::Kept(quote)) => Ok(Some(*quote)),
            Written::Quote(QuoteWritten::Stale) => Err(QuotesError::Stale),
            other => Err(unexpected(&other).into()),
        }
    }

    /// What a taken offer sets.
    fn agreed(&self, who: &Principal, quote: &Quote, act: &QuoteAct, at: Micros) -> Vec<RuleWrite> {
        if *act != QuoteAct::Accept {
            return Vec::new();
        }
        let list = PriceListId(self.parts.ids.next());
        let Some((assigned, edit)) = quote.agreed(list, self.parts.tax, at) else {
            return Vec::new();
        };
        let rule = Box::new(Rule::PriceList(assigned));
        [RuleAct::Put { rule, if_version: Some(0) }, RuleAct::Prices { list, edit }]
            .map(|act| RuleWrite { act, by: who.to_string(), at })
            .into()
    }

    /// To the side that has to know.
    fn mails(&self, quote: &Quote) -> Vec<NewMail> {
        let parts = &self.parts;
        let to_shop = !matches!(quote.status, QuoteStatus::Offered | QuoteStatus::Refused);
        let recipient = if to_shop { &parts.shop_email } else { &quote.email };
        // Nobody to be told: who asked was erased since.
        if recipient.is_empty() {
            return Vec::new();
        }
        let mail = QuoteMail { sender: &parts.sender, quote, to_shop };
        let (kind, MailText { subject, body, html: _ }) = quote_mail(&mail);
        let at = quote.updated_at;
        vec![NewMail {
            id: MailId(parts.ids.next()),
            kind,
            recipient: recipient.clone(),
            subject,
            body: MailBody(body),
            at,
            until: at.plus(MAIL_LASTS),
        }]
    }

    fn told(
        &self,
        action: &'static str,
        who: &Principal,
        before: Option<&Quote>,
        after: &Quote,
    ) -> Change {
        let (subject, by) = (format!("quote:{}", after.id), who.to_string());
        let old = before.map(|quote| quote.status);
        Change::new(after.updated_at, by, action, subject, old.as_ref(), Some(&after.status))
    }

    pub(crate) async fn get(&self, id: QuoteId) -> Result<Option<Quote>, QuotesError> {
        Ok(self.parts.rows.quote(id).await?)
    }

    /// The newest first.
    pub(crate) async fn list(
        &self,
        filter: QuoteFilter,
        before: Option<QuoteId>,
        limit: u32,
    ) -> Result<Vec<Quote>, QuotesError> {
        Ok(self.parts.rows.quotes(filter, before, limit).await?)
    }
}
