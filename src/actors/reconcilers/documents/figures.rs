//! What following costs: `cargo test --release -- --ignored --nocapture what_following_costs`.
#![expect(clippy::disallowed_methods, reason = "measures")]

use super::*;
use crate::{
    adapters::documents::RedbDocuments,
    domain::{
        category::{CategoryRef, CategoryTree},
        event::Event,
        id::CategoryId,
        money::{Currency, Money},
        product::ProductStatus,
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::StoreError,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};
use supervisors::{Strategy, Supervisor, testing::Universe};
use uuid::Uuid;

const PRODUCTS: i64 = 50_000;

/// A database that answers at once.
struct Instantly {
    head: AtomicI64,
}

fn product(n: i64) -> ProductDocument {
    let category = |name: &str| CategoryRef {
        id: CategoryId(Uuid::nil()),
        slug: name.to_lowercase(),
        name: name.to_owned(),
    };
    ProductDocument {
        id: ProductId(Uuid::from_u128(n as u128)),
        sku: Sku::new(&format!("SKU-{n}")).unwrap(),
        slug: format!("a-phone-with-a-rather-long-name-{n}"),
        name: format!("A phone with a rather long name {n}"),
        brand: Some("Brand & Sons".to_owned()),
        short_description: Some("4 cores, 8 GB, and a screen to look at".to_owned()),
        description: Some("Grab your data and your minutes as you go. ".repeat(14)),
        status: ProductStatus::Active,
        price: Some(Money { minor: 4999 + n, currency: Currency::USD }),
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".to_owned(),
        precision: 0,
        categories: vec![category("Electronics"), category("Phones")],
        images: vec!["https://pictures.example.com/phone.jpg".to_owned()],
        attributes: [("Colour", "Black"), ("Size", "5 in")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity: n,
        created_at: Micros(1),
        updated_at: Micros(1),
    }
}

#[async_trait]
impl Outbox for Instantly {
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let to = self.head.load(Ordering::SeqCst).min(offset + i64::from(limit));
        let event = |offset| Event {
            offset,
            kind: Some(EventKind::ProductChanged),
            subject: Uuid::from_u128((offset % PRODUCTS) as u128),
            at: Micros(0),
        };
        Ok((offset + 1..=to).map(event).collect())
    }
    async fn head(&self) -> Result<Position, StoreError> {
        Ok(Position { epoch: Uuid::nil(), offset: self.head.load(Ordering::SeqCst) })
    }
    async fn pruned(&self) -> Result<i64, StoreError> {
        Ok(0)
    }
    async fn number(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn prune(&self, _: i64, _: Micros) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[async_trait]
impl Catalog for Instantly {
    async fn documents(
        &self,
        _: &Scope,
        products: &[ProductId],
    ) -> Result<Vec<ProductDocument>, StoreError> {
        Ok(products.iter().map(|id| product(id.0.as_u128() as i64)).collect())
    }
    async fn product_ids(
        &self,
        _: &Scope,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductId>, StoreError> {
        let from = after.map_or(0, |id| id.0.as_u128() as i64 + 1);
        let to = PRODUCTS.min(from + i64::from(limit));
        Ok((from..to).map(|n| ProductId(Uuid::from_u128(n as u128))).collect())
    }
    async fn categories(&self, _: &Scope) -> Result<CategoryTree, StoreError> {
        Ok(CategoryTree::default())
    }
    async fn product_count(&self) -> Result<u64, StoreError> {
        Ok(PRODUCTS as u64)
    }
}

impl Clock for Instantly {
    fn now(&self) -> Micros {
        Micros(0)
    }
}

impl Invalidate for Instantly {
    fn products(&self, _: &[(ProductId, String)]) {}
    fn everything(&self) {}
}

async fn took(head: i64, progress: &Progress) -> Duration {
    let began = Instant::now();
    while progress.position().is_none_or(|p| p.offset < head) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

/// Run it on one core (`taskset -c 1`): loading, rendering and applying share it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures, asserts nothing"]
async fn what_following_costs() {
    let (began, products) = (Instant::now(), PRODUCTS as u32);
    let bytes: usize =
        (0..PRODUCTS).map(|n| render(product(n))).map(|s| s.json.len() + s.card.len()).sum();
    println!(
        "rendered in {:?} each, {} bytes",
        began.elapsed() / products,
        bytes as u32 / products
    );
    for batch in [500, 1_000, 2_000, 4_000] {
        let folder = tempfile::tempdir().unwrap();
        let world = Arc::new(Instantly { head: AtomicI64::new(0) });
        let (nudge, progress) = (Nudge::new(), Progress::default());
        let documents = RedbDocuments::open(&folder.path().join("documents.redb"), "1").unwrap();
        let parts = DocumentsParts {
            outbox: Arc::clone(&world) as _,
            catalog: Arc::clone(&world) as _,
            documents: Arc::new(documents),
            invalidate: Arc::clone(&world) as _,
            clock: Arc::clone(&world) as _,
            scope: Scope::default(),
            render,
            progress: progress.clone(),
            changed: Vec::new(),
            batch,
        };
        let tree =
            Supervisor::new("test", Strategy::OneForOne).child(super::documents(parts, &nudge));
        let universe = Universe::start(tree).await.unwrap();
        let rebuilt = took(0, &progress).await;
        world.head.store(PRODUCTS, Ordering::SeqCst);
        nudge.wake();
        let followed = took(PRODUCTS, &progress).await;
        let rate = |took: Duration| f64::from(products) / took.as_secs_f64();
        println!(
            "{batch} a batch: rebuilt {:.0}/s, followed {:.0}/s",
            rate(rebuilt),
            rate(followed)
        );
        universe.stop().await;
    }
}
