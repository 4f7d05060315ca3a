//! `ports::sessions`: a session is found by its token's hash until it is ended or swept.

use crate::shop::{Shop, on_both_databases};
use std::time::Duration;
use stoa::{
    domain::{
        cart::{CartAct, CartOwner, CartWrite},
        id::{CartId, SessionId},
        session::{Session, Via, Who},
        time::Micros,
    },
    ports::{
        carts::Carts,
        clock::Ids,
        sessions::{NewSession, SessionWrite, Sessions, TokenHash},
        writer::{Write, Written},
    },
};

on_both_databases![
    a_guests_session_is_read_back_as_it_was_opened,
    one_that_is_replaced_is_dead_and_says_where_it_went,
    what_a_guest_gathered_goes_along_at_login,
    an_end_is_once_and_uses_only_move_forward,
    what_nobody_used_for_long_is_swept_in_bites,
    no_two_sessions_have_one_token,
    of_one_address_so_many_guests_are_kept_and_users_are_not_counted,
];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn new(shop: &Shop, token: u8, at: i64) -> NewSession {
    NewSession {
        id: SessionId(shop.source.next()),
        token: TokenHash([token; 32]),
        user: None,
        via: Via::Cookie,
        scopes: None,
        label: "Mozilla/5.0 “é”".into(),
        address: "2001:db8::1".into(),
        at: Micros(at),
        ends_at: Micros(at).plus(DAY),
    }
}

fn session(of: &NewSession) -> Session {
    Session {
        id: of.id,
        who: Who::Guest,
        via: of.via,
        opened_at: of.at,
        seen_at: of.at,
        ends_at: of.ends_at,
        label: of.label.clone(),
        address: of.address.clone(),
    }
}

async fn write(shop: &mut Shop, write: SessionWrite) -> Written {
    shop.commit(Write::Sessions(write)).await.unwrap()
}

async fn open(shop: &mut Shop, new: &NewSession) {
    let opened = write(shop, SessionWrite::Open(Box::new(new.clone()))).await;
    assert_eq!(opened, Written::Done);
}

async fn find(shop: &Shop, token: u8) -> Option<Session> {
    shop.store.by_token(TokenHash([token; 32])).await.unwrap()
}

async fn a_guests_session_is_read_back_as_it_was_opened(mut shop: Shop) {
    let new = new(&shop, 1, 100);
    open(&mut shop, &new).await;
    assert_eq!(find(&shop, 1).await, Some(session(&new)));
    assert_eq!(find(&shop, 2).await, None);
    assert_eq!(shop.store.merged_into(new.id).await.unwrap(), None);
}

async fn one_that_is_replaced_is_dead_and_says_where_it_went(mut shop: Shop) {
    let (old, next) = (new(&shop, 1, 100), new(&shop, 2, 200));
    open(&mut shop, &old).await;
    let replace = SessionWrite::Replace { old: old.id, new: Box::new(next.clone()) };
    assert_eq!(write(&mut shop, replace).await, Written::Ended(vec![TokenHash([1; 32])]));
    assert_eq!((find(&shop, 1).await, find(&shop, 2).await), (None, Some(session(&next))));
    assert_eq!(shop.store.merged_into(old.id).await.unwrap(), Some(next.id));
    // One that had ended by then: the new one begins all the same.
    let third = new(&shop, 3, 300);
    let replace = SessionWrite::Replace { old: old.id, new: Box::new(third.clone()) };
    assert_eq!(write(&mut shop, replace).await, Written::Ended(vec![]));
    assert!(find(&shop, 3).await.is_some());
    assert_eq!(shop.store.merged_into(old.id).await.unwrap(), Some(next.id));
}

