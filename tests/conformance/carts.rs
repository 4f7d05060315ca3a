//! `ports::carts`: what a buyer gathered is there again, whole, and nobody else's.

use crate::shop::{Shop, on_both_databases, sku};
use stoa::{
    domain::{
        cart::{
            Cart, CartAct, CartAnswer, CartEdit, CartKind, CartLine, CartOwner, CartRefusal,
            CartTarget, CartWrite, Edited, LineChange, Offer,
        },
        cart_sums::CartSums,
        id::{CartId, ProductId, SessionId, UserId},
        money::{Currency, Money},
        price::{Ladder, PriceSet},
        quantity::{OrderLimits, Precision, Quantity},
        stock::StockBand,
        tax::{TaxCategory, TaxMode},
        time::Micros,
    },
    ports::{
        StoreError,
        carts::Carts,
        clock::{Clock, Ids},
        writer::{Write, Written},
    },
};

on_both_databases![
    what_was_put_in_is_read_back_to_the_last_field,
    lines_are_read_in_pieces_in_the_order_they_came,
    a_batch_of_many_buyers_is_one_set_of_statements,
    another_buyers_cart_is_not_there,
    a_buyer_has_one_active_cart,
    a_guests_carts_change_hands,
    a_cart_with_its_lines_goes_together,
    old_carts_of_guests_are_swept_and_no_others,
    an_ordered_cart_is_closed_and_a_new_one_begins,
    an_edit_of_a_long_cart_reads_and_writes_its_own_line_alone,
];

fn user(n: u128) -> CartOwner {
    CartOwner::User(UserId(uuid::Uuid::from_u128(n)))
}

fn session(n: u128) -> SessionId {
    SessionId(uuid::Uuid::from_u128(n))
}

