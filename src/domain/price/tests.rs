use super::*;
use crate::domain::{
    id::{CustomerGroupId, CustomerId, PriceListId, ProductId},
    line::tests::samples::modes,
    money::{Currency, Money},
    quantity::Quantity,
    schedule::Schedule,
    scope::Site,
    tax::TaxMode,
    time::Micros,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::collections::HashSet;
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn main_site() -> Site {
    Site("main".into())
}

fn buyer() -> Buyer {
    Buyer {
        customer: Some(CustomerId(id(1))),
        group: Some(CustomerGroupId(id(2))),
        site: main_site(),
    }
}

fn list(n: u128, priority: i32) -> PriceList {
    PriceList {
        id: PriceListId(id(n)),
        name: format!("list {n}"),
        currency: Currency::EUR,
        active: true,
        priority,
        tax: TaxMode::Exclusive,
        schedule: Schedule::ALWAYS,
    }
}

fn for_customer(n: u128) -> Audience {
    Audience::Customer { customer: CustomerId(id(n)) }
}

fn for_group(n: u128) -> Audience {
    Audience::Group { group: CustomerGroupId(id(n)) }
}

fn for_site() -> Audience {
    Audience::Site { site: main_site() }
}

fn assigned(n: u128, audience: Audience) -> Assignment {
    Assignment { list: PriceListId(id(n)), audience }
}

fn resolve(lists: &[PriceList], assignments: &[Assignment], now: i64) -> PriceSet {
    let (currency, base) = (Currency::EUR, TaxMode::Inclusive);
    PriceSet::resolve(&buyer(), currency, base, lists, assignments, Micros(now))
}

fn order(set: &PriceSet) -> Vec<u128> {
    set.lists().map(|list| list.0.as_u128()).collect()
}

fn entry(list: u128, from: i64, amount: i64) -> PriceEntry {
    PriceEntry {
        list: PriceListId(id(list)),
        product: ProductId(id(7)),
        unit: "each".into(),
        min_quantity: Quantity::of_steps(from).unwrap(),
        amount,
    }
}

fn ladder(set: &PriceSet, base: Option<i64>, entries: &[PriceEntry]) -> Ladder {
    let base = base.map(|minor| Money { minor, currency: Currency::EUR });
    Ladder::new(set, ProductId(id(7)), "each", base, entries)
}

fn amount(ladder: &Ladder, quantity: i64) -> Option<i64> {
    ladder.at(Quantity::of_steps(quantity).unwrap()).map(|price| price.amount.minor)
}

#[test]
fn the_closest_list_comes_first_then_the_higher_priority() {
    let lists = [list(10, 1), list(11, 99), list(12, 2), list(13, 3), list(14, 2), list(15, 100)];
    let assignments = [
        assigned(10, for_customer(1)),
        assigned(11, for_site()),
        assigned(12, for_group(2)),
        assigned(13, for_group(2)),
        assigned(14, for_group(2)),
        // Somebody else's, and one that nobody has.
        assigned(15, for_customer(8)),
        // Twice: it counts where it is closest.
        assigned(10, for_site()),
    ];
    assert_eq!(order(&resolve(&lists, &assignments, 0)), [10, 13, 12, 14, 11]);
}

#[test]
fn lists_of_another_currency_or_time_do_not_count() {
    let dollars = PriceList { currency: Currency::USD, ..list(10, 0) };
    let schedule = Schedule::new(Some(Micros(5)), Some(Micros(9))).unwrap();
    let asleep = PriceList { active: false, ..list(13, 0) };
    let lists = [dollars, PriceList { schedule, ..list(11, 0) }, list(12, 0), asleep];
    let assignments = [10, 11, 12, 13].map(|n| assigned(n, for_site()));
    assert_eq!(order(&resolve(&lists, &assignments, 4)), [12]);
    assert_eq!(order(&resolve(&lists, &assignments, 5)), [11, 12]);
    assert_eq!(order(&resolve(&lists, &assignments, 9)), [12]);
    assert_eq!(next_change(&lists, Micros(4)), Some(Micros(5)));
    assert_eq!(next_change(&lists, Micros(5)), Some(Micros(9)));
    assert_eq!(next_change(&lists, Micros(9)), None);
}

#[test]
fn the_first_list_with_a_price_wins_even_if_another_is_cheaper() {
    let lists = [list(10, 2), list(11, 1)];
    let set = resolve(&lists, &[10, 11].map(|n| assigned(n, for_site())), 0);
    let entries = [entry(10, 10, 900), entry(11, 1, 950), entry(11, 5, 800), entry(11, 20, 700)];
    let ladder = ladder(&set, Some(1_000), &entries);
    assert_eq!(
        [1, 4, 5, 9, 10, 20, 1_000].map(|n| amount(&ladder, n)),
        [950, 950, 800, 800, 900, 900, 900].map(Some)
    );
    let ten = ladder.at(Quantity::of_steps(12).unwrap()).unwrap();
    assert_eq!(ten.source, PriceSource::List { list: PriceListId(id(10)) });
    assert_eq!((ten.min_quantity.steps(), ten.tax), (10, TaxMode::Exclusive));
    let tiers: Vec<i64> = ladder.tiers().iter().map(|tier| tier.min_quantity.steps()).collect();
    assert_eq!(tiers, [1, 5, 10]);
    assert_eq!(ladder.lowest().map(|price| price.amount.minor), Some(800));
}

#[test]
fn without_a_list_the_products_own_price_holds_and_without_that_it_is_on_request() {
    let set = PriceSet::base(Currency::EUR, TaxMode::Inclusive);
    let own = ladder(&set, Some(500), &[entry(10, 1, 1)]);
    let price = own.at(Quantity::STEP).unwrap();
    assert_eq!((price.source, price.tax), (PriceSource::Base, TaxMode::Inclusive));
    assert_eq!(amount(&own, 99), Some(500));
    assert_eq!(amount(&ladder(&set, None, &[]), 1), None);
    // Nothing is converted.
    let dollars = Some(Money { minor: 500, currency: Currency::USD });
    assert_eq!(Ladder::new(&set, ProductId(id(7)), "each", dollars, &[]), Ladder::default());
}

#[test]
fn a_list_that_starts_at_ten_leaves_nine_on_request() {
    let set = resolve(&[list(10, 0)], &[assigned(10, for_site())], 0);
    let ladder = ladder(&set, None, &[entry(10, 10, 5)]);
    assert_eq!([9, 10].map(|n| amount(&ladder, n)), [None, Some(5)]);
}

#[test]
fn entries_of_another_product_or_unit_are_passed_over() {
    let set = resolve(&[list(10, 0)], &[assigned(10, for_site())], 0);
    let boxes = PriceEntry { unit: "box".into(), ..entry(10, 1, 5) };
    let other = PriceEntry { product: ProductId(id(8)), ..entry(10, 1, 5) };
    assert_eq!(ladder(&set, None, &[boxes, other]), Ladder::default());
}

#[test]
fn a_price_taken_down_is_compared_with_what_holds_now() {
    let set = resolve(&[list(10, 0)], &[assigned(10, for_site())], 0);
    let before = ladder(&set, Some(100), &[]);
    let five = Quantity::of_steps(5).unwrap();
    let earlier = *before.at(five).unwrap();
    assert!(before.still_says(&earlier, five));
    assert!(!ladder(&set, Some(101), &[]).still_says(&earlier, five));
    assert!(!ladder(&set, Some(100), &[entry(10, 5, 90)]).still_says(&earlier, five));
    assert!(!ladder(&set, None, &[]).still_says(&earlier, five));
}

#[test]
fn lists_and_entries_that_make_no_sense_are_refused() {
    assert_eq!(list(1, 0).check(), Ok(()));
    let unnamed = PriceList { name: "\t".into(), ..list(1, 0) };
    assert_eq!(unnamed.check(), Err(PriceListError::Name));
    let schedule = Schedule { from: Some(Micros(2)), until: Some(Micros(2)) };
    assert!(matches!(
        PriceList { schedule, ..list(1, 0) }.check(),
        Err(PriceListError::Schedule(_))
    ));
    assert_eq!(entry(1, 1, PriceEntry::MOST_AMOUNT).check(), Ok(()));
    assert_eq!(entry(1, 1, -1).check(), Err(PriceEntryError::Negative));
    assert_eq!(entry(1, 1, PriceEntry::MOST_AMOUNT + 1).check(), Err(PriceEntryError::TooLarge));
    let unit = |unit: &str| PriceEntry { unit: unit.into(), ..entry(1, 1, 1) }.check();
    assert_eq!(unit(""), Err(PriceEntryError::Unit));
    assert_eq!(unit("a\nb"), Err(PriceEntryError::Unit));
}

#[test]
fn the_hash_stays_what_it_was() {
    let set = resolve(&[list(10, 0)], &[assigned(10, for_site())], 0);
    assert_eq!(set.hash().to_string(), "eb02cb887f21a3dab3f2941ea253a948");
}

/// Few ids, so that lists are shared, missing and assigned more than once.
fn some_lists() -> impl Strategy<Value = Vec<PriceList>> {
    let one =
        (select(vec!["EUR", "USD"]), -1i32..2, modes(), option::of(0i64..20), option::of(0i64..20));
    vec(one, 0..6).prop_map(|lists| {
        let numbered = lists.into_iter().zip(10u128..);
        numbered
            .map(|((currency, priority, tax, from, until), n)| PriceList {
                currency: currency.parse().unwrap(),
                tax,
                schedule: Schedule { from: from.map(Micros), until: until.map(Micros) },
                ..list(n, priority)
            })
            .collect()
    })
}

fn some_assignments() -> impl Strategy<Value = Vec<Assignment>> {
    let audiences = select(vec![for_customer(1), for_customer(9), for_group(2), for_site()]);
    vec((10u128..16, audiences).prop_map(|(n, audience)| assigned(n, audience)), 0..12)
}

proptest! {
    #[test]
    fn the_set_does_not_depend_on_the_order_of_what_it_is_made_from(
        lists in some_lists().prop_shuffle(), assignments in some_assignments(), now in 0i64..20,
    ) {
        let set = resolve(&lists, &assignments, now);
        let mut sorted = lists.clone();
        sorted.sort_by_key(|list| list.id);
        let mut turned = assignments.clone();
        turned.reverse();
        prop_assert_eq!(&resolve(&sorted, &turned, now), &set);
        prop_assert_eq!(resolve(&sorted, &turned, now).hash(), set.hash());
        // Who is closer comes first, and nothing comes twice.
        let closeness = |list: PriceListId| {
            let audiences = assignments.iter().filter(|a| a.list == list).map(|a| &a.audience);
            audiences.filter(|audience| buyer().is_meant_by(audience)).min().cloned()
        };
        let order: Vec<_> = set.lists().map(closeness).collect();
        prop_assert!(order.is_sorted() && order.iter().all(Option::is_some));
        prop_assert_eq!(set.lists().collect::<HashSet<_>>().len(), set.lists().len());
    }

    #[test]
    fn the_set_stays_the_same_until_the_next_change(
        lists in some_lists(), assignments in some_assignments(), now in 0i64..20,
    ) {
        let next = next_change(&lists, Micros(now)).map_or(25, |at| at.0);
        for later in now..next {
            prop_assert_eq!(resolve(&lists, &assignments, later), resolve(&lists, &assignments, now));
        }
    }

    #[test]
    fn equal_sets_have_equal_hashes_and_others_have_others(
        lists in some_lists(), assignments in some_assignments(), nows in (0i64..20, 0i64..20),
        base in modes(), renamed in "[a-z]{0,5}",
    ) {
        let set = resolve(&lists, &assignments, nows.0);
        let other = resolve(&lists, &assignments, nows.1);
        prop_assert_eq!(set == other, set.hash() == other.hash());
        let mut based = set.clone();
        based.base_tax = base;
        prop_assert_eq!(set == based, set.hash() == based.hash());
        // A name is no part of it: pages stay cached when it changes.
        let mut lists = lists;
        lists.iter_mut().for_each(|list| list.name.clone_from(&renamed));
        prop_assert_eq!(resolve(&lists, &assignments, nows.0).hash(), set.hash());
    }

    #[test]
    fn the_price_is_that_of_the_first_list_which_has_one_for_the_quantity(
        lists in some_lists(), assignments in some_assignments(),
        entries in vec((10u128..16, 1i64..12, 0i64..4), 0..20), base in option::of(0i64..4),
    ) {
        let set = resolve(&lists, &assignments, 0);
        let mut seen = HashSet::new();
        let entries: Vec<PriceEntry> = entries
            .into_iter()
            .filter(|(list, from, _)| seen.insert((*list, *from)))
            .map(|(list, from, amount)| entry(list, from, amount))
            .collect();
        let ladder = ladder(&set, base, &entries);
        for quantity in (1i64..15).map(|n| Quantity::of_steps(n).unwrap()) {
            let listed = set.lists().find_map(|list| {
                let fitting = entries.iter().filter(|e| e.list == list && e.min_quantity <= quantity);
                fitting.max_by_key(|e| e.min_quantity)
            });
            let found = ladder.at(quantity);
            match listed {
                Some(entry) => {
                    let found = found.unwrap();
                    prop_assert_eq!(found.source, PriceSource::List { list: entry.list });
                    prop_assert_eq!((found.amount.minor, found.min_quantity), (entry.amount, entry.min_quantity));
                    let list = lists.iter().find(|list| list.id == entry.list).unwrap();
                    prop_assert_eq!((found.tax, found.amount.currency), (list.tax, list.currency));
                }
                None => prop_assert_eq!(found.map(|price| price.amount.minor), base),
            }
            // What a page shows in tiers is what a cart then asks.
            let shown = ladder.tiers().into_iter().rfind(|tier| tier.min_quantity <= quantity);
            prop_assert_eq!(shown.map(|tier| (tier.amount, tier.tax)), found.map(|p| (p.amount, p.tax)));
        }
        let tiers = ladder.tiers();
        prop_assert!(tiers.is_sorted_by(|a, b| a.min_quantity < b.min_quantity));
        prop_assert!(tiers.windows(2).all(|pair| (pair[0].amount, pair[0].tax) != (pair[1].amount, pair[1].tax)));
    }
}