async fn what_a_guest_gathered_goes_along_at_login(mut shop: Shop) {
    let user = crate::accounts::register(&mut shop, "ada").await.1;
    let guest = new(&shop, 1, 100);
    open(&mut shop, &guest).await;
    let owner = CartOwner::Guest(guest.id);
    let id = CartId(shop.source.next());
    let act = CartAct::Create { id, name: "Shed".into(), note: None };
    shop.commit(Write::Carts(CartWrite { owner, at: Micros(100), act })).await.unwrap();
    for token in [2, 3] {
        // Asked twice, as by two clicks: the second finds nothing left, and is a login all the same.
        let next = NewSession { user: Some(user), ..new(&shop, token, 200) };
        let replace = SessionWrite::Replace { old: guest.id, new: Box::new(next) };
        write(&mut shop, replace).await;
        let names: Vec<_> = Carts::open(&shop.store, CartOwner::User(user))
            .await
            .unwrap()
            .into_iter()
            .map(|cart| cart.name)
            .collect();
        assert_eq!(names, ["Shed"]);
        assert!(Carts::open(&shop.store, owner).await.unwrap().is_empty());
    }
    // A guest who goes on as a guest keeps nothing of the other's.
    let next = new(&shop, 4, 300);
    let replace = SessionWrite::Replace { old: guest.id, new: Box::new(next) };
    write(&mut shop, replace).await;
    assert_eq!(Carts::open(&shop.store, CartOwner::User(user)).await.unwrap().len(), 1);
}

async fn an_end_is_once_and_uses_only_move_forward(mut shop: Shop) {
    let (first, second) = (new(&shop, 1, 100), new(&shop, 2, 100));
    open(&mut shop, &first).await;
    open(&mut shop, &second).await;
    let touch = vec![(first.id, Micros(500)), (second.id, Micros(50))];
    assert_eq!(write(&mut shop, SessionWrite::Touch(touch)).await, Written::Done);
    assert_eq!(find(&shop, 1).await.unwrap().seen_at, Micros(500));
    assert_eq!(find(&shop, 2).await.unwrap().seen_at, Micros(100));
    let end = || SessionWrite::End { id: first.id, user: None, at: Micros(600) };
    assert_eq!(write(&mut shop, end()).await, Written::Ended(vec![TokenHash([1; 32])]));
    assert_eq!(write(&mut shop, end()).await, Written::Ended(vec![]));
    assert_eq!(find(&shop, 1).await, None);
    assert!(find(&shop, 2).await.is_some());
}

async fn what_nobody_used_for_long_is_swept_in_bites(mut shop: Shop) {
    for token in 1..=5 {
        let new = new(&shop, token, i64::from(token) * 100);
        open(&mut shop, &new).await;
    }
    let sweep = |most| SessionWrite::Sweep { unseen_since: Micros(400), now: Micros(1_000), most };
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(2));
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(1));
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(0));
    for token in 1..=5 {
        assert_eq!(find(&shop, token).await.is_some(), token >= 4, "{token}");
    }
}

async fn no_two_sessions_have_one_token(mut shop: Shop) {
    let (first, second) = (new(&shop, 1, 100), new(&shop, 1, 200));
    open(&mut shop, &first).await;
    let open = Write::Sessions(SessionWrite::Open(Box::new(second)));
    assert!(shop.commit(open).await.is_err());
    assert_eq!(find(&shop, 1).await.unwrap().id, first.id);
}

async fn of_one_address_so_many_guests_are_kept_and_users_are_not_counted(mut shop: Shop) {
    let user = crate::accounts::register(&mut shop, "ada").await.1;
    for token in 1..=5 {
        let new = new(&shop, token, i64::from(token) * 100);
        open(&mut shop, &new).await;
    }
    let elsewhere = NewSession { address: "192.0.2.1".into(), ..new(&shop, 6, 1) };
    let theirs = NewSession { user: Some(user), ..new(&shop, 7, 1) };
    for new in [elsewhere, theirs] {
        open(&mut shop, &new).await;
    }
    let sweep = |most| SessionWrite::SweepGuests { keep: 2, most };
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(2));
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(1));
    assert_eq!(write(&mut shop, sweep(2)).await, Written::Swept(0));
    let mut left = Vec::new();
    for token in 1..=7 {
        if find(&shop, token).await.is_some() {
            left.push(token);
        }
    }
    assert_eq!(left, [4, 5, 6, 7], "those seen last, another address, and who logged in");
}
