//! Accounts of a shop that has none: who may ask, what is limited, and what is refused before
//! anything is written.

use super::{
    shop::{Shop, Ticking, header, is, json},
    visitors::{Dice, buyer, staff},
};
use crate::{
    actors::{
        keepers::{
            accounts::{Accounts, AccountsConfig, AccountsParts, Forgotten, desk},
            sessions::{Sessions, SessionsParts},
            writer,
        },
        workers::passwords::{Passwords, password_pool, password_workers},
    },
    domain::{
        account::{Account, Customer, CustomerGroup, Email, SavedAddress},
        id::{CustomerId, SessionId, UserId},
        policy::{BuyerRole, StaffRole},
        secret::Secret,
        session::{Lifetimes, Limits, Session, Via, Who},
        time::Micros,
    },
    ports::{
        StoreError,
        accounts::{self as port, Credentials, PasswordHash, Purpose},
        passwords::{HashError, PasswordHasher, Verdict},
        sessions::{self as of_sessions, TokenHash},
    },
    views::Sender,
};
use async_trait::async_trait;
use std::sync::Arc;
use supervisors::{Child, Nudge, PoolOptions};

pub(super) struct Nobody;

#[async_trait]
impl port::Accounts for Nobody {
    async fn by_email(&self, _: &Email) -> Result<Option<Credentials>, StoreError> {
        Ok(None)
    }
    async fn by_user(&self, _: UserId) -> Result<Option<Credentials>, StoreError> {
        Ok(None)
    }
    async fn by_token(
        &self,
        _: TokenHash,
        _: Purpose,
        _: Micros,
    ) -> Result<Option<Option<UserId>>, StoreError> {
        Ok(None)
    }
    async fn customer(&self, _: CustomerId) -> Result<Option<Customer>, StoreError> {
        Ok(None)
    }
    async fn customers(&self, _: Option<CustomerId>, _: u32) -> Result<Vec<Customer>, StoreError> {
        Ok(Vec::new())
    }
    async fn find_customers(
        &self,
        _: &str,
        _: Option<CustomerId>,
        _: u32,
    ) -> Result<Vec<(Customer, Option<String>)>, StoreError> {
        Ok(Vec::new())
    }
    async fn accounts(&self, _: Option<CustomerId>) -> Result<Vec<Account>, StoreError> {
        Ok(Vec::new())
    }
    async fn addresses(&self, _: CustomerId) -> Result<Vec<SavedAddress>, StoreError> {
        Ok(Vec::new())
    }
    async fn groups(&self) -> Result<Vec<CustomerGroup>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl of_sessions::Sessions for Nobody {
    async fn by_token(&self, _: TokenHash) -> Result<Option<Session>, StoreError> {
        Ok(None)
    }
    async fn of_user(&self, _: UserId) -> Result<Vec<Session>, StoreError> {
        Ok(Vec::new())
    }
    async fn merged_into(&self, _: SessionId) -> Result<Option<SessionId>, StoreError> {
        Ok(None)
    }
}

impl PasswordHasher for Nobody {
    fn hash(&self, _: &Secret, _: &[u8; 16]) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash("hash".into()))
    }
    fn compare(&self, _: &Secret, _: Option<&PasswordHash>) -> Verdict {
        Verdict::Wrong
    }
}

/// A handle whose writer has stopped, with the actors it needs.
pub(super) fn nobody() -> (Accounts, [Child; 2]) {
    let (_gone, store) = writer::store();
    let limits = Limits::hours(1, 1);
    let lifetimes = Lifetimes { guest: limits, buyer: limits, staff: limits, key: limits.absolute };
    let sessions = Sessions::new(SessionsParts {
        rows: Arc::new(Nobody),
        store: store.clone(),
        clock: Arc::new(Ticking),
        ids: Arc::new(super::shop::Counting::default()),
        chance: Arc::new(Dice),
        lifetimes,
        guests_per_address: 100,
    });
    let passwords = password_pool(PoolOptions { workers: 1, bound: 8, ..PoolOptions::default() });
    let mailbox = Forgotten::mailbox();
    let config = r#"{"login_burst": 3, "login_every_seconds": 30, "address_burst": 5,
                     "address_every_seconds": 60, "reset_minutes": 30}"#;
    let config: AccountsConfig = serde_json::from_str(config).unwrap();
    let parts = AccountsParts {
        rows: Arc::new(Nobody),
        store,
        sessions,
        passwords: Passwords::new(&passwords),
        clock: Arc::new(Ticking),
        ids: Arc::new(super::shop::Counting::default()),
        chance: Arc::new(Dice),
        config,
        sender: Sender { shop: "Toolery".into(), url: "http://shop".into() },
        mail: Nudge::new(),
        kept: Arc::new(super::orders::Nothing),
    };
    let accounts = Accounts::new(parts, &mailbox);
    let children =
        [password_workers(&passwords, Arc::new(Nobody)), desk(&mailbox, accounts.clone())];
    (accounts, children)
}

