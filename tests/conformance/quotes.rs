//! `ports::quotes`: a quote is kept at the version that was seen, with its mail and its prices.

use crate::{
    accounts::register,
    shop::{Shop, on_both_databases},
};
use std::time::Duration;
use stoa::{
    domain::{
        audit::Change,
        id::{CustomerId, MailId, PriceListId, QuoteId},
        money::{Currency, Money},
        quantity::{Precision, Quantity},
        quote::{Quote, QuoteAct, QuoteBody, QuoteLine, QuoteStatus},
        rule::{Rule, RuleKind},
        tax::TaxMode,
    },
    ports::{
        audit::Audit,
        clock::{Clock, Ids},
        mail::{MailBody, MailQueue, MailState, NewMail},
        outbox::Outbox,
        quotes::{QuoteFilter, QuoteWrite, QuoteWritten, Quotes},
        rules::{RuleAct, RuleWrite, Rules},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_quote_is_read_back_and_moved_only_at_the_version_that_was_seen,
    a_taken_offer_sets_its_prices_or_nothing_is_kept,
    quotes_are_listed_by_customer_and_state_the_newest_first,
];

async fn quote(shop: &Shop, customer: CustomerId) -> Quote {
    let product = shop.document("A").await;
    let now = shop.source.now();
    let line = QuoteLine {
        product: product.id,
        sku: product.sku,
        name: "Grüße \"x\" \\".into(),
        unit: product.unit,
        precision: Precision::default(),
        quantity: Quantity::of_steps(3).unwrap(),
        offered: None,
    };
    Quote {
        id: QuoteId(shop.source.next()),
        customer,
        asked_by: "user:1".into(),
        email: "ada@example.com".into(),
        status: QuoteStatus::Requested,
        version: 1,
        body: QuoteBody { lines: vec![line], wish: "soon\n?".into(), answer: String::new() },
        valid_until: None,
        created_at: now,
        updated_at: now,
    }
}

fn write(shop: &Shop, quote: &Quote, was: Option<i64>) -> QuoteWrite {
    let at = quote.updated_at;
    let mail = NewMail {
        id: MailId(shop.source.next()),
        kind: "quote_test",
        recipient: "shop@example.com".into(),
        subject: "s".into(),
        body: MailBody("b".into()),
        at,
        until: at.plus(Duration::from_secs(60)),
    };
    let told = Change::new(at, "user:1", "quote.test", "quote:1", None::<&()>, Some(&quote.status));
    QuoteWrite { quote: quote.clone(), was, rules: Vec::new(), mails: vec![mail], told }
}

async fn keep(shop: &mut Shop, write: QuoteWrite) -> QuoteWritten {
    match shop.commit(Write::Quote(Box::new(write))).await.unwrap() {
        Written::Quote(written) => written,
        other => panic!("{other:?}"),
    }
}

fn offered(shop: &Shop, quote: &Quote) -> Quote {
    let at = shop.source.now();
    let price = Money { minor: 999, currency: Currency::USD };
    let valid_until = at.plus(Duration::from_secs(24 * 60 * 60));
    let act = QuoteAct::Offer { prices: vec![price], answer: "Gladly.".into(), valid_until };
    quote.apply(&act, at).unwrap()
}

async fn a_quote_is_read_back_and_moved_only_at_the_version_that_was_seen(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let (customer, _) = register(&mut shop, "ada").await;
    let asked = quote(&shop, customer).await;
    let first = write(&shop, &asked, None);
    assert_eq!(keep(&mut shop, first).await, QuoteWritten::Kept(Box::new(asked.clone())));
    assert_eq!(shop.store.quote(asked.id).await.unwrap(), Some(asked.clone()));
    let offer = offered(&shop, &asked);
    let second = write(&shop, &offer, Some(1));
    assert_eq!(keep(&mut shop, second.clone()).await, QuoteWritten::Kept(Box::new(offer.clone())));
    assert_eq!(keep(&mut shop, second).await, QuoteWritten::Stale);
    assert_eq!(shop.store.quote(asked.id).await.unwrap(), Some(offer));
    // Each that was kept has its mail and its entry, and the other one neither.
    let mails = shop.store.queued(MailState::Waiting, 9).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| mail.kind == "quote_test").count(), 2);
    shop.store.number().await.unwrap();
    let told = shop.store.entries_before(None, 9).await.unwrap();
    assert_eq!(told.iter().filter(|entry| entry.action == "quote.test").count(), 2);
    assert_eq!(shop.store.quote(QuoteId(shop.source.next())).await.unwrap(), None);
}

