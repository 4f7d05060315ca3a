use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn item() -> StockItemId {
    StockItemId(Uuid::from_u128(1))
}

fn warehouse(n: u8) -> WarehouseId {
    WarehouseId(Uuid::from_u128(n.into()))
}

fn shelves(on_hand: &[i64], back_order: bool) -> Shelves {
    let level = |(n, on_hand): (usize, &i64)| LevelStock {
        warehouse: warehouse(n as u8),
        on_hand: *on_hand,
        reserved: 0,
        owed: 0,
    };
    let levels = on_hand.iter().enumerate().map(level).collect();
    Shelves::new(HashMap::from([(item(), ItemStock { levels, threshold: 0, back_order })]))
}

#[test]
fn what_comes_goes_to_those_it_is_owed_to() {
    let mut level = LevelStock { warehouse: warehouse(0), on_hand: 2, reserved: 2, owed: 5 };
    level.count(4).unwrap();
    assert_eq!((level.on_hand, level.reserved, level.owed), (4, 4, 3));
    assert_eq!(level.count(3), Err(StockError::Promised { reserved: 4 }));
    level.count(20).unwrap();
    assert_eq!((level.reserved, level.owed, level.free()), (7, 0, 13));
    assert_eq!(level.count(-1), Err(StockError::Negative));
    assert_eq!(level.count(LevelStock::MOST + 1), Err(StockError::TooMany));
}

#[test]
fn what_has_not_arrived_cannot_be_sent() {
    let mut all = shelves(&[2], true);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    all.take(item(), 2, &mut first);
    all.take(item(), 3, &mut second);
    let missing = all.clone().consume(&second);
    assert_eq!(missing, Err(StockError::NotThere { item: item(), missing: 1 }));
    all.consume(&first).unwrap();
    all.item_mut(item()).unwrap().level(warehouse(0)).unwrap().count(3).unwrap();
    all.consume(&second).unwrap();
    assert_eq!(all.item(item()).unwrap().available(), 0);
}

proptest! {
    /// Orders come, go and are sent in any order: promised is always what open orders were
    /// granted, and at the end everything is where it was, less what was sent.
    #[test]
    fn the_books_balance_whatever_happens(
        on_hand in prop::collection::vec(0..20i64, 1..4),
        back_order: bool,
        deeds in prop::collection::vec((0..4u8, 1..9i64, any::<prop::sample::Index>()), 0..60),
    ) {
        let begun = shelves(&on_hand, back_order);
        let mut all = begun.clone();
        let (mut open, mut sent): (Vec<Vec<Reserve>>, Vec<Vec<Reserve>>) = Default::default();
        for (deed, quantity, at) in deeds {
            match deed {
                0 if all.item(item()).unwrap().has(quantity) => {
                    let mut reserves = Vec::new();
                    all.take(item(), quantity, &mut reserves);
                    prop_assert_eq!(reserves.iter().map(|r| r.quantity).sum::<i64>(), quantity);
                    open.push(reserves);
                }
                1 if !open.is_empty() => all.release(&open.swap_remove(at.index(open.len()))).unwrap(),
                2 if !open.is_empty() => {
                    let which = at.index(open.len());
                    let mut tried = all.clone();
                    if tried.consume(&open[which]).is_ok() {
                        all = tried;
                        sent.push(open.swap_remove(which));
                    }
                }
                3 if !sent.is_empty() => all.restock(&sent.swap_remove(at.index(sent.len()))).unwrap(),
                _ => {}
            }
            for level in &all.item(item()).unwrap().levels {
                prop_assert!(0 <= level.reserved && level.reserved <= level.on_hand);
                prop_assert!(level.owed >= 0 && (back_order || level.owed == 0));
                let promised: i64 = open
                    .iter()
                    .flatten()
                    .filter(|r| r.warehouse == level.warehouse)
                    .map(|r| r.quantity)
                    .sum();
                prop_assert_eq!(level.reserved + level.owed, promised);
            }
        }
        // The moves written on the way are the difference.
        let mut replayed = begun.clone();
        for moved in all.moves_since(&begun) {
            let level = replayed.item_mut(item()).unwrap().level(moved.warehouse).unwrap();
            level.on_hand += moved.on_hand;
            level.reserved += moved.reserved;
            level.owed += moved.owed;
        }
        prop_assert_eq!(replayed, all);
    }
}
