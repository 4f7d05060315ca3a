//! The desk against a shop of one buyer that is edited one write at a time, by heart.

use super::*;
use crate::domain::{
    cart::testing::{currency, offer_of as offer, tier},
    id::{SessionId, UserId},
    line::LineError,
    money::Currency,
    quantity::Precision,
};
use proptest::prelude::*;
use uuid::Uuid;

/// Carts and lines as a database would keep them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Store {
    carts: BTreeMap<CartId, Cart>,
    lines: BTreeMap<(CartId, Sku), CartLine>,
}

impl Store {
    /// Plans a batch, answering what the desk asks, and writes the plan.
    fn commit(&mut self, writes: &[CartWrite]) -> Vec<CartAnswer> {
        let writes: Vec<_> = writes.iter().collect();
        let mut desk = Desk::new(&writes);
        let (owners, ids) = (desk.owners(), desk.ids());
        let asked = |cart: &&Cart| {
            let open = owners.contains(&cart.owner) && cart.state == CartState::Open;
            open || ids.contains(&cart.id)
        };
        desk.carts(self.carts.values().filter(asked).cloned());
        let plan = loop {
            match desk.plan() {
                Ok(plan) => break plan,
                Err(unknown) => {
                    assert!(!unknown.is_empty());
                    let asked = |(cart, sku): &(CartId, Sku)| {
                        unknown.carts.contains(cart)
                            || unknown.lines.contains(&(*cart, sku.clone()))
                    };
                    let found = self.lines.iter().filter(|(place, _)| asked(place));
                    let found: Vec<_> =
                        found.map(|((cart, _), line)| (*cart, line.clone())).collect();
                    desk.lines(unknown, found);
                }
            }
        };
        for id in plan.carts_gone {
            self.carts.remove(&id);
            self.lines.retain(|(of, _), _| *of != id);
        }
        for cart in plan.carts {
            self.carts.insert(cart.id, cart);
            self.one_of_each_kind();
        }
        for place in plan.lines_gone {
            assert!(self.lines.remove(&place).is_some(), "{place:?} wasn't there");
        }
        for (cart, line) in plan.lines {
            self.lines.insert((cart, line.sku.clone()), line);
        }
        plan.answers
    }

    fn one(&mut self, act: CartAct) -> CartAnswer {
        self.commit(&[write(user(), act)]).swap_remove(0)
    }

    /// As a unique index would, after each row.
    fn one_of_each_kind(&self) {
        for kind in [CartKind::Active, CartKind::Later] {
            let mut owners = BTreeSet::new();
            for cart in self.carts.values() {
                if cart.kind == kind && cart.state == CartState::Open {
                    assert!(owners.insert(cart.owner), "two {kind:?} of {:?}", cart.owner);
                }
            }
        }
    }

    fn check(&self) {
        for cart in self.carts.values() {
            let lines: Vec<_> =
                self.lines.iter().filter(|((of, _), _)| *of == cart.id).map(|(_, l)| l).collect();
            let anew = CartSums::of(lines.iter().map(|line| &line.priced)).unwrap();
            assert_eq!(cart.sums, anew);
            let places: BTreeSet<_> = lines.iter().map(|line| line.place).collect();
            assert_eq!(places.len(), lines.len(), "each has a place of its own");
            assert!(places.iter().all(|place| *place < cart.next_place));
        }
    }

    fn of(&self, owner: CartOwner, kind: CartKind) -> Option<&Cart> {
        self.carts.values().find(|cart| cart.owner == owner && cart.kind == kind)
    }

    fn quantities(&self, cart: CartId) -> Vec<(String, String)> {
        let lines = self.lines.iter().filter(|((of, _), _)| *of == cart);
        lines.map(|((_, sku), line)| (sku.to_string(), line.quantity_text())).collect()
    }
}

fn user() -> CartOwner {
    CartOwner::User(UserId(Uuid::from_u128(1)))
}

fn guest() -> SessionId {
    SessionId(Uuid::from_u128(2))
}

