//! The handle over a shop in memory: carts by the domain's own desk, documents on a shelf.

use super::{review::Review, *};
use crate::{
    actors::keepers::writer,
    domain::{
        cart::{CartLine, CartState, Desk, compare::Change},
        category::CategoryTree,
        document::ProductDocument,
        event::Position,
        id::{ProductId, SessionId, UserId},
        money::{Currency, Money},
        product::ProductStatus,
        stock::StockBand,
        tax::TaxCategory,
        tax::TaxMode,
    },
    ports::{
        documents::{DocumentChange, StoredDocument, Touched},
        writer::Writer,
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
};
use supervisors::{Nudge, Strategy, Supervisor, testing::Universe};
use uuid::Uuid;

/// Rows and products, with how many lines were read.
#[derive(Default)]
struct Memory {
    carts: Mutex<BTreeMap<CartId, Cart>>,
    lines: Mutex<BTreeMap<(CartId, Sku), CartLine>>,
    products: Mutex<BTreeMap<Sku, ProductDocument>>,
    offset: AtomicI64,
    next: AtomicU64,
    read: AtomicUsize,
}

impl Memory {
    fn edit(&self, write: &CartWrite) -> CartAnswer {
        let (mut carts, mut lines) = (self.carts.lock().unwrap(), self.lines.lock().unwrap());
        let writes = [write];
        let mut desk = Desk::new(&writes);
        desk.carts(carts.values().cloned());
        let plan = loop {
            match desk.plan() {
                Ok(plan) => break plan,
                Err(unknown) => {
                    let all = lines.iter().map(|((cart, _), line)| (*cart, line.clone()));
                    let all: Vec<_> = all.collect();
                    desk.lines(unknown, all);
                }
            }
        };
        carts.retain(|id, _| !plan.carts_gone.contains(id));
        carts.extend(plan.carts.into_iter().map(|cart| (cart.id, cart)));
        lines.retain(|place, _| !plan.lines_gone.contains(place));
        lines.extend(plan.lines.into_iter().map(|(cart, l)| ((cart, l.sku.clone()), l)));
        plan.answers.into_iter().next().unwrap()
    }

    fn lines_of(&self, cart: CartId) -> Vec<CartLine> {
        let lines = self.lines.lock().unwrap();
        let mut all: Vec<_> =
            lines.iter().filter(|((of, _), _)| *of == cart).map(|(_, l)| l.clone()).collect();
        all.sort_by_key(|line| line.place);
        all
    }

    fn put(&self, name: &str, minor: impl Into<Option<i64>>, band: StockBand) {
        let sku = Sku::new(name).unwrap();
        let document = ProductDocument {
            id: ProductId(Uuid::from_u128(9)),
            sku: sku.clone(),
            slug: name.to_lowercase(),
            name: name.into(),
            brand: None,
            short_description: None,
            description: None,
            status: ProductStatus::Active,
            price: minor.into().map(|minor| Money { minor, currency: Currency::USD }),
            tax_category: TaxCategory::default(),
            stock: band,
            unit: "each".into(),
            precision: 0,
            categories: Vec::new(),
            images: Vec::new(),
            attributes: BTreeMap::new(),
            options: BTreeMap::new(),
            parent: None,
            variants: Vec::new(),
            popularity: 0,
            created_at: Micros(0),
            updated_at: Micros(0),
        };
        self.products.lock().unwrap().insert(sku, document);
        self.offset.fetch_add(1, Ordering::SeqCst);
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut ProductDocument)) {
        let mut products = self.products.lock().unwrap();
        change(products.get_mut(&Sku::new(name).unwrap()).unwrap());
        self.offset.fetch_add(1, Ordering::SeqCst);
    }
}

struct MemoryWriter(Arc<Memory>);

#[async_trait]
impl Writer for MemoryWriter {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let answer = |write| match write {
            Write::Carts(write) => Ok(Written::Cart(self.0.edit(&write))),
            other => panic!("{other:?}"),
        };
        writes.into_iter().map(answer).collect()
    }
}

