//! `ports::accounts`: who registered is found, a token works once, and who is forgotten is gone.

use crate::{
    orders::order,
    shop::{Shop, on_both_databases},
};
use std::time::Duration;
use stoa::{
    domain::{
        account::{Account, Customer, CustomerGroup, CustomerKind, Email, Post, SavedAddress},
        address::AddressDraft,
        audit::AuditEntry,
        cart::{CartAct, CartOwner, CartWrite},
        event::{Event, EventKind},
        id::{AddressId, CartId, CustomerGroupId, CustomerId, MailId, OrderId, SessionId, UserId},
        order::Action,
        policy::{BuyerRole, StaffRole},
        session::{Via, Who},
        time::Micros,
    },
    ports::{
        accounts::{
            AccountWrite, Accounts, NewAccount, NewCustomer, NewToken, PasswordHash, Purpose,
        },
        audit::Audit,
        carts::Carts,
        clock::Ids,
        mail::{MailBody, MailQueue, MailState, NewMail},
        orders::Orders,
        outbox::Outbox,
        sessions::{NewSession, SessionWrite, Sessions, TokenHash},
        writer::{Write, Written},
    },
};

on_both_databases![
    who_registers_is_found_by_address_and_id,
    an_address_of_mail_is_one_persons,
    a_token_sets_a_password_once_and_ends_all_sessions,
    a_password_that_was_changed_meanwhile_is_not_hashed_back,
    the_shop_gets_one_owner_by_the_last_link,
    somebody_always_stays_who_may_say_who_comes_in,
    who_is_locked_out_has_no_session_and_no_key_until_they_are_let_in,
    one_address_is_the_default_and_strangers_change_none,
    groups_have_codes_of_their_own_and_customers,
    who_is_erased_leaves_a_row_without_a_name,
    orders_of_who_is_erased_name_nobody_once_they_were_sent,
    customers_are_listed_by_age_in_pages,
    tokens_that_are_over_are_swept_in_bites,
];

const HOUR: Duration = Duration::from_secs(60 * 60);
const NOW: Micros = Micros(1_000_000);

fn email(text: &str) -> Email {
    Email::new(text).unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.into())
}

/// One to somebody, put into the queue at `at`.
pub(crate) fn mail(shop: &Shop, to: &str, at: i64) -> NewMail {
    NewMail {
        id: MailId(shop.source.next()),
        kind: "test",
        recipient: to.into(),
        subject: "Grüße".into(),
        body: MailBody("a\nb".into()),
        at: Micros(at),
        until: Micros(at).plus(HOUR),
    }
}

async fn write(shop: &mut Shop, write: AccountWrite) -> Written {
    shop.commit(Write::Accounts(write)).await.unwrap()
}

fn token(n: u8, account: Option<UserId>, purpose: Purpose) -> NewToken {
    NewToken { hash: TokenHash([n; 32]), account, purpose, at: NOW, expires_at: NOW.plus(HOUR) }
}

/// A clerk, with a mail of a test's choice.
pub(crate) async fn invite(shop: &mut Shop, n: u8, mail: NewMail) -> UserId {
    let account = NewAccount {
        id: UserId(shop.source.next()),
        post: Post::Staff { role: StaffRole::Clerk },
        email: email(&format!("clerk-{n}@example.com")),
        name: format!("Clerk {n}"),
        password: None,
    };
    let (id, token) = (account.id, token(n, Some(account.id), Purpose::Reset));
    let invite = AccountWrite::Invite { account, token, mail, by: "test".into(), at: NOW };
    assert_eq!(write(shop, invite).await, Written::Done);
    id
}

fn registration(shop: &Shop, name: &str) -> (CustomerId, UserId, AccountWrite) {
    let (customer, user) = (CustomerId(shop.source.next()), UserId(shop.source.next()));
    let at = format!("{name}@example.com");
    let register = AccountWrite::Register {
        customer: NewCustomer {
            id: customer,
            kind: CustomerKind::Company,
            name: format!("{name} Ltd"),
            tax_number: Some("DE123".into()),
        },
        account: NewAccount {
            id: user,
            post: Post::Buyer { customer, role: BuyerRole::Admin },
            email: email(&at),
            name: name.into(),
            password: Some(hash("first")),
        },
        mail: Some(mail(shop, &at, NOW.0)),
        at: NOW,
    };
    (customer, user, register)
}

