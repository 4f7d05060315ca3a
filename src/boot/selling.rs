//! What orders and payments need, made from the parts.

use super::{BootError, parts::Parts};
use crate::{
    actors::{
        keepers::{
            carts::Carts,
            limits::Limit,
            orders::{Orders, OrdersParts},
            products::Products,
            rules::Rules,
            stock::Stocks,
            till::{Inward, Till, TillParts},
            writer::StoreHandle,
        },
        reconcilers::holds::holds,
    },
    adapters::payments::{Invoice, TestCards, TestCardsTimes},
    config::Config,
    folder::Folder,
    http::Cards,
    ports::payments::PaymentProvider,
    tree::SellingSeats,
};
use std::{sync::Arc, time::Duration};
use supervisors::{Nudge, task};

const MINUTE: Duration = Duration::from_secs(60);

pub(super) struct Selling {
    pub(super) orders: Orders,
    pub(super) till: Till,
    pub(super) stocks: Stocks,
    pub(super) products: Products,
    pub(super) cards: Option<Cards>,
    pub(super) seats: SellingSeats,
}

/// `play_money`: whether test cards are taken.
pub(super) fn selling(
    config: &Config,
    folder: &Folder,
    parts: &Parts,
    store: &StoreHandle,
    carts: &Carts,
    rules: &Rules,
    play_money: bool,
) -> Result<Selling, BootError> {
    let invoice = Arc::new(Invoice::new(parts.store.clone()));
    let mut providers: Vec<Arc<dyn PaymentProvider>> = vec![invoice];
    let mut network = None;
    if play_money {
        let cards = TestCards::open(
            &folder.test_cards(),
            parts.clock.clone(),
            parts.ids.clone(),
            TestCardsTimes::default(),
        );
        let cards = Arc::new(cards.map_err(|error| BootError::Other(error.to_string()))?);
        tracing::warn!("test cards are taken: orders can be paid with play money");
        providers.push(cards.clone());
        network = Some(cards);
    }
    let till = Till::new(TillParts {
        store: store.clone(),
        rows: parts.store.clone(),
        providers,
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
    });
    let orders = Orders::new(OrdersParts {
        store: store.clone(),
        rows: parts.store.clone(),
        kept: parts.store.clone(),
        carts: carts.clone(),
        documents: parts.documents.clone(),
        rules: rules.clone(),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        chance: parts.chance.clone(),
        scope: parts.scope.clone(),
        hold: MINUTE * config.orders.hold_minutes,
        guesses: Limit::new(config.orders.guesses(), parts.clock.clone()),
    });
    let cards = network.clone().map(|form| Cards { provider: form.name(), form });
    let test_cards = network.map(|cards| {
        let sink = Arc::new(Inward { till: till.clone(), provider: cards.name() });
        task("test-cards", move |context| {
            let (cards, sink) = (cards.clone(), sink.clone());
            async move {
                tokio::select! {
                    () = context.stopped() => {}
                    () = cards.post(&*sink) => {}
                }
                Ok(())
            }
        })
    });
    let seats = SellingSeats {
        till: till.child(),
        holds: holds(store, &parts.clock, &Nudge::new()),
        test_cards,
    };
    let stocks = Stocks { store: store.clone(), rows: parts.store.clone() };
    let products = Products {
        store: store.clone(),
        rows: parts.store.clone(),
        clock: parts.clock.clone(),
        scope: parts.scope.clone(),
    };
    Ok(Selling { orders, till, stocks, products, cards, seats })
}