fn id(n: u128) -> CartId {
    CartId(Uuid::from_u128(n))
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn write(owner: CartOwner, act: CartAct) -> CartWrite {
    CartWrite { owner, at: Micros(7), act }
}

fn amount(text: &str) -> Quantity {
    Quantity::parse(text, Precision::default()).unwrap()
}

fn minor(cart: &Cart) -> i64 {
    cart.subtotal().unwrap().minor
}

fn add(name: &str, minor: i64, quantity: &str) -> LineChange {
    LineChange::Add { offer: offer(name, minor), quantity: amount(quantity), note: None }
}

fn lines(target: CartTarget, changes: Vec<LineChange>) -> CartAct {
    let edit = CartEdit::Lines { changes, partial: false };
    CartAct::Edit { target, expect: None, edit }
}

fn active(new: u128) -> CartTarget {
    CartTarget::Kind { kind: CartKind::Active, new: id(new) }
}

fn done(answer: CartAnswer) -> Edited {
    match answer {
        CartAnswer::Done(edited) => *edited,
        other => panic!("{other:?}"),
    }
}

fn refused(answer: CartAnswer) -> CartRefusal {
    match answer {
        CartAnswer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn why(answer: CartAnswer) -> Vec<(usize, LineRefusal)> {
    match refused(answer) {
        CartRefusal::Rows(rows) => rows.into_iter().map(|row| (row.row, row.why)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn adding_makes_the_cart_and_adding_again_adds_to_the_line() {
    let mut store = Store::default();
    let first = done(store.one(lines(active(1), vec![add("A", 250, "2")])));
    assert_eq!((first.cart.version, minor(&first.cart), first.cart.lines()), (1, 500, 1));
    let again = done(store.one(lines(active(2), vec![add("A", 250, "3"), add("B", 1, "1")])));
    assert_eq!((again.cart.id, again.cart.version, minor(&again.cart)), (id(1), 2, 1_251));
    assert_eq!(again.lines.len(), 2);
    assert_eq!(store.carts.len(), 1);
    store.check();
}

#[test]
fn a_refused_row_changes_nothing_unless_the_rest_was_asked_for() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 100, "999999")]));
    let before = store.clone();
    let euro = |name| {
        let offer = currency(offer(name, 5), Currency::EUR);
        LineChange::Add { offer, quantity: amount("1"), note: None }
    };
    let changes = vec![
        add("B", 100, "1"),
        add("A", 100, "2"),
        euro("C"),
        LineChange::Remove { sku: sku("D") },
        add("E", i64::MAX, "2"),
    ];
    let other = LineRefusal::OtherCurrency { has: Currency::EUR, cart: Currency::USD };
    let reasons = [
        (1, LineRefusal::Quantity(QuantityError::TooMany)),
        (2, other),
        (3, LineRefusal::NoSuchLine),
        (4, LineRefusal::Line(LineError::TooLarge)),
    ];
    assert_eq!(why(store.one(lines(active(1), changes.clone()))), reasons);
    assert_eq!(store, before);
    let edit = CartEdit::Lines { changes, partial: true };
    let some = done(store.one(CartAct::Edit { target: active(1), expect: None, edit }));
    assert_eq!(some.left_out.len(), 4);
    assert_eq!(store.quantities(id(1)), [("A".into(), "999999".into()), ("B".into(), "1".into())]);
    store.check();
}

#[test]
fn an_empty_cart_takes_any_currency() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 100, "1")]));
    let euro = currency(offer("B", 5), Currency::EUR);
    let changes = vec![
        LineChange::Remove { sku: sku("A") },
        LineChange::Add { offer: euro, quantity: amount("1"), note: None },
    ];
    assert_eq!(done(store.one(lines(active(1), changes))).cart.currency(), Some(Currency::EUR));
    store.check();
}

