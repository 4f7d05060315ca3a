//! Handle and follower over rows in memory, which tell the log of their changes.

use super::*;
use crate::{
    actors::keepers::{
        carts::Prices,
        rules::{Rules as Handle, RulesParts},
        writer,
    },
    domain::{
        cart::compare::Standing,
        coupon::{Coupon, CouponCode, CouponRefusal, CouponUser, CouponUses, Reduction},
        document::ProductDocument,
        id::{CouponId, CustomerGroupId, SessionId, UserId},
        money::{Currency, Money},
        ppm::Ppm,
        price::{Audience, PriceEntry, PriceKey, PriceList},
        principal::Principal,
        product::ProductStatus,
        quantity::Quantity,
        rule::{AssignedList, Rule, RuleKind, StoredRule},
        schedule::Schedule,
        scope::Site,
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        tax::TaxMode,
        time::Micros,
    },
    ports::{
        StoreError,
        rules::{RuleAct, RuleWritten},
        writer::{Write, Writer, Written},
    },
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicI64, Ordering},
    },
};
use supervisors::{
    Strategy, Supervisor,
    testing::{Universe, until},
};
use uuid::Uuid;

#[derive(Default)]
struct Tables {
    rules: BTreeMap<Uuid, Rule>,
    prices: BTreeMap<(ProductId, PriceListId, String, Quantity), i64>,
    groups: BTreeMap<CustomerId, CustomerGroupId>,
    uses: CouponUses,
    events: Vec<Event>,
    epoch: u128,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Tables>>);

impl Memory {
    fn change(&self, kind: EventKind, subject: Uuid, change: impl FnOnce(&mut Tables)) {
        let mut tables = self.0.lock().unwrap();
        change(&mut tables);
        let offset = tables.events.len() as i64 + 1;
        tables.events.push(Event { offset, kind: Some(kind), subject, at: Micros(0) });
    }

    fn put(&self, rule: Rule) {
        self.change(EventKind::RuleChanged, rule.id(), |tables| {
            tables.rules.insert(rule.id(), rule);
        });
    }

    fn price(&self, list: PriceListId, from: i64, amount: i64) {
        let from = Quantity::of_steps(from).unwrap();
        self.change(EventKind::ListPriceChanged, product().0, |tables| {
            tables.prices.insert((product(), list, "each".into(), from), amount);
        });
    }

    fn entries(&self, wanted: impl Fn(&PriceEntry) -> bool) -> Vec<PriceEntry> {
        let tables = self.0.lock().unwrap();
        let all = tables.prices.iter().map(|((product, list, unit, from), amount)| PriceEntry {
            list: *list,
            product: *product,
            unit: unit.clone(),
            min_quantity: *from,
            amount: *amount,
        });
        all.filter(wanted).collect()
    }
}

#[async_trait]
impl Rules for Memory {
    async fn all(&self) -> Result<Vec<StoredRule>, StoreError> {
        let stored = |rule: &Rule| StoredRule {
            rule: rule.clone(),
            version: 1,
            created_at: Micros(0),
            updated_at: Micros(0),
        };
        Ok(self.0.lock().unwrap().rules.values().map(stored).collect())
    }

    async fn of_kind(
        &self,
        _: RuleKind,
        _: Option<Uuid>,
        _: u32,
    ) -> Result<Vec<StoredRule>, StoreError> {
        self.all().await
    }

    async fn rule(&self, _: RuleKind, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
        Ok(self.all().await?.into_iter().find(|stored| stored.rule.id() == id))
    }

    async fn prices(&self, products: &[ProductId]) -> Result<Vec<PriceEntry>, StoreError> {
        Ok(self.entries(|entry| products.contains(&entry.product)))
    }

    async fn prices_after(
        &self,
        after: Option<&PriceEntry>,
        _: u32,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        let key = |e: &PriceEntry| (e.product, e.list, e.unit.clone(), e.min_quantity);
        let mut behind = self.entries(|entry| after.is_none_or(|after| key(entry) > key(after)));
        behind.truncate(1);
        Ok(behind)
    }

    async fn prices_of(
        &self,
        list: PriceListId,
        _: Option<&PriceKey>,
        _: u32,
    ) -> Result<Vec<PriceEntry>, StoreError> {
        Ok(self.entries(|entry| entry.list == list))
    }