pub(crate) async fn register(shop: &mut Shop, name: &str) -> (CustomerId, UserId) {
    let (customer, user, register) = registration(shop, name);
    assert_eq!(write(shop, register).await, Written::Done);
    (customer, user)
}

/// Somebody's session under a token of a test's choice.
async fn log_in(shop: &mut Shop, user: UserId, token: u8) -> SessionId {
    let id = SessionId(shop.source.next());
    let new = NewSession {
        id,
        token: TokenHash([token; 32]),
        user: Some(user),
        via: Via::Cookie,
        scopes: None,
        label: String::new(),
        address: String::new(),
        at: NOW,
        ends_at: NOW.plus(HOUR),
    };
    let open = Write::Sessions(SessionWrite::Open(Box::new(new)));
    assert_eq!(shop.commit(open).await.unwrap(), Written::Done);
    id
}

async fn is_in(shop: &Shop, token: u8) -> bool {
    Sessions::by_token(&shop.store, TokenHash([token; 32])).await.unwrap().is_some()
}

/// The newest entry of the audit log.
async fn last_change(shop: &Shop) -> AuditEntry {
    shop.store.number().await.unwrap();
    shop.store.entries_before(None, 1).await.unwrap().swap_remove(0)
}

async fn password(shop: &Shop, user: UserId) -> Option<PasswordHash> {
    Accounts::by_user(&shop.store, user).await.unwrap().unwrap().password
}

async fn who_registers_is_found_by_address_and_id(mut shop: Shop) {
    let (customer, user) = register(&mut shop, "ada").await;
    let account = Account {
        id: user,
        post: Post::Buyer { customer, role: BuyerRole::Admin },
        email: Some(email("ada@example.com")),
        name: "ada".into(),
        active: true,
        locked_at: None,
        created_at: NOW,
        logged_in_at: None,
    };
    let found = shop.store.by_email(&email("ADA@example.com")).await.unwrap().unwrap();
    assert_eq!((&found.account, found.password), (&account, Some(hash("first"))));
    assert_eq!(shop.store.by_user(user).await.unwrap().unwrap().account, account);
    assert_eq!(shop.store.by_email(&email("bob@example.com")).await.unwrap(), None);
    let kept = shop.store.customer(customer).await.unwrap().unwrap();
    let expected = Customer {
        id: customer,
        kind: CustomerKind::Company,
        name: "ada Ltd".into(),
        tax_number: Some("DE123".into()),
        group: None,
        created_at: NOW,
        erased_at: None,
    };
    assert_eq!(kept, expected);
    assert_eq!(shop.store.counts().await.unwrap(), (1, 0), "a welcome waits");
    log_in(&mut shop, user, 1).await;
    let session = Sessions::by_token(&shop.store, TokenHash([1; 32])).await.unwrap().unwrap();
    let rights = BuyerRole::Admin.rights();
    assert_eq!(session.who, Who::Buyer { user, customer, rights });
    let seen = shop.store.accounts(Some(customer)).await.unwrap();
    assert_eq!(seen[0].logged_in_at, Some(NOW));
}

async fn an_address_of_mail_is_one_persons(mut shop: Shop) {
    let (_, ada) = register(&mut shop, "ada").await;
    let (customer, _, again) = registration(&shop, "ada");
    assert_eq!(write(&mut shop, again).await, Written::Taken);
    assert_eq!(shop.store.customer(customer).await.unwrap(), None, "nothing of it is left");
    assert_eq!(shop.store.counts().await.unwrap(), (1, 0), "nor a second welcome");
    let (_, bob) = register(&mut shop, "bob").await;
    let change = |user, to: &str, mail| AccountWrite::ChangeAccount {
        user,
        name: "B".into(),
        email: email(to),
        mail,
        at: NOW,
    };
    let warning = Some(mail(&shop, "bob@example.com", NOW.0));
    let taken = change(bob, "ada@example.com", warning.clone());
    assert_eq!(write(&mut shop, taken).await, Written::Taken);
    assert_eq!(shop.store.counts().await.unwrap(), (2, 0));
    let free = change(bob, "robert@example.com", warning);
    assert_eq!(write(&mut shop, free).await, Written::Done);
    assert_eq!(shop.store.counts().await.unwrap(), (3, 0));
    assert!(shop.store.by_email(&email("bob@example.com")).await.unwrap().is_none());
    assert_eq!(write(&mut shop, change(ada, "ada@example.com", None)).await, Written::Done);
    let nobody = change(UserId(shop.source.next()), "c@example.com", None);
    assert_eq!(write(&mut shop, nobody).await, Written::Absent);
}