#[async_trait]
impl port::Carts for Memory {
    async fn cart(&self, owner: CartOwner, id: CartId) -> Result<Option<Cart>, StoreError> {
        Ok(self.carts.lock().unwrap().get(&id).filter(|cart| cart.owner == owner).cloned())
    }
    async fn of_kind(&self, owner: CartOwner, kind: CartKind) -> Result<Option<Cart>, StoreError> {
        Ok(self.open(owner).await?.into_iter().find(|cart| cart.kind == kind))
    }
    async fn open(&self, owner: CartOwner) -> Result<Vec<Cart>, StoreError> {
        let carts = self.carts.lock().unwrap();
        let open = |cart: &&Cart| cart.owner == owner && cart.state == CartState::Open;
        Ok(carts.values().filter(open).cloned().collect())
    }
    async fn lines(&self, cart: CartId, after: i64, n: u32) -> Result<Vec<CartLine>, StoreError> {
        let lines = self.lines_of(cart).into_iter().filter(|line| line.place > after);
        let lines: Vec<_> = lines.take(n as usize).collect();
        self.read.fetch_add(lines.len(), Ordering::SeqCst);
        Ok(lines)
    }
    async fn some(&self, cart: CartId, skus: &[Sku]) -> Result<Vec<CartLine>, StoreError> {
        let lines = self.lines_of(cart).into_iter().filter(|line| skus.contains(&line.sku));
        let lines: Vec<_> = lines.collect();
        self.read.fetch_add(lines.len(), Ordering::SeqCst);
        Ok(lines)
    }
    async fn whole(
        &self,
        owner: CartOwner,
        id: CartId,
    ) -> Result<Option<(Cart, Vec<CartLine>)>, StoreError> {
        let cart = self.cart(owner, id).await?;
        Ok(cart.map(|cart| (cart, self.lines_of(id))))
    }
}