#[test]
fn an_edit_never_hides_a_price_that_has_changed() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 100, "1")]));
    let set = |minor, quantity| {
        let change = LineChange::Set { offer: offer("A", minor), quantity: amount(quantity) };
        lines(active(1), vec![change])
    };
    let more = done(store.one(set(120, "3")));
    assert_eq!(
        (more.lines[0].priced.price().amount.minor, minor(&more.cart)),
        (100, 300),
        "not seen yet"
    );
    let seen = LineChange::See { offer: offer("A", 120) };
    assert_eq!(minor(&done(store.one(lines(active(1), vec![seen]))).cart), 360);
    assert_eq!(minor(&done(store.one(set(120, "1"))).cart), 120);
    store.check();
}

#[test]
fn a_price_follows_the_quantity_its_buyer_chose() {
    let mut store = Store::default();
    let offer = tier("A", 100, 10, 80);
    let add =
        |quantity| LineChange::Add { offer: offer.clone(), quantity: amount(quantity), note: None };
    assert_eq!(minor(&done(store.one(lines(active(1), vec![add("9")]))).cart), 900);
    assert_eq!(minor(&done(store.one(lines(active(1), vec![add("1")]))).cart), 800);
    let set = LineChange::Set { offer, quantity: amount("5") };
    assert_eq!(minor(&done(store.one(lines(active(1), vec![set]))).cart), 500);
}

#[test]
fn another_buyers_cart_is_as_one_that_is_not_there() {
    let mut store = Store::default();
    let theirs = CartOwner::Guest(guest());
    store.commit(&[write(theirs, lines(active(1), vec![add("A", 1, "1")]))]);
    let before = store.clone();
    let mine = CartTarget::Id(id(1));
    for act in [
        lines(mine.clone(), vec![add("A", 1, "1")]),
        CartAct::Delete { id: id(1), expect: None },
        CartAct::Delete { id: id(99), expect: Some(1) },
        CartAct::Edit {
            target: mine,
            expect: Some(7),
            edit: CartEdit::Describe { name: None, note: None, kind: None },
        },
    ] {
        assert_eq!(refused(store.one(act)), CartRefusal::Absent);
    }
    let from = active(2);
    store.one(lines(from.clone(), vec![add("A", 1, "1")]));
    let edit = CartEdit::Move { sku: sku("A"), to: CartTarget::Id(id(1)) };
    let to_theirs = CartAct::Edit { target: from, expect: None, edit };
    assert_eq!(refused(store.one(to_theirs)), CartRefusal::Absent);
    store.carts.remove(&id(2));
    store.lines.retain(|(of, _), _| *of != id(2));
    assert_eq!(store, before);
}

#[test]
fn an_edit_of_another_version_or_of_an_ordered_cart_is_refused() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 1, "1")]));
    let stale = CartAct::Delete { id: id(1), expect: Some(2) };
    assert_eq!(refused(store.one(stale)), CartRefusal::Changed { version: 1 });
    store.carts.get_mut(&id(1)).unwrap().state = CartState::Ordered;
    let late = lines(CartTarget::Id(id(1)), vec![add("A", 1, "1")]);
    assert_eq!(refused(store.one(late)), CartRefusal::Ordered);
    // The next thing bought goes into a new cart.
    assert_eq!(done(store.one(lines(active(5), vec![add("A", 1, "1")]))).cart.id, id(5));
}

#[test]
fn a_line_moves_to_a_cart_for_later_and_back() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 10, "2"), add("B", 1, "1")]));
    let later = CartTarget::Kind { kind: CartKind::Later, new: id(2) };
    let transfer = |target, to| CartAct::Edit {
        target,
        expect: None,
        edit: CartEdit::Move { sku: sku("A"), to },
    };
    let left = done(store.one(transfer(active(9), later.clone())));
    assert_eq!((left.cart.id, left.cart.lines(), minor(&left.cart)), (id(1), 1, 1));
    store.check();
    store.one(lines(active(1), vec![add("A", 10, "3")]));
    done(store.one(transfer(later.clone(), active(9))));
    assert_eq!(store.quantities(id(1)), [("A".into(), "5".into()), ("B".into(), "1".into())]);
    assert_eq!(store.carts[&id(2)].lines(), 0);
    assert_eq!(why(store.one(transfer(later, active(9)))), [(0, LineRefusal::NoSuchLine)]);
    store.check();
}