async fn a_token_sets_a_password_once_and_ends_all_sessions(mut shop: Shop) {
    let (_, user) = register(&mut shop, "ada").await;
    log_in(&mut shop, user, 11).await;
    let kept = log_in(&mut shop, user, 12).await;
    for n in [1, 2] {
        let put =
            AccountWrite::PutToken { token: token(n, Some(user), Purpose::Reset), mail: None };
        assert_eq!(write(&mut shop, put).await, Written::Done);
    }
    let whose =
        |n: u8, purpose, now| Accounts::by_token(&shop.store, TokenHash([n; 32]), purpose, now);
    assert_eq!(whose(1, Purpose::Reset, NOW).await.unwrap(), Some(Some(user)));
    assert_eq!(whose(1, Purpose::Setup, NOW).await.unwrap(), None);
    assert_eq!(whose(1, Purpose::Reset, NOW.plus(HOUR)).await.unwrap(), None);
    let set = |n: u8, at| AccountWrite::UseToken {
        token: TokenHash([n; 32]),
        password: hash("second"),
        mail: None,
        at,
    };
    assert_eq!(write(&mut shop, set(1, NOW.plus(HOUR))).await, Written::Absent, "too late");
    let Written::Ended(mut ended) = write(&mut shop, set(1, NOW)).await else { panic!() };
    ended.sort_by_key(|hash| hash.0);
    assert_eq!(ended, [TokenHash([11; 32]), TokenHash([12; 32])]);
    assert!(!is_in(&shop, 11).await && !is_in(&shop, 12).await);
    assert_eq!(password(&shop, user).await, Some(hash("second")));
    for n in [1, 2, 3] {
        assert_eq!(write(&mut shop, set(n, NOW)).await, Written::Absent, "{n} is dead");
    }
    // Somebody who changes it while logged in stays so.
    let but = log_in(&mut shop, user, 13).await;
    log_in(&mut shop, user, 14).await;
    let (password, mail) = (hash("third"), None);
    let change = AccountWrite::SetPassword { user, password, but: Some(but), mail, at: NOW };
    assert_eq!(write(&mut shop, change).await, Written::Ended(vec![TokenHash([14; 32])]));
    assert!(is_in(&shop, 13).await && kept != but);
}

async fn a_password_that_was_changed_meanwhile_is_not_hashed_back(mut shop: Shop) {
    let (_, user) = register(&mut shop, "ada").await;
    let rehash = |old: &str| AccountWrite::Rehash { user, old: hash(old), new: hash("better") };
    assert_eq!(write(&mut shop, rehash("other")).await, Written::Absent);
    assert_eq!(password(&shop, user).await, Some(hash("first")));
    assert_eq!(write(&mut shop, rehash("first")).await, Written::Done);
    assert_eq!(password(&shop, user).await, Some(hash("better")));
}