const JSON: (&str, &str) = ("content-type", "application/json");
/// Behind the proxy that a test is, from another machine, over HTTPS.
const FAR: [(&str, &str); 3] =
    [JSON, ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];

fn who(email: &str) -> String {
    format!("{{\"email\":\"{email}\",\"password\":\"correct horse\"}}")
}

#[tokio::test]
async fn an_unknown_address_is_answered_as_a_wrong_password_and_too_many_tries_wait() {
    let shop = Shop::open().await;
    let log_in =
        async |email: &str| shop.ask("POST", "/api/v1/sessions", &[JSON], &who(email)).await;
    for _ in 0..3 {
        let wrong = log_in("ada@example.com").await;
        is(&wrong, 401);
        assert!(json(&wrong)["type"].as_str().unwrap().ends_with("wrong-credentials"));
    }
    let waits = log_in("Ada@Example.com").await;
    is(&waits, 429);
    let seconds: u64 = header(&waits, "retry-after").parse().unwrap();
    assert!((30..=31).contains(&seconds), "{seconds}");
    is(&log_in("bob@example.com").await, 401);
    is(&log_in("no address").await, 401);
    shop.close().await;
}

#[tokio::test]
async fn one_place_has_so_many_tries_whomever_it_tries() {
    let shop = Shop::open().await;
    let from = async |place: &str, n: usize| {
        let headers = [JSON, ("x-forwarded-for", place), ("x-forwarded-proto", "https")];
        let body = who(&format!("somebody-{n}@example.com"));
        shop.ask("POST", "/api/v1/sessions", &headers, &body).await.status().as_u16()
    };
    for n in 0..5 {
        assert_eq!(from("203.0.113.9", n).await, 401);
    }
    assert_eq!(from("203.0.113.9", 5).await, 429);
    assert_eq!(from("203.0.113.10", 6).await, 401);
    // Whoever asks for links or registers counts with them, and a guest's session doesn't.
    let link = "{\"email\":\"ada@example.com\"}";
    is(&shop.ask("POST", "/api/v1/password-resets", &FAR, link).await, 429);
    is(&shop.ask("POST", "/api/v1/sessions", &FAR, "{}").await, 201);
    shop.close().await;
}