impl Shop {
    /// An open cart with one product in it, and its version.
    pub(crate) async fn cart_of(&mut self, name: &str) -> (CartId, i64) {
        let owner = CartOwner::User(UserId(self.source.next()));
        let target = CartTarget::Kind { kind: CartKind::Active, new: CartId(self.source.next()) };
        let quantity = Quantity::of_steps(100).unwrap();
        let changes = vec![LineChange::Add { offer: offer(name, 1_299), quantity, note: None }];
        let edit = CartEdit::Lines { changes, partial: false };
        let act = CartAct::Edit { target, expect: None, edit };
        let write = CartWrite { owner, at: self.source.now(), act };
        match self.writer.commit(vec![Write::Carts(write)]).await.swap_remove(0).unwrap() {
            Written::Cart(CartAnswer::Done(edited)) => (edited.cart.id, edited.cart.version),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn offer(name: &str, minor: i64) -> Offer {
    let product = ProductId(uuid::Uuid::from_u128(77));
    let price = Money { minor, currency: Currency::USD };
    let set = PriceSet::base(price.currency, TaxMode::Inclusive);
    Offer {
        product,
        sku: sku(name),
        precision: Precision::new(2).unwrap(),
        ladder: Ladder::new(&set, product, "m", Some(price), &[]),
        tax_category: TaxCategory::new("books").unwrap(),
        limits: OrderLimits::default(),
        band: StockBand::FewLeft,
    }
}

pub(crate) fn add(name: &str, minor: i64, quantity: &str) -> LineChange {
    let offer = offer(name, minor);
    let quantity = Quantity::parse(quantity, offer.precision).unwrap();
    LineChange::Add { offer, quantity, note: Some(format!("ä note on {name}")) }
}

pub(crate) fn to_active(shop: &Shop, changes: Vec<LineChange>) -> CartAct {
    let target = CartTarget::Kind { kind: CartKind::Active, new: CartId(shop.source.next()) };
    let edit = CartEdit::Lines { changes, partial: false };
    CartAct::Edit { target, expect: None, edit }
}

pub(crate) fn write(shop: &Shop, owner: CartOwner, act: CartAct) -> Write {
    Write::Carts(CartWrite { owner, at: shop.source.now(), act })
}

async fn ask(shop: &mut Shop, owner: CartOwner, act: CartAct) -> CartAnswer {
    match shop.commit(write(shop, owner, act)).await.unwrap() {
        Written::Cart(answer) => answer,
        other => panic!("{other:?}"),
    }
}

async fn done(shop: &mut Shop, owner: CartOwner, act: CartAct) -> Edited {
    match ask(shop, owner, act).await {
        CartAnswer::Done(edited) => *edited,
        other => panic!("{other:?}"),
    }
}

async fn put(shop: &mut Shop, owner: CartOwner, changes: Vec<LineChange>) -> Edited {
    let act = to_active(shop, changes);
    done(shop, owner, act).await
}

/// A cart as it is read, which must be as it was answered and sum up.
async fn same(shop: &Shop, cart: &Cart) -> Vec<CartLine> {
    let (read, lines) = shop.store.whole(cart.owner, cart.id).await.unwrap().unwrap();
    assert_eq!(read, *cart);
    assert_eq!(cart.sums, CartSums::of(lines.iter().map(|line| &line.priced)).unwrap());
    lines
}

async fn what_was_put_in_is_read_back_to_the_last_field(mut shop: Shop) {
    let edited = put(&mut shop, user(1), vec![add("A", 250, "1.25"), add("B", 1, "3")]).await;
    assert_eq!(same(&shop, &edited.cart).await, edited.lines);
    assert_eq!(edited.cart.subtotal().unwrap().minor, 313 + 3);
    let some = shop.store.some(edited.cart.id, &[sku("C"), sku("B")]).await.unwrap();
    assert_eq!(some, edited.lines[1..]);
    let again = put(&mut shop, user(1), vec![add("A", 250, "1")]).await;
    assert_eq!((again.cart.id, again.cart.version), (edited.cart.id, 2));
    assert_eq!(again.lines[0].quantity_text(), "2.25");
    same(&shop, &again.cart).await;
    let edit = CartEdit::Describe {
        name: Some("Büro \"2\"".into()),
        note: Some(Some("line\nline".into())),
        kind: None,
    };
    let target = CartTarget::Id(again.cart.id);
    let act = CartAct::Edit { target, expect: Some(2), edit };
    let named = done(&mut shop, user(1), act).await;
    same(&shop, &named.cart).await;
    assert_eq!(shop.store.of_kind(user(1), CartKind::Active).await.unwrap(), Some(named.cart));
}

async fn lines_are_read_in_pieces_in_the_order_they_came(mut shop: Shop) {
    let names: Vec<_> = (0..25).map(|n| format!("S{}", (n * 7) % 25)).collect();
    let changes = names.iter().map(|name| add(name, 5, "1")).collect();
    let cart = put(&mut shop, user(1), changes).await.cart;
    let (mut after, mut read) = (0, Vec::new());
    loop {
        let page = shop.store.lines(cart.id, after, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.place;
        read.extend(page.into_iter().map(|line| line.sku.to_string()));
    }
    assert_eq!(read, names);
}

async fn a_batch_of_many_buyers_is_one_set_of_statements(mut shop: Shop) {
    let mut writes = Vec::new();
    for n in 1..=40 {
        let act = to_active(&shop, vec![add(&format!("S{n}"), 100, "1"), add("same", 7, "1")]);
        writes.push(write(&shop, user(n % 20), act));
    }
    let stale = CartAct::Delete { id: CartId(shop.source.next()), expect: None };
    writes.push(write(&shop, user(1), stale));
    let answers = shop.writer.commit(writes).await;
    let absent = Written::Cart(CartAnswer::Refused(CartRefusal::Absent));
    assert_eq!(answers[40], Ok(absent));
    for n in 0..20 {
        let cart = shop.store.of_kind(user(n), CartKind::Active).await.unwrap().unwrap();
        assert_eq!((cart.version, cart.lines()), (2, 3));
        let lines = same(&shop, &cart).await;
        assert_eq!(lines[1].quantity_text(), "2");
    }
}

async fn another_buyers_cart_is_not_there(mut shop: Shop) {
    let mine = put(&mut shop, user(1), vec![add("A", 5, "1")]).await.cart;
    // Also to a guest whose session bears the same number.
    for other in [user(2), CartOwner::Guest(session(1))] {
        assert_eq!(shop.store.cart(other, mine.id).await.unwrap(), None);
        assert_eq!(shop.store.whole(other, mine.id).await.unwrap(), None);
        assert_eq!(shop.store.of_kind(other, CartKind::Active).await.unwrap(), None);
        assert!(shop.store.open(other).await.unwrap().is_empty());
        let act = CartAct::Delete { id: mine.id, expect: None };
        let refused = CartAnswer::Refused(CartRefusal::Absent);
        assert_eq!(ask(&mut shop, other, act).await, refused);
    }
    same(&shop, &mine).await;
}

async fn a_buyer_has_one_active_cart(mut shop: Shop) {
    let first = put(&mut shop, user(1), vec![add("A", 5, "1")]).await.cart;
    let create =
        CartAct::Create { id: CartId(shop.source.next()), name: "Wishes".into(), note: None };
    let list = done(&mut shop, user(1), create).await.cart;
    let later = CartTarget::Kind { kind: CartKind::Later, new: CartId(shop.source.next()) };
    let edit = CartEdit::Move { sku: sku("A"), to: later };
    let act = CartAct::Edit { target: CartTarget::Id(first.id), expect: None, edit };
    let first = done(&mut shop, user(1), act).await.cart;
    assert_eq!(first.lines(), 0);
    let edit = CartEdit::Describe { name: None, note: None, kind: Some(CartKind::Active) };
    let act = CartAct::Edit { target: CartTarget::Id(list.id), expect: Some(1), edit };
    done(&mut shop, user(1), act).await;
    let open = shop.store.open(user(1)).await.unwrap();
    let kinds: Vec<_> = open.iter().map(|cart| (cart.kind, cart.lines())).collect();
    assert_eq!(kinds, [(CartKind::Active, 0), (CartKind::Later, 1), (CartKind::List, 0)]);
    assert_eq!((open[0].id, open[2].id), (list.id, first.id));
}

async fn a_guests_carts_change_hands(mut shop: Shop) {
    let guest = CartOwner::Guest(session(5));
    put(&mut shop, guest, vec![add("A", 5, "1"), add("B", 5, "1")]).await;
    let mine = put(&mut shop, user(1), vec![add("A", 5, "2")]).await.cart;
    for carts in [1, 0] {
        let act = CartAct::TakeOver { from: session(5) };
        assert_eq!(ask(&mut shop, user(1), act).await, CartAnswer::TakenOver { carts });
    }
    assert!(shop.store.open(guest).await.unwrap().is_empty());
    let cart = shop.store.cart(user(1), mine.id).await.unwrap().unwrap();
    let lines = same(&shop, &cart).await;
    let quantities: Vec<_> = lines.iter().map(|l| (l.sku.as_str(), l.quantity_text())).collect();
    assert_eq!(quantities, [("A", "3".into()), ("B", "1".into())]);
    // One who had none takes the cart itself.
    let other = put(&mut shop, CartOwner::Guest(session(6)), vec![add("C", 5, "1")]).await.cart;
    ask(&mut shop, user(2), CartAct::TakeOver { from: session(6) }).await;
    let taken = shop.store.of_kind(user(2), CartKind::Active).await.unwrap().unwrap();
    assert_eq!((taken.id, taken.lines()), (other.id, 1));
}

async fn a_cart_with_its_lines_goes_together(mut shop: Shop) {
    let cart = put(&mut shop, user(1), vec![add("A", 5, "1"), add("B", 5, "1")]).await.cart;
    let remove = LineChange::Remove { sku: sku("A") };
    let left = put(&mut shop, user(1), vec![remove]).await.cart;
    assert_eq!(same(&shop, &left).await.len(), 1);
    let stale = CartAct::Delete { id: cart.id, expect: Some(1) };
    let refused = CartAnswer::Refused(CartRefusal::Changed { version: 2 });
    assert_eq!(ask(&mut shop, user(1), stale).await, refused);
    done(&mut shop, user(1), CartAct::Delete { id: cart.id, expect: Some(2) }).await;
    assert_eq!(shop.store.whole(user(1), cart.id).await.unwrap(), None);
    assert!(shop.store.lines(cart.id, 0, 10).await.unwrap().is_empty());
}

async fn old_carts_of_guests_are_swept_and_no_others(mut shop: Shop) {
    let guest = |n| CartOwner::Guest(session(n));
    for n in 1..=3 {
        put(&mut shop, guest(n), vec![add("A", 5, "1"), add("B", 5, "1")]).await;
    }
    put(&mut shop, user(4), vec![add("A", 5, "1")]).await;
    let older_than = shop.source.now();
    put(&mut shop, guest(5), vec![add("A", 5, "1")]).await;
    let mut swept = Vec::new();
    for _ in 0..4 {
        let sweep = Write::SweepCarts { older_than, most: 4 };
        swept.push(shop.commit(sweep).await.unwrap());
    }
    assert_eq!(swept, [2, 1, 0, 0].map(Written::Swept), "so many as have four lines");
    for (owner, there) in [(guest(1), 0), (guest(3), 0), (user(4), 1), (guest(5), 1)] {
        assert_eq!(shop.store.open(owner).await.unwrap().len(), there, "{owner:?}");
    }
}

async fn an_ordered_cart_is_closed_and_a_new_one_begins(mut shop: Shop) {
    let cart = put(&mut shop, user(1), vec![add("A", 5, "1")]).await.cart;
    shop.execute("UPDATE cart SET state = 'ordered'").await;
    let edit = CartEdit::Lines { changes: vec![add("B", 5, "1")], partial: false };
    let act = CartAct::Edit { target: CartTarget::Id(cart.id), expect: None, edit };
    let refused = CartAnswer::Refused(CartRefusal::Ordered);
    assert_eq!(ask(&mut shop, user(1), act).await, refused);
    let next = put(&mut shop, user(1), vec![add("B", 5, "1")]).await.cart;
    assert_ne!(next.id, cart.id);
    assert!(shop.store.cart(user(1), cart.id).await.unwrap().is_some(), "it can be looked at");
    let later = Micros(shop.source.now().0 + 1);
    let sweep = Write::SweepCarts { older_than: later, most: 100 };
    assert_eq!(shop.commit(sweep).await, Ok(Written::Swept(1)));
    assert_eq!(shop.store.open(user(1)).await.unwrap(), [next]);
}

/// Five thousand lines of which all but one can't be read any more: whoever looked at another one
/// would say that the database is damaged.
async fn an_edit_of_a_long_cart_reads_and_writes_its_own_line_alone(mut shop: Shop) {
    for part in 0..5 {
        let changes = (0..1_000).map(|n| add(&format!("{part}-{n}"), 100, "1")).collect();
        put(&mut shop, user(1), changes).await;
    }
    shop.execute("UPDATE cart_line SET tax_category = '?' WHERE sku <> '2-500'").await;
    let whole = shop.store.of_kind(user(1), CartKind::Active).await.unwrap().unwrap();
    let read = shop.store.lines(whole.id, 0, 10).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
    let more = put(&mut shop, user(1), vec![add("2-500", 100, "1")]).await;
    assert_eq!((more.cart.lines(), more.lines.len()), (5_000, 1));
    let fresh = put(&mut shop, user(1), vec![add("new", 7, "1")]).await;
    assert_eq!(fresh.cart.subtotal().unwrap().minor, 5_001 * 100 + 7);
    let remove = LineChange::Remove { sku: sku("2-500") };
    let less = put(&mut shop, user(1), vec![remove]).await.cart;
    assert_eq!((less.lines(), less.subtotal().unwrap().minor), (5_000, 4_999 * 100 + 7));
    assert_eq!(less.version, 8);
    // Nor was another one written: all of them are as unreadable as before.
    shop.execute("DELETE FROM cart_line WHERE tax_category = '?'").await;
    let left = shop.store.lines(less.id, 0, 10).await.unwrap();
    assert_eq!(left.len(), 1);
}
