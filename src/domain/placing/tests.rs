use super::*;
use crate::domain::{
    address::AddressDraft,
    id::{PaymentIntentId, WarehouseId},
    line::PricedLine,
    money::Currency,
    order::{OrderNumber, OrderState},
    payment::MethodToken,
    price::UnitPrice,
    quantity::{Precision, Quantity},
    scope::Scope,
    stock::{ItemStock, LevelStock},
    tax::{TaxAt, TaxCategory, TaxMode},
    time::Micros,
    totals::{Terms, Totals},
};
use proptest::prelude::*;
use uuid::Uuid;

fn product(n: u8) -> ProductId {
    ProductId(Uuid::from_u64_pair(1, n.into()))
}

fn item(n: u8) -> StockItemId {
    StockItemId(Uuid::from_u64_pair(2, n.into()))
}

fn warehouse(n: u8) -> WarehouseId {
    WarehouseId(Uuid::from_u64_pair(3, n.into()))
}

fn sku(n: u8) -> Sku {
    Sku::new(&format!("P{n}")).unwrap()
}

const PRICE: Money = Money { minor: 500, currency: Currency::EUR };

fn priced(quantity: i64, amount: Money) -> PricedLine {
    let price = UnitPrice {
        amount,
        tax: TaxMode::Exclusive,
        source: PriceSource::Base,
        min_quantity: Quantity::STEP,
    };
    let quantity = Quantity::of_steps(quantity).unwrap();
    PricedLine::new(quantity, Precision::default(), price, TaxCategory::default()).unwrap()
}

fn placing(n: u64, lines: &[(u8, i64)]) -> Placing {
    let address = AddressDraft {
        name: "A".into(),
        street: "S 1".into(),
        city: "C".into(),
        postcode: "10115".into(),
        country: "DE".into(),
        ..AddressDraft::default()
    };
    let priced: Vec<_> = lines.iter().map(|(_, quantity)| priced(*quantity, PRICE)).collect();
    let terms = Terms { currency: Currency::EUR, discount: None, shipping: None, tax: TaxAt::NONE };
    let totals = Totals::of(&priced, &terms).unwrap();
    let lines = lines.iter().zip(priced).zip(totals.lines);
    let lines = lines.map(|(((n, _), priced), total)| OrderLine {
        product: product(*n),
        sku: sku(*n),
        name: "N".into(),
        unit: "each".into(),
        priced,
        total,
    });
    Placing {
        order: Order {
            id: OrderId(Uuid::from_u64_pair(9, n)),
            number: OrderNumber::NONE,
            scope: Scope::default(),
            state: OrderState::PLACED,
            version: 1,
            cart: None,
            customer: None,
            placed_by: "guest".into(),
            email: "a@example.com".into(),
            lines: lines.collect(),
            summary: totals.summary,
            coupon: None,
            shipping: None,
            ship_to: address.check().unwrap(),
            bill_to: None,
            payment: PaymentIntentId(Uuid::from_u64_pair(10, n)),
            provider: "test".into(),
            held_until: None,
            placed_at: Micros(0),
            updated_at: Micros(0),
        },
        access: [0; 32],
        token: None,
        method: PaymentMethod { provider: "test".into(), token: MethodToken::new("t") },
        cart_version: None,
    }
}

/// Products 0 to 3 are counted as items of their own, 4 is two of item 0 and one of item 1, 5 is
/// counted by nobody.
fn known(items: Vec<ItemStock>) -> Known {
    let items = items.into_iter().enumerate().map(|(n, stock)| (item(n as u8), stock)).collect();
    let mut shelves = Shelves::new(items);
    (0..4).for_each(|n| shelves.consumes(product(n), item(n), 1));
    shelves.consumes(product(4), item(0), 2);
    shelves.consumes(product(4), item(1), 1);
    let now = |n| ProductNow {
        sku: sku(n),
        active: true,
        price: Some(PRICE),
        tax_category: TaxCategory::default(),
    };
    let products = (0..6).map(|n| (product(n), now(n))).collect();
    Known {
        products,
        shelves,
        ordered: HashMap::new(),
        carts: HashMap::new(),
        coupons: CouponDesk::default(),
    }
}