async fn the_shop_gets_one_owner_by_the_last_link(mut shop: Shop) {
    for n in [1, 2] {
        let put = AccountWrite::PutToken { token: token(n, None, Purpose::Setup), mail: None };
        assert_eq!(write(&mut shop, put).await, Written::Done);
    }
    let (_, ada) = register(&mut shop, "ada").await;
    let set_up = |shop: &Shop, n: u8, at: &str| AccountWrite::SetUp {
        token: TokenHash([n; 32]),
        account: NewAccount {
            id: UserId(shop.source.next()),
            post: Post::Staff { role: StaffRole::Owner },
            email: email(at),
            name: "Olga".into(),
            password: Some(hash("olga's")),
        },
        at: NOW,
    };
    let old = set_up(&shop, 1, "olga@example.com");
    assert_eq!(write(&mut shop, old).await, Written::Absent, "a newer one was printed");
    let taken = set_up(&shop, 2, "ada@example.com");
    assert_eq!(write(&mut shop, taken).await, Written::Taken);
    let right = set_up(&shop, 2, "olga@example.com");
    assert_eq!(write(&mut shop, right).await, Written::Done, "it works yet");
    let put = AccountWrite::PutToken { token: token(3, None, Purpose::Setup), mail: None };
    write(&mut shop, put).await;
    for n in [2, 3] {
        let again = set_up(&shop, n, "eve@example.com");
        assert_eq!(write(&mut shop, again).await, Written::Absent);
    }
    let staff = shop.store.accounts(None).await.unwrap();
    assert_eq!(staff.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Olga"]);
    assert!(staff[0].id != ada);
    let log = last_change(&shop).await;
    assert_eq!(log.action, "account.set_up");
}

async fn somebody_always_stays_who_may_say_who_comes_in(mut shop: Shop) {
    let (customer, ada) = register(&mut shop, "ada").await;
    let (other, _) = register(&mut shop, "bob").await;
    let post = |role| Post::Buyer { customer, role };
    let change = |user, post, active| AccountWrite::ChangePost {
        user,
        post,
        active,
        by: "test".into(),
        at: NOW,
    };
    let demote = || change(ada, post(BuyerRole::Viewer), true);
    assert_eq!(write(&mut shop, demote()).await, Written::Conflict);
    let shut = change(ada, post(BuyerRole::Admin), false);
    assert_eq!(write(&mut shop, shut).await, Written::Conflict);
    let eve = UserId(shop.source.next());
    let account = NewAccount {
        id: eve,
        post: post(BuyerRole::Purchaser),
        email: email("eve@example.com"),
        name: "Eve".into(),
        password: None,
    };
    let (token, mail) = (token(1, Some(eve), Purpose::Reset), mail(&shop, "eve@example.com", 1));
    let invite = AccountWrite::Invite { account, token, mail, by: "test".into(), at: NOW };
    assert_eq!(write(&mut shop, invite).await, Written::Done);
    let promote = change(eve, post(BuyerRole::Admin), true);
    assert_eq!(write(&mut shop, promote).await, Written::Ended(vec![]));
    log_in(&mut shop, ada, 11).await;
    assert_eq!(write(&mut shop, demote()).await, Written::Ended(vec![TokenHash([11; 32])]));
    // Nobody is moved from one customer to another, nor to the shop's own people.
    let steal = change(eve, Post::Buyer { customer: other, role: BuyerRole::Admin }, true);
    assert_eq!(write(&mut shop, steal).await, Written::Absent);
    let rise = change(eve, Post::Staff { role: StaffRole::Owner }, true);
    assert_eq!(write(&mut shop, rise).await, Written::Absent);
    // Who may not come in has no live session, even one that is opened behind it.
    let promote = change(ada, post(BuyerRole::Admin), true);
    write(&mut shop, promote).await;
    log_in(&mut shop, eve, 12).await;
    let shut = change(eve, post(BuyerRole::Admin), false);
    assert_eq!(write(&mut shop, shut).await, Written::Ended(vec![TokenHash([12; 32])]));
    log_in(&mut shop, eve, 13).await;
    assert!(!is_in(&shop, 13).await);
    let log = last_change(&shop).await;
    assert_eq!((log.action.as_str(), log.subject.clone()), ("account.post", format!("user:{eve}")));
}

async fn who_is_locked_out_has_no_session_and_no_key_until_they_are_let_in(mut shop: Shop) {
    let (customer, ada) = register(&mut shop, "ada").await;
    let (other, bob) = register(&mut shop, "bob").await;
    log_in(&mut shop, ada, 11).await;
    let key = NewSession {
        id: SessionId(shop.source.next()),
        token: TokenHash([12; 32]),
        user: Some(ada),
        via: Via::Key,
        scopes: Some("orders:read".into()),
        label: String::new(),
        address: String::new(),
        at: NOW,
        ends_at: NOW.plus(HOUR),
    };
    shop.commit(Write::Sessions(SessionWrite::Open(Box::new(key)))).await.unwrap();
    log_in(&mut shop, bob, 13).await;
    let set = |customer, user, locked| AccountWrite::SetLocked {
        customer,
        user,
        locked,
        by: "user:olga".into(),
        at: Micros(7_000_000),
    };
    assert_eq!(write(&mut shop, set(other, ada, true)).await, Written::Absent, "another's");
    let nothing = write(&mut shop, set(customer, ada, false)).await;
    assert_eq!((nothing, is_in(&shop, 11).await), (Written::Ended(vec![]), true), "they are in");
    // The only one who acts for their customer, too: that is the shop's own say.
    let Written::Ended(mut ended) = write(&mut shop, set(customer, ada, true)).await else {
        panic!("it ends sessions");
    };
    ended.sort_by_key(|token| token.0);
    assert_eq!(ended, [TokenHash([11; 32]), TokenHash([12; 32])]);
    assert_eq!(write(&mut shop, set(customer, ada, true)).await, Written::Ended(vec![]));
    let known = Accounts::by_user(&shop.store, ada).await.unwrap().unwrap().account;
    assert_eq!((known.locked_at, known.active), (Some(Micros(7_000_000)), true));
    assert!(!known.may_come_in());
    // One that was opened behind it isn't live, nor once they are let in; their customer's say
    // changes nothing of it.
    log_in(&mut shop, ada, 14).await;
    assert!(!is_in(&shop, 14).await && !is_in(&shop, 12).await && is_in(&shop, 13).await);
    let post = Post::Buyer { customer, role: BuyerRole::Admin };
    let (by, at) = ("user:ada".to_owned(), NOW);
    let open = AccountWrite::ChangePost { user: ada, post, active: true, by, at };
    write(&mut shop, open).await;
    let known = Accounts::by_user(&shop.store, ada).await.unwrap().unwrap().account;
    assert!(!known.may_come_in());
    log_in(&mut shop, ada, 15).await;
    let back = write(&mut shop, set(customer, ada, false)).await;
    assert_eq!(back, Written::Ended(vec![TokenHash([15; 32])]));
    assert!(!is_in(&shop, 14).await && !is_in(&shop, 15).await);
    log_in(&mut shop, ada, 16).await;
    assert!(is_in(&shop, 16).await);
    let log = last_change(&shop).await;
    assert_eq!((log.action.as_str(), log.subject), ("account.let_in", format!("user:{ada}")));
    assert!(log.new.unwrap().contains("false"), "let in");
}

fn saved(shop: &Shop, customer: CustomerId, city: &str, default: bool) -> SavedAddress {
    let address = AddressDraft {
        name: "Ada".into(),
        street: "Straße 1".into(),
        postcode: "10115".into(),
        city: city.into(),
        country: "DE".into(),
        ..AddressDraft::default()
    };
    SavedAddress {
        id: AddressId(shop.source.next()),
        customer,
        address: address.check().unwrap(),
        default_shipping: default,
        default_billing: default,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn put(address: &SavedAddress, new: bool) -> AccountWrite {
    AccountWrite::PutAddress { address: Box::new(address.clone()), new }
}

async fn one_address_is_the_default_and_strangers_change_none(mut shop: Shop) {
    let (ada, _) = register(&mut shop, "ada").await;
    let (bob, _) = register(&mut shop, "bob").await;
    let (first, second) = (saved(&shop, ada, "Berlin", true), saved(&shop, ada, "Köln", true));
    assert_eq!(write(&mut shop, put(&first, true)).await, Written::Done);
    assert_eq!(shop.store.addresses(ada).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(write(&mut shop, put(&second, true)).await, Written::Done);
    let now = shop.store.addresses(ada).await.unwrap();
    assert_eq!(now.iter().map(|one| one.default_shipping).collect::<Vec<_>>(), [false, true]);
    assert_eq!(now.iter().map(|one| one.default_billing).collect::<Vec<_>>(), [false, true]);
    let stolen = SavedAddress { customer: bob, ..first.clone() };
    assert_eq!(write(&mut shop, put(&stolen, false)).await, Written::Absent);
    let drop = |customer| AccountWrite::DropAddress { customer, id: first.id };
    assert_eq!(write(&mut shop, drop(bob)).await, Written::Absent);
    assert_eq!(write(&mut shop, drop(ada)).await, Written::Done);
    assert_eq!(write(&mut shop, drop(ada)).await, Written::Absent);
    assert_eq!(write(&mut shop, put(&first, false)).await, Written::Absent);
    assert_eq!(shop.store.addresses(ada).await.unwrap(), [second]);
}

async fn groups_have_codes_of_their_own_and_customers(mut shop: Shop) {
    let (ada, _) = register(&mut shop, "ada").await;
    let group = |id, code: &str| CustomerGroup { id, code: code.into(), name: "G".into() };
    let put = |group: &CustomerGroup| AccountWrite::PutGroup {
        group: group.clone(),
        by: "t".into(),
        at: NOW,
    };
    let trade = group(CustomerGroupId(shop.source.next()), "trade");
    assert_eq!(write(&mut shop, put(&trade)).await, Written::Done);
    let same = group(CustomerGroupId(shop.source.next()), "trade");
    assert_eq!(write(&mut shop, put(&same)).await, Written::Taken);
    let renamed = CustomerGroup { code: "big".into(), ..trade.clone() };
    assert_eq!(write(&mut shop, put(&renamed)).await, Written::Done);
    assert_eq!(shop.store.groups().await.unwrap(), [renamed]);
    let into = |group| AccountWrite::SetGroup { customer: ada, group, by: "t".into(), at: NOW };
    assert_eq!(write(&mut shop, into(Some(same.id))).await, Written::Conflict);
    assert_eq!(write(&mut shop, into(Some(trade.id))).await, Written::Done);
    assert_eq!(shop.store.customer(ada).await.unwrap().unwrap().group, Some(trade.id));
    assert_eq!(write(&mut shop, into(None)).await, Written::Done);
    assert_eq!(shop.store.customer(ada).await.unwrap().unwrap().group, None);
    // Whoever keeps prices by groups is told of each change, and of nothing that was refused.
    let told = |event: &Event| event.kind == Some(EventKind::CustomerChanged);
    let told: Vec<_> = shop.log().await.into_iter().filter(told).map(|one| one.subject).collect();
    assert_eq!(told, [ada.0; 2]);
}

async fn who_is_erased_leaves_a_row_without_a_name(mut shop: Shop) {
    let (ada, user) = register(&mut shop, "ada").await;
    let (bob, other) = register(&mut shop, "bob").await;
    for (customer, user, token) in [(ada, user, 11), (bob, other, 12)] {
        log_in(&mut shop, user, token).await;
        let address = saved(&shop, customer, "Berlin", true);
        write(&mut shop, put(&address, true)).await;
        let id = CartId(shop.source.next());
        let (name, note) = ("Ada's list".into(), None);
        let owner = CartOwner::User(user);
        let make = CartWrite { owner, at: NOW, act: CartAct::Create { id, name, note } };
        shop.commit(Write::Carts(make)).await.unwrap();
    }
    let put = AccountWrite::PutToken { token: token(1, Some(user), Purpose::Reset), mail: None };
    write(&mut shop, put).await;
    let erase = || AccountWrite::Erase { customer: ada, by: "operator".into(), at: Micros(5) };
    assert_eq!(write(&mut shop, erase()).await, Written::Ended(vec![TokenHash([11; 32])]));
    assert_eq!(write(&mut shop, erase()).await, Written::Absent);
    let left = shop.store.customer(ada).await.unwrap().unwrap();
    assert_eq!((left.tax_number, left.erased_at), (None, Some(Micros(5))));
    assert!(!left.name.contains("ada"));
    let account = shop.store.by_user(user).await.unwrap().unwrap();
    assert_eq!((account.account.email, account.password), (None, None));
    assert!(!account.account.active && !account.account.name.contains("ada"));
    assert_eq!(shop.store.addresses(ada).await.unwrap(), []);
    assert!(Carts::open(&shop.store, CartOwner::User(user)).await.unwrap().is_empty());
    let token = Accounts::by_token(&shop.store, TokenHash([1; 32]), Purpose::Reset, NOW).await;
    assert_eq!(token.unwrap(), None);
    assert!(!is_in(&shop, 11).await);
    assert_eq!(shop.store.counts().await.unwrap(), (1, 1), "her welcome is given up");
    let log = last_change(&shop).await;
    assert_eq!((log.action.as_str(), log.by.as_str()), ("customer.erase", "operator"));
    // Nobody else lost anything, and the address of mail may be anybody's again.
    assert!(is_in(&shop, 12).await);
    assert_eq!(shop.store.addresses(bob).await.unwrap().len(), 1);
    assert_eq!(Carts::open(&shop.store, CartOwner::User(other)).await.unwrap().len(), 1);
    register(&mut shop, "ada").await;
}

async fn orders_of_who_is_erased_name_nobody_once_they_were_sent(mut shop: Shop) {
    let (ada, _) = register(&mut shop, "ada").await;
    let (bob, _) = register(&mut shop, "bob").await;
    shop.stocked(&[("A", 9)]).await;
    let mut orders = Vec::new();
    for customer in [ada, ada, bob] {
        let mut placing = shop.placing(&[("A", 1)]).await;
        placing.order.customer = Some(customer);
        placing.order.bill_to = Some(placing.order.ship_to.clone());
        placing.order.email = "private@example.com".into();
        orders.push(order(shop.place_all(vec![placing]).await.swap_remove(0)));
    }
    shop.act(orders[0].id, Action::Cancel).await;
    let erase = AccountWrite::Erase { customer: ada, by: "operator".into(), at: NOW };
    write(&mut shop, erase).await;
    let stored = async |shop: &Shop, n: usize| {
        let stored = Orders::get(&shop.store, orders[n].id).await.unwrap().unwrap();
        (stored.order, stored.access)
    };
    let (redacted, access) = stored(&shop, 0).await;
    assert_eq!((redacted.email.as_str(), access), ("erased", [0; 32]));
    for address in [Some(&redacted.ship_to), redacted.bill_to.as_ref()] {
        let address = address.unwrap();
        assert_eq!((address.name.as_str(), address.street.as_str()), ("erased", "erased"));
        assert_eq!(
            (&address.city, address.country),
            (&orders[0].ship_to.city, orders[0].ship_to.country)
        );
        assert_eq!((&address.company, &address.phone), (&None, &None));
    }
    // The books are as they were.
    assert_eq!((&redacted.lines, &redacted.summary), (&orders[0].lines, &orders[0].summary));
    assert_eq!((redacted.customer, redacted.number), (Some(ada), orders[0].number));
    // What is still to be sent keeps its address until it was; another's order is another's.
    assert_eq!(stored(&shop, 1).await.0.ship_to, orders[1].ship_to);
    shop.act(orders[1].id, Action::Cancel).await;
    let redact = || AccountWrite::RedactOrders { most: 5 };
    assert_eq!(write(&mut shop, redact()).await, Written::Swept(1));
    assert_eq!(stored(&shop, 1).await.0.ship_to.name, "erased");
    assert_eq!(write(&mut shop, redact()).await, Written::Swept(0));
    let theirs = stored(&shop, 2).await.0;
    assert_eq!((&theirs.email, &theirs.ship_to), (&orders[2].email, &orders[2].ship_to));
    // Nobody is mailed at an address that was taken out.
    let waiting = shop.store.queued(MailState::Waiting, 99).await.unwrap();
    let to = |of: OrderId| waiting.iter().filter(|mail| mail.order == Some(of)).count();
    assert_eq!((to(orders[0].id), to(orders[2].id)), (0, 1), "{waiting:?}");
    assert!(waiting.iter().all(|mail| mail.recipient != "erased"), "{waiting:?}");
    shop.books_balance().await;
}

async fn customers_are_listed_by_age_in_pages(mut shop: Shop) {
    let mut all = Vec::new();
    for name in ["a", "b", "c"] {
        all.push(register(&mut shop, name).await.0);
    }
    let page = async |after, limit| {
        let found = shop.store.customers(after, limit).await.unwrap();
        found.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, all[..2]);
    assert_eq!(page(Some(all[1]), 2).await, all[2..]);
    assert_eq!(page(Some(all[2]), 2).await, []);
}

async fn tokens_that_are_over_are_swept_in_bites(mut shop: Shop) {
    let (_, user) = register(&mut shop, "ada").await;
    for n in 1..=3 {
        let token = token(n, Some(user), Purpose::Reset);
        write(&mut shop, AccountWrite::PutToken { token, mail: None }).await;
    }
    let sweep = |expired_before| AccountWrite::SweepTokens { expired_before, most: 2 };
    let end = NOW.plus(HOUR);
    assert_eq!(write(&mut shop, sweep(end)).await, Written::Swept(0));
    let behind = Micros(end.0 + 1);
    assert_eq!(write(&mut shop, sweep(behind)).await, Written::Swept(2));
    assert_eq!(write(&mut shop, sweep(behind)).await, Written::Swept(1));
}