#[test]
fn there_is_one_active_cart_and_a_bound_on_lists() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 1, "1")]));
    let create = |n| CartAct::Create { id: id(n), name: format!("List {n}"), note: None };
    for n in 0..MOST_LISTS as u128 {
        done(store.one(create(100 + n)));
    }
    assert_eq!(refused(store.one(create(500))), CartRefusal::TooManyLists);
    let become_kind = |n, kind| CartAct::Edit {
        target: CartTarget::Id(id(n)),
        expect: None,
        edit: CartEdit::Describe { name: None, note: None, kind: Some(kind) },
    };
    done(store.one(become_kind(100, CartKind::Active)));
    assert_eq!(store.of(user(), CartKind::Active).unwrap().id, id(100));
    assert_eq!(store.carts[&id(1)].kind, CartKind::List);
    assert_eq!(store.carts[&id(1)].version, 2);
    let full = become_kind(100, CartKind::List);
    assert_eq!(refused(store.one(full)), CartRefusal::TooManyLists);
    let later = become_kind(101, CartKind::Later);
    assert_eq!(refused(store.one(later)), CartRefusal::NotThisKind);
    done(store.one(CartAct::Delete { id: id(100), expect: None }));
    assert_eq!(store.of(user(), CartKind::Active), None);
    store.check();
}

#[test]
fn what_changes_nothing_is_no_new_version() {
    let mut store = Store::default();
    store.one(lines(active(1), vec![add("A", 1, "1")]));
    let before = store.clone();
    let set = LineChange::Set { offer: offer("A", 1), quantity: amount("1") };
    done(store.one(lines(active(1), vec![set])));
    let edit = CartEdit::Describe { name: Some("Cart".into()), note: Some(None), kind: None };
    done(store.one(CartAct::Edit { target: active(1), expect: Some(1), edit }));
    assert_eq!(store, before);
}

#[test]
fn a_guests_carts_are_their_owners_after_login() {
    let mut store = Store::default();
    let theirs = CartOwner::Guest(guest());
    let later = |new| CartTarget::Kind { kind: CartKind::Later, new: id(new) };
    let euro = currency(offer("E", 5), Currency::EUR);
    let euro = LineChange::Add { offer: euro, quantity: amount("1"), note: None };
    store.commit(&[
        write(theirs, lines(active(1), vec![add("A", 100, "2"), add("B", 7, "999999")])),
        write(theirs, lines(later(2), vec![euro])),
        write(theirs, CartAct::Create { id: id(3), name: "Wishes".into(), note: None }),
        write(user(), lines(active(11), vec![add("A", 90, "1"), add("B", 7, "5")])),
        write(user(), lines(later(12), vec![add("C", 7, "5")])),
    ]);
    let taken = store.one(CartAct::TakeOver { from: guest() });
    assert_eq!(taken, CartAnswer::TakenOver { carts: 3 });
    store.check();
    assert!(store.carts.values().all(|cart| cart.owner == user()));
    let wanted = [("A".into(), "3".into()), ("B".into(), "1000000".into())];
    assert_eq!(store.quantities(id(11)), wanted, "added, and cut at what a line may hold");
    assert_eq!(
        store.lines[&(id(11), sku("A"))].priced.price().amount.minor,
        90,
        "what the buyer saw"
    );
    assert!(!store.carts.contains_key(&id(1)));
    assert_eq!(store.carts[&id(2)].kind, CartKind::List, "another currency stays by itself");
    assert_eq!(store.carts[&id(3)].name, "Wishes");
    let before = store.clone();
    let again = store.one(CartAct::TakeOver { from: guest() });
    assert_eq!((again, store), (CartAnswer::TakenOver { carts: 0 }, before));
}

#[test]
fn one_edit_has_a_bound() {
    let mut store = Store::default();
    let changes = (0..=MOST_AT_ONCE).map(|n| add(&n.to_string(), 1, "1")).collect();
    let answer = store.one(lines(active(1), changes));
    assert_eq!(refused(answer), CartRefusal::TooManyAtOnce);
}