fn stock(on_hand: &[i64]) -> ItemStock {
    let level = |(n, on_hand): (usize, &i64)| LevelStock {
        warehouse: warehouse(n as u8),
        on_hand: *on_hand,
        reserved: 0,
        owed: 0,
    };
    ItemStock { levels: on_hand.iter().enumerate().map(level).collect(), ..ItemStock::default() }
}

fn verdicts(placings: &[Placing], known: Known) -> Vec<Verdict> {
    decide(&placings.iter().collect::<Vec<_>>(), known).verdicts
}

fn sold_out(left: &[(u8, i64)]) -> Verdict {
    Verdict::SoldOut(left.iter().map(|(n, left)| Short { sku: sku(*n), left: *left }).collect())
}

#[test]
fn lines_that_draw_on_one_item_are_summed_before_they_are_checked() {
    // A product and a bundle with it; each alone would do.
    let all = [
        placing(1, &[(0, 3), (4, 1)]),
        placing(2, &[(0, 2), (4, 1)]),
        placing(3, &[(0, 2), (0, 3)]),
    ];
    let known = || known(vec![stock(&[4]), stock(&[9]), stock(&[]), stock(&[])]);
    assert_eq!(verdicts(&all[..1], known()), [sold_out(&[(0, 4), (4, 2)])]);
    assert!(matches!(verdicts(&all[1..2], known())[0], Verdict::Granted(_)));
    assert_eq!(verdicts(&all[2..], known()), [sold_out(&[(0, 4)])]);
}

#[test]
fn what_one_is_granted_the_next_cannot_have_and_nobody_gets_a_part() {
    let all = [
        placing(1, &[(0, 3)]),
        placing(2, &[(0, 3), (1, 1)]),
        placing(3, &[(0, 2)]),
        placing(4, &[(1, 2)]),
    ];
    let found = verdicts(&all, known(vec![stock(&[5]), stock(&[2]), stock(&[]), stock(&[])]));
    let reserve = |n, quantity| {
        Verdict::Granted(vec![Reserve { item: item(n), warehouse: warehouse(0), quantity }])
    };
    // The second took nothing of item 1 either.
    assert_eq!(found, [reserve(0, 3), sold_out(&[(0, 2)]), reserve(0, 2), reserve(1, 2)]);
}

#[test]
fn warehouses_are_drawn_on_in_their_order() {
    let found = verdicts(&[placing(1, &[(0, 7)])], known(vec![stock(&[2, 0, 9])]));
    let from = |n, quantity| Reserve { item: item(0), warehouse: warehouse(n), quantity };
    assert_eq!(found, [Verdict::Granted(vec![from(0, 2), from(2, 5)])]);
}

#[test]
fn what_is_kept_back_is_not_sold_and_what_may_be_owed_is_owed_by_the_first() {
    let kept = ItemStock { threshold: 3, ..stock(&[2, 4]) };
    let short = verdicts(&[placing(1, &[(0, 4)])], known(vec![kept.clone()]));
    assert_eq!(short, [sold_out(&[(0, 3)])]);
    let owed = ItemStock { back_order: true, ..kept };
    let found = verdicts(&[placing(1, &[(0, 4)])], known(vec![owed]));
    let from = |n, quantity| Reserve { item: item(0), warehouse: warehouse(n), quantity };
    assert_eq!(found, [Verdict::Granted(vec![from(0, 3), from(1, 1)])]);
    // Without a warehouse there is nobody to owe it.
    let nowhere = ItemStock { back_order: true, ..ItemStock::default() };
    assert_eq!(verdicts(&[placing(1, &[(0, 1)])], known(vec![nowhere])), [sold_out(&[(0, 0)])]);
}