    async fn groups_after(
        &self,
        after: Option<CustomerId>,
        _: u32,
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError> {
        let tables = self.0.lock().unwrap();
        let all = tables.groups.iter().map(|(customer, group)| (*customer, *group));
        Ok(all.filter(|(customer, _)| after.is_none_or(|after| *customer > after)).collect())
    }

    async fn groups_of(
        &self,
        customers: &[CustomerId],
    ) -> Result<Vec<(CustomerId, CustomerGroupId)>, StoreError> {
        let all = self.groups_after(None, 1).await?;
        Ok(all.into_iter().filter(|(customer, _)| customers.contains(customer)).collect())
    }

    async fn coupon_uses(
        &self,
        _: CouponId,
        _: Option<CouponUser>,
    ) -> Result<CouponUses, StoreError> {
        Ok(self.0.lock().unwrap().uses)
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn after(&self, offset: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let tables = self.0.lock().unwrap();
        let behind = tables.events.iter().filter(|event| event.offset > offset);
        Ok(behind.take(limit as usize).cloned().collect())
    }

    async fn head(&self) -> Result<Position, StoreError> {
        let tables = self.0.lock().unwrap();
        let epoch = Uuid::from_u128(tables.epoch);
        Ok(Position { epoch, offset: tables.events.len() as i64 })
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
impl Writer for Memory {
    async fn commit(&mut self, writes: Vec<Write>) -> Vec<Result<Written, StoreError>> {
        let sweep = |write| {
            let Write::Rules(write) = write else { panic!("{write:?}") };
            let RuleAct::SweepPrices { list, .. } = write.act else { panic!("{write:?}") };
            let mut tables = self.0.lock().unwrap();
            let before = tables.prices.len();
            tables.prices.retain(|(_, of, ..), _| *of != list);
            Ok(Written::Rule(RuleWritten::Swept((before - tables.prices.len()) as u64)))
        };
        writes.into_iter().map(sweep).collect()
    }
}

#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Micros {
        Micros(self.0.load(Ordering::SeqCst))
    }
}

struct Stage {
    memory: Memory,
    rules: Handle,
    clock: Arc<Hands>,
    nudge: Nudge,
    universe: Universe,
}

impl Stage {
    async fn set() -> Self {
        let (memory, clock, nudge) = (Memory::default(), Arc::new(Hands::default()), Nudge::new());
        let (mailbox, store) = writer::store();
        let shelf = RuleShelf::default();
        let parts = RulebookParts {
            shelf: shelf.clone(),
            rows: Arc::new(memory.clone()),
            outbox: Arc::new(memory.clone()),
            store: store.clone(),
            clock: clock.clone(),
        };
        let opened = memory.clone();
        let tree = Supervisor::new("test", Strategy::OneForOne)
            .child(writer::writer(&mailbox, &Nudge::new(), move || {
                let opened = opened.clone();
                async move { Ok(Box::new(opened) as Box<dyn Writer>) }
            }))
            .child(rulebook(parts, &nudge));
        let rules = Handle::new(RulesParts {
            shelf,
            rows: Arc::new(memory.clone()),
            store,
            clock: clock.clone(),
            site: Site("main".into()),
            currency: Currency::USD,
            base_tax: TaxMode::Exclusive,
        });
        let universe = Universe::start(tree).await.unwrap();
        Self { memory, rules, clock, nudge, universe }
    }

    /// What so many cost, in cents.
    fn costs(&self, who: &Principal, quantity: i64) -> Option<i64> {
        let Standing::Offered(offer) = self.rules.standing(who, Some(&document())) else {
            return None;
        };
        let price = offer.ladder.at(Quantity::of_steps(quantity).unwrap())?;
        Some(price.amount.minor)
    }

    async fn until_it_costs(&self, who: &Principal, quantity: i64, amount: i64) {
        self.nudge.wake();
        until("the price is in force", || self.costs(who, quantity) == Some(amount)).await;
    }
}

fn product() -> ProductId {
    ProductId(Uuid::from_u128(7))
}

fn document() -> ProductDocument {
    ProductDocument {
        id: product(),
        sku: Sku::new("A").unwrap(),
        slug: "a".into(),
        name: "A".into(),
        brand: None,
        short_description: None,
        description: None,
        status: ProductStatus::Active,
        price: Some(Money { minor: 1_000, currency: Currency::USD }),
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
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
    }
}

fn customer() -> CustomerId {
    CustomerId(Uuid::from_u128(1))
}

fn buyer() -> Principal {
    let (session, user) = (SessionId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
    Principal::Buyer { session, user, customer: customer() }
}

fn guest() -> Principal {
    Principal::Guest { session: SessionId(Uuid::from_u128(4)) }
}

fn list(n: u128, audience: Audience) -> (PriceListId, Rule) {
    let id = PriceListId(Uuid::from_u128(n));
    let list = PriceList {
        id,
        name: n.to_string(),
        currency: Currency::USD,
        active: true,
        priority: 0,
        tax: TaxMode::Exclusive,
        schedule: Schedule { from: None, until: Some(Micros(100)) },
    };
    (id, Rule::PriceList(AssignedList { list, audiences: [audience].into() }))
}

fn group() -> CustomerGroupId {
    CustomerGroupId(Uuid::from_u128(5))
}

#[tokio::test]
async fn what_is_set_is_in_force_for_whom_it_is_meant_and_as_long_as_it_is_meant() {
    let stage = Stage::set().await;
    assert_eq!(stage.costs(&buyer(), 1), Some(1_000));
    let before = stage.rules.stamp(&buyer());
    let (id, rule) = list(10, Audience::Customer { customer: customer() });
    stage.memory.put(rule);
    stage.memory.price(id, 1, 900);
    stage.memory.price(id, 10, 700);
    stage.until_it_costs(&buyer(), 10, 700).await;
    assert_eq!([1, 9].map(|n| stage.costs(&buyer(), n)), [Some(900); 2]);
    assert_eq!(stage.costs(&guest(), 10), Some(1_000));
    let set = stage.rules.stamp(&buyer());
    assert_ne!(set, before);
    stage.clock.0.store(100, Ordering::SeqCst);
    assert_eq!(stage.costs(&buyer(), 10), Some(1_000), "its time is over");
    assert_ne!(stage.rules.stamp(&buyer()), set, "time alone changes the stamp");
    stage.universe.stop().await;
}

#[tokio::test]
async fn who_joins_a_group_pays_its_price_and_who_leaves_it_does_not() {
    let stage = Stage::set().await;
    let (id, rule) = list(10, Audience::Group { group: group() });
    stage.memory.put(rule);
    stage.memory.price(id, 1, 800);
    stage.memory.change(EventKind::CustomerChanged, customer().0, |tables| {
        tables.groups.insert(customer(), group());
    });
    stage.until_it_costs(&buyer(), 1, 800).await;
    assert_eq!(stage.costs(&guest(), 1), Some(1_000));
    stage.memory.change(EventKind::CustomerChanged, customer().0, |tables| {
        tables.groups.clear();
    });
    stage.until_it_costs(&buyer(), 1, 1_000).await;
    stage.universe.stop().await;
}

#[tokio::test]
async fn a_dropped_list_counts_for_nobody_and_what_it_said_is_swept() {
    let stage = Stage::set().await;
    let site = Audience::Site { site: Site("main".into()) };
    let ((gone, first), (stays, second)) = (list(10, site.clone()), list(11, site));
    stage.memory.put(first);
    stage.memory.put(second);
    stage.memory.price(gone, 1, 500);
    stage.memory.price(stays, 1, 600);
    stage.until_it_costs(&guest(), 1, 500).await;
    stage.memory.change(EventKind::RuleChanged, gone.0, |tables| {
        tables.rules.remove(&gone.0);
    });
    stage.until_it_costs(&guest(), 1, 600).await;
    until("its entries are swept", || stage.memory.entries(|e| e.list == gone).is_empty()).await;
    assert_eq!(stage.memory.entries(|entry| entry.list == stays).len(), 1);
    stage.universe.stop().await;
}

#[tokio::test]
async fn with_another_log_everything_is_read_anew_and_what_was_left_behind_goes() {
    let stage = Stage::set().await;
    let (id, rule) = list(10, Audience::Site { site: Site("main".into()) });
    stage.memory.put(rule);
    stage.memory.price(id, 1, 500);
    stage.until_it_costs(&guest(), 1, 500).await;
    // A restored database: other rows, and a log of another epoch.
    let orphan = PriceListId(Uuid::from_u128(99));
    let from = Quantity::of_steps(1).unwrap();
    {
        let mut tables = stage.memory.0.lock().unwrap();
        tables.epoch = 1;
        tables.prices.insert((product(), id, "each".into(), from), 400);
        tables.prices.insert((product(), orphan, "each".into(), from), 1);
        tables.groups.insert(customer(), group());
    }
    stage.until_it_costs(&guest(), 1, 400).await;
    assert_eq!(stage.rules.buyer(&buyer()).group, Some(group()));
    until("nobody's are swept", || stage.memory.entries(|e| e.list == orphan).is_empty()).await;
    stage.universe.stop().await;
}

#[tokio::test]
async fn a_coupon_is_judged_by_its_rules_and_by_its_uses_so_far() {
    let stage = Stage::set().await;
    let subtotal = Money { minor: 1_000, currency: Currency::USD };
    let code = "welcome10 ";
    let unknown = stage.rules.coupon(code, subtotal, None).await.unwrap();
    assert_eq!(unknown, Err(CouponRefusal::Unknown));
    stage.memory.put(Rule::Coupon(Coupon {
        id: CouponId(Uuid::from_u128(20)),
        code: CouponCode::new(code).unwrap(),
        takes_off: Reduction::Percent { ppm: Ppm::parse_percent("10").unwrap() },
        minimum: None,
        schedule: Schedule::ALWAYS,
        most_uses: None,
        most_uses_per_customer: Some(1),
    }));
    stage.nudge.wake();
    let known = CouponCode::new(code).unwrap();
    until("the coupon is known", || stage.rules.now().coupon(&known).is_some()).await;
    let off = stage.rules.coupon(code, subtotal, None).await.unwrap();
    assert_eq!(off.map(|(_, off)| off.minor), Ok(100));
    stage.memory.0.lock().unwrap().uses = CouponUses { by_anyone: 5, by_this_customer: 1 };
    let user = CouponUser::of(None, "ann@example.com");
    let used = stage.rules.coupon(code, subtotal, Some(user)).await.unwrap();
    assert_eq!(used, Err(CouponRefusal::UsedUpByCustomer));
    stage.universe.stop().await;
}