#[test]
fn a_cart_has_a_bound() {
    let mut store = Store::default();
    for part in 0..MOST_LINES / 1_000 {
        let changes = (0..1_000).map(|n| add(&format!("{part}-{n}"), 1, "1")).collect();
        done(store.one(lines(active(1), changes)));
    }
    let more = lines(active(1), vec![add("0-0", 1, "1"), add("new", 1, "1")]);
    assert_eq!(why(store.one(more)), [(1, LineRefusal::TooManyLines)]);
}

/// Acts of two guests and a user over a few carts and SKUs, so that much collides.
fn act() -> impl Strategy<Value = CartWrite> {
    let owner = prop_oneof![
        3 => Just(user()),
        1 => Just(CartOwner::Guest(guest())),
    ];
    let cart = || (1u128..6).prop_map(id);
    let kind = || prop_oneof![Just(CartKind::Active), Just(CartKind::Later)];
    let target = || {
        prop_oneof![
            cart().prop_map(CartTarget::Id),
            (kind(), 10u128..u128::MAX)
                .prop_map(|(kind, new)| CartTarget::Kind { kind, new: id(new) }),
        ]
    };
    let name = || prop_oneof![Just("A"), Just("B"), Just("C")];
    let change = prop_oneof![
        3 => (name(), 1i64..4, 1u32..600_000).prop_map(|(n, p, q)| add(n, p, &q.to_string())),
        1 => (name(), 1i64..4, 1u32..9).prop_map(|(n, p, q)| LineChange::Set {
            offer: offer(n, p),
            quantity: amount(&q.to_string()),
        }),
        1 => name().prop_map(|n| LineChange::Remove { sku: sku(n) }),
        1 => (name(), 1i64..4).prop_map(|(n, p)| LineChange::See { offer: offer(n, p) }),
        1 => name().prop_map(|n| LineChange::Note { sku: sku(n), note: Some("n".into()) }),
    ];
    let edit = prop_oneof![
        4 => (proptest::collection::vec(change, 0..4), any::<bool>())
            .prop_map(|(changes, partial)| CartEdit::Lines { changes, partial }),
        1 => (name(), target()).prop_map(|(n, to)| CartEdit::Move { sku: sku(n), to }),
        1 => proptest::option::of(kind()).prop_map(|kind| CartEdit::Describe {
            name: Some("renamed".into()),
            note: None,
            kind,
        }),
    ];
    let act = prop_oneof![
        2 => (1u128..6).prop_map(|n| CartAct::Create { id: id(n), name: "L".into(), note: None }),
        8 => (target(), proptest::option::of(1i64..4), edit)
            .prop_map(|(target, expect, edit)| CartAct::Edit { target, expect, edit }),
        1 => cart().prop_map(|id| CartAct::Delete { id, expect: None }),
        1 => Just(CartAct::TakeOver { from: guest() }),
    ];
    (owner, act).prop_map(|(owner, act)| write(owner, act))
}

proptest! {
    /// A batch does what its writes do one by one, and the sums are those of the lines after each.
    #[test]
    fn a_batch_is_its_writes_in_order(writes in proptest::collection::vec(act(), 1..24)) {
        // An id is made once, by whoever asks.
        let mut made = BTreeSet::new();
        let fresh = |write: &CartWrite| match &write.act {
            CartAct::Create { id, .. } => made.insert(*id),
            CartAct::TakeOver { .. } => write.owner == user(),
            _ => true,
        };
        let mut fresh = fresh;
        let writes: Vec<_> = writes.into_iter().filter(|write| fresh(write)).collect();
        let (mut together, mut alone) = (Store::default(), Store::default());
        let at_once = together.commit(&writes);
        let mut one_by_one = Vec::new();
        for write in &writes {
            one_by_one.extend(alone.commit(std::slice::from_ref(write)));
            alone.check();
        }
        prop_assert_eq!(at_once, one_by_one);
        prop_assert_eq!(together, alone);
    }
}