impl Documents for Memory {
    fn by_sku(&self, _: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError> {
        let found = self.products.lock().unwrap().get(sku).cloned();
        let stored = |document| StoredDocument { document, json: Bytes::new(), card: Bytes::new() };
        Ok(found.map(stored))
    }
    fn position(&self) -> Result<Option<Position>, DocumentsError> {
        let offset = self.offset.load(Ordering::SeqCst);
        Ok(Some(Position { epoch: Uuid::nil(), offset }))
    }
    fn by_slug(&self, _: &Scope, _: &str) -> Result<Option<StoredDocument>, DocumentsError> {
        unreachable!("carts know products by SKU")
    }
    fn by_ids(
        &self,
        _: &Scope,
        _: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError> {
        unreachable!("carts know products by SKU")
    }
    fn documents(
        &self,
        _: &Scope,
        _: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError> {
        unreachable!("carts know products by SKU")
    }
    fn cards(&self, _: &Scope, _: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        unreachable!("carts show no cards")
    }
    fn json(&self, _: &Scope, _: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        unreachable!("carts show no JSON of products")
    }
    fn page_by_sku(
        &self,
        _: &Scope,
        _: Option<&Sku>,
        _: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError> {
        unreachable!("carts don't walk the catalogue")
    }
    fn page_by_id(
        &self,
        _: &Scope,
        _: Option<ProductId>,
        _: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError> {
        unreachable!("carts don't walk the catalogue")
    }
    fn categories(&self, _: &Scope) -> Arc<CategoryTree> {
        unreachable!("carts know no categories")
    }
    fn count(&self) -> Result<u64, DocumentsError> {
        unreachable!("carts don't count products")
    }
    fn ids(
        &self,
        _: &Scope,
        _: Option<ProductId>,
        _: usize,
    ) -> Result<Vec<ProductId>, DocumentsError> {
        unreachable!("carts don't walk the catalogue")
    }
    fn apply(
        &self,
        _: &Scope,
        _: Vec<DocumentChange>,
        _: Option<CategoryTree>,
        _: Option<Position>,
    ) -> Result<Touched, DocumentsError> {
        unreachable!("carts change no documents")
    }
    fn forget_position(&self) -> Result<(), DocumentsError> {
        unreachable!("carts change no documents")
    }
    fn clear(&self) -> Result<(), DocumentsError> {
        unreachable!("carts change no documents")
    }
}

impl Clock for Memory {
    fn now(&self) -> Micros {
        Micros(1)
    }
}

impl Ids for Memory {
    fn next(&self) -> Uuid {
        Uuid::from_u128(self.next.fetch_add(1, Ordering::SeqCst).into())
    }
}

struct Shop {
    memory: Arc<Memory>,
    carts: Carts,
    universe: Universe,
}

impl Shop {
    async fn open() -> Self {
        let memory = Arc::new(Memory::default());
        let (mailbox, store) = writer::store();
        let carts = Carts::new(CartsParts {
            store,
            rows: memory.clone(),
            documents: memory.clone(),
            prices: Arc::new(BasePrices { currency: Currency::USD, tax: TaxMode::Exclusive }),
            clock: memory.clone(),
            ids: memory.clone(),
            scope: Scope::default(),
        });
        let opened = memory.clone();
        let tree = Supervisor::new("test", Strategy::OneForOne).child(writer::writer(
            &mailbox,
            &Nudge::new(),
            move || {
                let opened = opened.clone();
                async move { Ok(Box::new(MemoryWriter(opened)) as Box<dyn Writer>) }
            },
        ));
        Self { memory, carts, universe: Universe::start(tree).await.unwrap() }
    }

    async fn add(&self, rows: &[(&str, &str)]) -> Edited {
        let (changes, refused) = self.carts.offers(&buyer(), &wanted(rows)).unwrap();
        assert_eq!(refused, []);
        let changes = changes.into_iter().map(|(_, change)| change).collect();
        let edit = CartEdit::Lines { changes, partial: false };
        let target = self.carts.of(CartKind::Active);
        self.carts.edit(&buyer(), target, None, edit).await.unwrap()
    }

    async fn active(&self) -> Cart {
        self.carts.of_kind(&buyer(), CartKind::Active).await.unwrap().unwrap()
    }

    async fn review(&self) -> Review {
        self.carts.review(&buyer(), &self.active().await).await.unwrap()
    }

    /// Lines that were read since the last time.
    fn read(&self) -> usize {
        self.memory.read.swap(0, Ordering::SeqCst)
    }
}

fn buyer() -> Principal {
    let (session, user) = (SessionId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
    Principal::Staff { session, user }
}

fn wanted(rows: &[(&str, &str)]) -> Vec<Wanted> {
    let wanted = |(sku, quantity): &(&str, &str)| Wanted {
        sku: (*sku).into(),
        quantity: (*quantity).into(),
        note: None,
    };
    rows.iter().map(wanted).collect()
}

fn changed(review: &Review) -> Vec<(&str, &[Change])> {
    review.lines.iter().map(|l| (l.line.sku.as_str(), l.changes.as_slice())).collect()
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

#[tokio::test]
async fn each_row_that_cannot_be_had_is_told_with_its_reason() {
    let shop = Shop::open().await;
    shop.memory.put("A", 100, StockBand::InStock);
    shop.memory.put("R", None, StockBand::InStock);
    shop.memory.put("D", 100, StockBand::InStock);
    shop.memory.change("D", |product| product.status = ProductStatus::Disabled);
    let rows =
        [("A", "1"), ("R", "1"), ("D", "1"), ("?", "1"), ("A", "1.5"), ("A", "-1"), ("", "1")];
    let (changes, refused) = shop.carts.offers(&buyer(), &wanted(&rows)).unwrap();
    assert_eq!(changes.len(), 1);
    let told: Vec<_> = refused.iter().map(|r| (r.row, r.why.to_string())).collect();
    assert_eq!(told.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(refused[0].why, LineRefusal::OnRequest);
    assert_eq!(refused[1].why, LineRefusal::NotSold);
    assert_eq!(refused[2].why, LineRefusal::Unknown);
    assert!(told[3].1.contains("whole units"), "{told:?}");
    let nobody = shop.carts.open(&Principal::Operator).await;
    assert!(matches!(nobody, Err(CartsError::NoBuyer)));
    shop.universe.stop().await;
}

#[tokio::test]
async fn what_changed_is_told_until_it_is_taken_note_of() {
    let shop = Shop::open().await;
    for name in ["A", "B", "C"] {
        shop.memory.put(name, 100, StockBand::InStock);
    }
    shop.add(&[("A", "2"), ("B", "1"), ("C", "1")]).await;
    assert_eq!(changed(&shop.review().await), []);
    shop.memory.change("A", |product| product.price = Some(usd(120)));
    shop.memory.change("B", |product| product.stock = StockBand::SoldOut);
    shop.memory.change("C", |product| product.status = ProductStatus::Disabled);
    let review = shop.review().await;
    let price = Change::Price { was: usd(100), now: usd(120) };
    let stock = Change::Stock { was: StockBand::InStock, now: StockBand::SoldOut };
    let told: [(&str, &[Change]); 3] =
        [("A", &[price]), ("B", &[stock]), ("C", &[Change::NotSold])];
    assert_eq!(changed(&review), told);
    assert_eq!(shop.active().await.subtotal(), Some(usd(400)), "nothing was slipped in");

    // One more change, after the page was made: what it shows is no longer all there is.
    shop.memory.change("A", |product| product.price = Some(usd(130)));
    let cart = shop.active().await;
    let late = shop.carts.take_note(&buyer(), &cart, &review.token).await;
    assert!(matches!(late, Err(CartsError::ChangedAgain)), "{late:?}");

    let token = shop.review().await.token;
    let taken = shop.carts.take_note(&buyer(), &cart, &token).await.unwrap();
    assert_eq!(taken.cart.subtotal(), Some(usd(460)));
    assert_eq!(changed(&shop.review().await), [("C", [Change::NotSold].as_slice())]);
    shop.universe.stop().await;
}

#[tokio::test]
async fn a_long_cart_is_compared_once_and_an_edit_looks_at_its_own_lines_alone() {
    let shop = Shop::open().await;
    let names: Vec<_> = (0..1_500).map(|n| format!("S{n}")).collect();
    names.iter().for_each(|name| shop.memory.put(name, 100, StockBand::InStock));
    let rows: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    shop.add(&rows).await;
    shop.memory.change("S7", |product| product.price = Some(usd(90)));
    shop.memory.change("S8", |product| product.price = Some(usd(90)));
    shop.read();
    assert_eq!(shop.review().await.changed, 2);
    assert_eq!(shop.read(), 1_500 + 2);
    assert_eq!(shop.review().await.changed, 2);
    assert_eq!(shop.read(), 2, "what changed, and nothing else");

    shop.add(&[("S1", "1")]).await;
    let remove = LineChange::Remove { sku: Sku::new("S8").unwrap() };
    let edit = CartEdit::Lines { changes: vec![remove], partial: false };
    shop.carts.edit(&buyer(), shop.carts.of(CartKind::Active), None, edit).await.unwrap();
    assert_eq!(shop.read(), 0);
    let review = shop.review().await;
    assert_eq!((changed(&review).len(), review.changed, shop.read()), (1, 1, 1));

    shop.memory.change("S9", |product| product.price = Some(usd(90)));
    assert_eq!(shop.review().await.changed, 2, "the catalogue has moved on");
    shop.universe.stop().await;
}

#[tokio::test]
async fn another_buyer_sees_nothing_of_it() {
    let shop = Shop::open().await;
    shop.memory.put("A", 100, StockBand::InStock);
    let cart = shop.add(&[("A", "1")]).await.cart;
    let other = Principal::Guest { session: SessionId(Uuid::from_u128(2)) };
    let absent = |outcome: Result<Cart, CartsError>| {
        assert!(matches!(outcome, Err(CartsError::Refused(CartRefusal::Absent))), "{outcome:?}");
    };
    absent(shop.carts.cart(&other, cart.id).await);
    absent(shop.carts.whole(&other, cart.id).await.map(|(cart, _)| cart));
    let act = CartAct::Delete { id: cart.id, expect: None };
    absent(shop.carts.act(&other, act).await.map(|edited| edited.cart));
    let (mine, lines) = shop.carts.whole(&buyer(), cart.id).await.unwrap();
    assert_eq!((&mine, lines.len()), (&cart, 1));
    shop.universe.stop().await;
}