#[test]
fn a_product_that_nobody_counts_is_never_short() {
    let found = verdicts(&[placing(1, &[(5, 1_000)])], known(Vec::new()));
    assert_eq!(found, [Verdict::Granted(Vec::new())]);
}

#[test]
fn a_price_that_is_another_by_now_is_never_slipped_in() {
    let dearer = Money { minor: 501, ..PRICE };
    let mut known = known(vec![stock(&[9]), stock(&[9]), stock(&[9]), stock(&[9])]);
    known.products.get_mut(&product(0)).unwrap().price = Some(dearer);
    known.products.get_mut(&product(1)).unwrap().active = false;
    known.products.remove(&product(2));
    known.products.get_mut(&product(5)).unwrap().tax_category = TaxCategory::new("books").unwrap();
    let found = verdicts(&[placing(1, &[(0, 1), (1, 1), (2, 1), (3, 1), (5, 1)])], known);
    let changed = |n, now| Changed { sku: sku(n), was: PRICE, now };
    // The last costs the same and bears another tax.
    let last = changed(5, Some(PRICE));
    let wanted = vec![changed(0, Some(dearer)), changed(1, None), changed(2, None), last];
    assert_eq!(found, [Verdict::Changed(wanted)]);
}

#[test]
fn no_cart_becomes_two_orders() {
    let cart = CartId(Uuid::from_u128(7));
    let of = |n, cart| {
        let mut placing = placing(n, &[(0, 1)]);
        placing.order.cart = Some(cart);
        placing.cart_version = Some(3);
        placing
    };
    let old = (CartId(Uuid::from_u128(8)), OrderId(Uuid::from_u128(88)));
    let mut known = known(vec![stock(&[9])]);
    known.ordered.insert(old.0, old.1);
    known.carts.insert(cart, 3);
    let all = [of(1, cart), of(2, cart), of(3, old.0)];
    let found = verdicts(&all, known);
    assert!(matches!(found[0], Verdict::Granted(_)));
    assert_eq!(found[1..], [Verdict::Ordered(all[0].order.id), Verdict::Ordered(old.1)]);
}

#[test]
fn a_cart_that_was_edited_or_is_gone_is_not_ordered_as_it_was_shown() {
    let cart = CartId(Uuid::from_u128(7));
    let mut placing = placing(1, &[(0, 1)]);
    placing.order.cart = Some(cart);
    placing.cart_version = Some(3);
    let mut known = known(vec![stock(&[9])]);
    for carts in [HashMap::new(), HashMap::from([(cart, 4)])] {
        known.carts = carts;
        assert_eq!(verdicts(&[placing.clone()], known.clone()), [Verdict::CartMoved]);
    }
    known.carts = HashMap::from([(cart, 3)]);
    assert!(matches!(verdicts(&[placing], known)[0], Verdict::Granted(_)));
}

#[test]
fn a_band_moves_for_every_product_that_draws_on_the_item() {
    let known = known(vec![stock(&[14]), stock(&[50]), stock(&[6]), stock(&[6])]);
    let before = known.shelves.clone();
    let all = [placing(1, &[(0, 4)]), placing(2, &[(2, 6)])];
    let decided = decide(&all.iter().collect::<Vec<_>>(), known);
    // Item 0: 14 → 10, so the bundle of two falls from 7 to 5; item 2: sold out.
    assert_eq!(decided.shelves.bands_moved(&before), [product(2), product(4)]);
    assert_eq!(decided.shelves.available(product(5)), None);
}