async fn a_taken_offer_sets_its_prices_or_nothing_is_kept(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let (customer, _) = register(&mut shop, "ada").await;
    let asked = quote(&shop, customer).await;
    let first = write(&shop, &asked, None);
    keep(&mut shop, first).await;
    let offer = offered(&shop, &asked);
    let second = write(&shop, &offer, Some(1));
    keep(&mut shop, second).await;
    let at = shop.source.now();
    let taken = offer.apply(&QuoteAct::Accept, at).unwrap();
    let list = PriceListId(shop.source.next());
    let (assigned, edit) = taken.agreed(list, TaxMode::Exclusive, at).unwrap();
    let rule = |act| RuleWrite { act, by: "user:1".into(), at };
    let put = RuleAct::Put { rule: Box::new(Rule::PriceList(assigned)), if_version: Some(0) };
    let prices = RuleAct::Prices { list, edit };
    // Prices of a list that isn't there: the quote is not taken either.
    let half = QuoteWrite { rules: vec![rule(prices.clone())], ..write(&shop, &taken, Some(2)) };
    assert!(shop.commit(Write::Quote(Box::new(half))).await.is_err());
    assert_eq!(shop.store.quote(asked.id).await.unwrap(), Some(offer));
    let whole =
        QuoteWrite { rules: vec![rule(put), rule(prices)], ..write(&shop, &taken, Some(2)) };
    assert_eq!(keep(&mut shop, whole).await, QuoteWritten::Kept(Box::new(taken.clone())));
    let rule = shop.store.rule(RuleKind::PriceList, list.0).await.unwrap().unwrap();
    let Rule::PriceList(kept) = rule.rule else { panic!("{rule:?}") };
    assert_eq!(kept.list.name, format!("Quote {}", taken.label()));
    let entries = shop.store.prices_of(list, None, 9).await.unwrap();
    assert_eq!((entries.len(), entries[0].amount), (1, 999));
    assert_eq!(entries[0].min_quantity, taken.body.lines[0].quantity);
}

async fn quotes_are_listed_by_customer_and_state_the_newest_first(mut shop: Shop) {
    shop.stocked(&[("A", 9)]).await;
    let (ada, _) = register(&mut shop, "ada").await;
    let (bob, _) = register(&mut shop, "bob").await;
    let mut ids = Vec::new();
    for of in [ada, bob, ada] {
        let asked = quote(&shop, of).await;
        let first = write(&shop, &asked, None);
        keep(&mut shop, first).await;
        ids.push(asked);
    }
    let offer = offered(&shop, &ids[0]);
    let second = write(&shop, &offer, Some(1));
    keep(&mut shop, second).await;
    let list = async |filter, before, limit| -> Vec<QuoteId> {
        let found = shop.store.quotes(filter, before, limit).await.unwrap();
        found.into_iter().map(|quote| quote.id).collect()
    };
    let [a, b, c] = [ids[0].id, ids[1].id, ids[2].id];
    let all = QuoteFilter::default();
    assert_eq!(list(all, None, 9).await, [c, b, a]);
    assert_eq!(list(all, None, 2).await, [c, b]);
    assert_eq!(list(all, Some(b), 9).await, [a]);
    let mine = QuoteFilter { customer: Some(ada), status: None };
    assert_eq!(list(mine, None, 9).await, [c, a]);
    let open = QuoteFilter { customer: None, status: Some(QuoteStatus::Requested) };
    assert_eq!(list(open, None, 9).await, [c, b]);
    let both = QuoteFilter { customer: Some(ada), status: Some(QuoteStatus::Offered) };
    assert_eq!(list(both, None, 9).await, [a]);
}