#[tokio::test]
async fn no_password_is_taken_where_somebody_could_listen() {
    let places = [
        ("POST", "/api/v1/sessions", who("ada@example.com")),
        ("POST", "/api/v1/customers", "{}".to_owned()),
        ("PUT", "/api/v1/password-resets", "{}".to_owned()),
        ("POST", "/api/v1/setup", "{}".to_owned()),
    ];
    let plain = [JSON, ("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "http")];
    let shop = Shop::open().await;
    for (method, path, body) in &places {
        let refused = shop.ask(method, path, &plain, body).await;
        is(&refused, 403);
        let refused = json(&refused);
        assert!(refused["type"].as_str().unwrap().ends_with("unencrypted"), "{path}");
        assert!(refused["detail"].as_str().unwrap().contains("--insecure-http"), "{refused}");
        assert_ne!(shop.ask(method, path, &FAR, body).await.status(), 403, "{path}");
    }
    shop.close().await;
    let shop = Shop::open_with(|config| config.insecure_http = true).await;
    for (method, path, body) in &places {
        assert_ne!(shop.ask(method, path, &plain, body).await.status(), 403, "{path}");
    }
    shop.close().await;
}

#[tokio::test]
async fn whether_there_is_an_account_is_not_told() {
    let shop = Shop::open().await;
    let ask = async |email: &str| {
        let body = format!("{{\"email\":\"{email}\"}}");
        shop.ask("POST", "/api/v1/password-resets", &[JSON], &body).await
    };
    is(&ask("nobody@example.com").await, 202);
    is(&ask("no address").await, 422);
    let body = "{\"token\":\"x\",\"password\":\"correct horse\"}";
    is(&shop.ask("PUT", "/api/v1/password-resets", &[JSON], body).await, 404);
    let body = "{\"token\":\"x\",\"name\":\"E\",\"email\":\"e@example.com\",\"password\":\"correct horse\"}";
    is(&shop.ask("POST", "/api/v1/setup", &[JSON], body).await, 404);
    shop.close().await;
}

#[tokio::test]
async fn all_that_is_wrong_with_a_registration_is_said_at_its_fields() {
    let shop = Shop::open().await;
    let body = "{\"name\":\"\",\"email\":\"ada\",\"password\":\"12345678\"}";
    let refused = shop.ask("POST", "/api/v1/customers", &[JSON], body).await;
    is(&refused, 422);
    let errors = json(&refused)["errors"].clone();
    let pointers: Vec<_> = errors.as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert_eq!(pointers, ["/name", "/email", "/password"]);
    // What makes one an administrator is nobody's to send along.
    let more =
        "{\"name\":\"A\",\"email\":\"a@b.de\",\"password\":\"correct horse\",\"role\":\"x\"}";
    is(&shop.ask("POST", "/api/v1/customers", &[JSON], more).await, 422);
    shop.close().await;
}

/// Every operation about people with everybody: what each is answered before anything is looked up.
#[tokio::test]
async fn each_operation_about_people_is_for_whom_it_names() {
    let shop = Shop::open().await;
    let admit = |token: &str, who: Who| {
        shop.visitors.admit(token, who, Via::Bearer);
    };
    admit("guest", Who::Guest);
    admit("viewer", buyer(1, BuyerRole::Viewer));
    admit("admin", buyer(2, BuyerRole::Admin));
    admit("clerk", staff(StaffRole::Clerk));
    admit("owner", staff(StaffRole::Owner));
    let id = "01900000-0000-7000-8000-000000000001";
    // 0: let in, whatever comes of it.
    for (place, expected) in [
        ("GET /api/v1/me", [401, 401, 0, 0, 0, 0]),
        ("PATCH /api/v1/me", [401, 401, 0, 0, 0, 0]),
        ("PUT /api/v1/me/password", [401, 401, 0, 0, 0, 0]),
        ("GET /api/v1/me/users", [401, 401, 403, 0, 403, 403]),
        ("POST /api/v1/me/users", [401, 401, 403, 0, 403, 403]),
        ("PUT /api/v1/me/users/{id}", [401, 401, 403, 0, 403, 403]),
        ("GET /api/v1/me/addresses", [401, 401, 0, 0, 403, 403]),
        ("POST /api/v1/me/addresses", [401, 401, 403, 0, 403, 403]),
        ("GET /api/v1/me/addresses/{id}", [401, 401, 0, 0, 403, 403]),
        ("PUT /api/v1/me/addresses/{id}", [401, 401, 403, 0, 403, 403]),
        ("DELETE /api/v1/me/addresses/{id}", [401, 401, 403, 0, 403, 403]),
        ("GET /api/v1/me/export", [401, 401, 403, 0, 403, 403]),
        ("POST /api/v1/me/erase", [401, 401, 403, 0, 403, 403]),
        ("GET /api/v1/keys", [401, 401, 403, 0, 0, 0]),
        ("POST /api/v1/keys", [401, 401, 403, 0, 0, 0]),
        ("DELETE /api/v1/keys/{id}", [401, 401, 403, 0, 0, 0]),
        ("GET /api/v1/customers", [401, 401, 403, 403, 0, 0]),
        ("GET /api/v1/customers/{id}", [401, 401, 403, 403, 0, 0]),
        ("PATCH /api/v1/customers/{id}", [401, 401, 403, 403, 0, 0]),
        ("GET /api/v1/customers/{id}/users", [401, 401, 403, 403, 0, 0]),
        ("GET /api/v1/customers/{id}/export", [401, 401, 403, 403, 0, 0]),
        ("POST /api/v1/customers/{id}/erase", [401, 401, 403, 403, 0, 0]),
        ("GET /api/v1/customer-groups", [401, 401, 403, 403, 0, 0]),
        ("POST /api/v1/customer-groups", [401, 401, 403, 403, 0, 0]),
        ("PUT /api/v1/customer-groups/{id}", [401, 401, 403, 403, 0, 0]),
        ("GET /api/v1/staff", [401, 401, 403, 403, 403, 0]),
        ("POST /api/v1/staff", [401, 401, 403, 403, 403, 0]),
        ("PUT /api/v1/staff/{id}", [401, 401, 403, 403, 403, 0]),
    ] {
        let (method, path) = place.split_once(' ').unwrap();
        let path = path.replace("{id}", id);
        let mut answers = Vec::new();
        for token in ["", "guest", "viewer", "admin", "clerk", "owner"] {
            let bearer = format!("Bearer {token}");
            let headers = [JSON, ("authorization", bearer.as_str())];
            let headers = if token.is_empty() { &headers[..1] } else { &headers[..] };
            let answer = shop.ask(method, &path, headers, "{}").await.status().as_u16();
            answers.push(if [401, 403].contains(&answer) { answer } else { 0 });
        }
        assert_eq!(answers, expected, "{place}");
    }
    shop.close().await;
}

#[tokio::test]
async fn a_writer_that_is_away_registers_nobody() {
    let shop = Shop::open().await;
    let body = "{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"password\":\"correct horse\"}";
    let answer = shop.ask("POST", "/api/v1/customers", &[JSON], body).await;
    is(&answer, 503);
    assert_ne!(header(&answer, "retry-after"), "");
    shop.close().await;
}