fn any_item() -> impl Strategy<Value = ItemStock> {
    let level = (0..12i64, 0..12i64, 0..3i64);
    (prop::collection::vec(level, 0..3), 0..4i64, prop::bool::weighted(0.15)).prop_map(
        |(levels, threshold, back_order)| ItemStock {
            levels: levels
                .iter()
                .enumerate()
                .map(|(n, (on_hand, reserved, owed))| LevelStock {
                    warehouse: warehouse(n as u8),
                    on_hand: *on_hand,
                    reserved: *reserved.min(on_hand),
                    owed: if back_order { *owed } else { 0 },
                })
                .collect(),
            threshold,
            back_order,
        },
    )
}

fn any_batch() -> impl Strategy<Value = Vec<Placing>> {
    let lines = prop::collection::vec((0..6u8, 1..9i64), 1..5);
    prop::collection::vec(lines, 0..20).prop_map(|batch| {
        batch.iter().enumerate().map(|(n, lines)| placing(n as u64, lines)).collect()
    })
}

/// Warehouses and reservations left out: only whether there is enough.
fn plainly(placings: &[Placing], items: &[ItemStock]) -> Vec<bool> {
    let mut left: Vec<i64> = items.iter().map(ItemStock::available).collect();
    let owes = |n: usize| items[n].back_order && !items[n].levels.is_empty();
    let mut granted = Vec::new();
    for placing in placings {
        let mut wanted = vec![0; items.len()];
        for line in &placing.order.lines {
            let steps = line.priced.quantity().steps();
            match (0..6u8).find(|n| product(*n) == line.product).unwrap() {
                4 => {
                    wanted[0] += 2 * steps;
                    wanted[1] += steps;
                }
                5 => {}
                n => wanted[usize::from(n)] += steps,
            }
        }
        let fine = (0..items.len()).all(|n| wanted[n] == 0 || wanted[n] <= left[n] || owes(n));
        if fine {
            (0..items.len()).for_each(|n| left[n] -= wanted[n].min(left[n].max(0)));
        }
        granted.push(fine);
    }
    granted
}

proptest! {
    #[test]
    fn a_batch_is_never_oversold_and_does_what_its_orders_would_do_one_by_one(
        items in prop::collection::vec(any_item(), 4),
        batch in any_batch(),
    ) {
        let decided = decide(&batch.iter().collect::<Vec<_>>(), known(items.clone()));

        // One at a time, each with what the one before left.
        let mut alone = known(items.clone());
        for (placing, verdict) in batch.iter().zip(&decided.verdicts) {
            let one = decide(&[placing], alone.clone());
            prop_assert_eq!(&one.verdicts[0], verdict);
            alone.shelves = one.shelves;
        }
        prop_assert_eq!(&alone.shelves, &decided.shelves);

        // Against a model that knows nothing of warehouses.
        let granted: Vec<bool> =
            decided.verdicts.iter().map(|v| matches!(v, Verdict::Granted(_))).collect();
        prop_assert_eq!(granted, plainly(&batch, &items));

        for (n, before) in items.iter().enumerate() {
            let after = decided.shelves.item(item(n as u8)).unwrap();
            let mut added = 0;
            for (level, was) in after.levels.iter().zip(&before.levels) {
                prop_assert!(level.reserved <= level.on_hand, "oversold");
                prop_assert!(level.reserved >= was.reserved && level.owed >= was.owed);
                prop_assert!(before.back_order || level.owed == was.owed);
                added += level.reserved - was.reserved + level.owed - was.owed;
            }
            prop_assert!(before.back_order || added <= before.available().max(0));
            // What is reserved is what the granted orders consume, no more and no less.
            let mut given = 0;
            for (placing, verdict) in batch.iter().zip(&decided.verdicts) {
                let Verdict::Granted(reserves) = verdict else { continue };
                let demand = demand(&placing.order.lines, &decided.shelves);
                let ours: i64 = reserves.iter().filter(|r| r.item == item(n as u8)).map(|r| r.quantity).sum();
                prop_assert_eq!(ours, demand.get(&item(n as u8)).copied().unwrap_or(0));
                given += ours;
            }
            prop_assert_eq!(given, added);
        }
    }
}
