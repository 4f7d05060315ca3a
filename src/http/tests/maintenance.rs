//! The shop closed for a while: who is turned away and how, and who is not.

use super::{
    shop::{Shop, Ticking, header, is, json, text},
    visitors::{buyer, staff},
};
use crate::{
    actors::{keepers::writer, reconcilers::maintenance::Door},
    domain::{
        policy::{BuyerRole, StaffRole},
        session::{Via, Who},
        time::Micros,
    },
    http::{access::Access, maintenance::spares, routes},
    ports::{
        StoreError,
        clock::Clock,
        maintenance::{Closing, Maintenance},
    },
};
use async_trait::async_trait;
use http::Method;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use supervisors::Nudge;

#[derive(Default)]
struct Rows(Mutex<Option<Maintenance>>);

#[async_trait]
impl Closing for Rows {
    async fn maintenance(&self) -> Result<Option<Maintenance>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

/// A door whose writer has stopped, and the row it goes by.
pub(super) struct Handle {
    pub(super) door: Door,
    rows: Arc<Rows>,
}

pub(super) fn door() -> Handle {
    let (rows, (_gone, store)) = (Arc::new(Rows::default()), writer::store());
    let door = Door::new(rows.clone(), store, Arc::new(Ticking), Nudge::new());
    Handle { door, rows }
}

impl Handle {
    /// As another node did it.
    async fn set(&self, seconds: Option<u64>) {
        let at = Ticking.now();
        let row = |seconds| Maintenance {
            until: at.plus(Duration::from_secs(seconds)),
            message: Some("New <shelves> come in.".into()),
            pauses: true,
            by: "ann".into(),
            at,
        };
        *self.rows.0.lock().unwrap() = seconds.map(row);
        self.door.read().await.unwrap();
    }
}

#[tokio::test]
async fn shoppers_are_told_when_to_come_back_and_staff_are_let_in() {
    let shop = Shop::open().await;
    for (token, who) in [
        ("guest", Who::Guest),
        ("buyer", buyer(1, BuyerRole::Admin)),
        ("clerk", staff(StaffRole::Clerk)),
    ] {
        shop.visitors.admit(token, who, Via::Bearer);
    }
    let address = "/p/drill-7";
    let kept = shop.get("/").await;
    is(&kept, 200);
    shop.door.set(Some(90)).await;
    // Also what is kept of before.
    for page in ["/", address, "/c/drills", "/search?q=drill", "/cart", "/account"] {
        let away = shop.get(page).await;
        is(&away, 503);
        assert_eq!(header(&away, "retry-after"), "90", "{page}");
        assert_eq!(header(&away, "cache-control"), "no-store");
        let shown = text(&away);
        for told in
            ["closed for a moment", "New &#60;shelves&#62; come in.", "2023-11-14 22:14 UTC"]
        {
            assert!(shown.contains(told), "{told} in {shown}");
        }
        assert!(shown.contains("width=device-width"), "{shown}");
        assert!(!shown.contains("Browse all products"), "{shown}");
    }
    for token in [None, Some("guest"), Some("buyer"), Some("guess")] {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|it| ("authorization", it.as_str())).collect();
        let away = shop.ask("GET", "/api/v1/products", &headers, "").await;
        is(&away, 503);
        let problem = json(&away);
        assert_eq!(problem["type"], "/docs/problems/maintenance");
        assert_eq!(header(&away, "content-type"), "application/problem+json");
    }
    is(&shop.ask("GET", "/", &[("authorization", "Bearer clerk")], "").await, 200);
    is(&shop.admin("GET", "/api/v1/products", "").await, 200);
    is(&shop.by_socket("/").await, 200);
    // Nobody can say who comes: then nobody is known for staff.
    shop.visitors.away.store(true, std::sync::atomic::Ordering::SeqCst);
    is(&shop.ask("GET", "/", &[("authorization", "Bearer clerk")], "").await, 503);
    shop.visitors.away.store(false, std::sync::atomic::Ordering::SeqCst);
    // Its time is over: by the clock alone, whatever the row says.
    shop.door.set(Some(0)).await;
    is(&shop.get("/").await, 200);
    shop.door.set(Some(90)).await;
    is(&shop.get("/").await, 503);
    shop.door.set(None).await;
    is(&shop.get("/").await, 200);
    shop.close().await;
}

#[tokio::test]
async fn probes_the_ways_in_and_operators_work_go_on() {
    let shop = Shop::open().await;
    let ready = json(&shop.get("/readyz").await);
    assert_eq!(ready.get("closed_until"), None);
    shop.door.set(Some(90)).await;
    let ready = shop.get("/readyz").await;
    is(&ready, 200);
    assert_eq!(json(&ready)["closed_until"], "2023-11-14T22:14:50Z");
    for open in ["/livez", "/startupz", "/login", "/robots.txt", "/docs/problems/maintenance"] {
        is(&shop.get(open).await, 200);
    }
    let room = shop.admin("GET", "/admin", "").await;
    is(&room, 200);
    assert!(text(&room).contains("closed to shoppers until"), "{}", text(&room));
    let queues = json(&shop.admin("GET", "/ops/queues.json", "").await);
    let by: Vec<_> =
        queues["items"].as_array().unwrap().iter().map(|one| &one["paused_by"]).collect();
    // The one that was paused by hand is that also behind it.
    assert_eq!(by.iter().filter(|by| ***by == "maintenance").count(), by.len() - 1);
    assert!(by.iter().any(|by| **by == "ann"));
    shop.close().await;
}

#[tokio::test]
async fn whatever_shops_is_turned_away() {
    let shop = Shop::open().await;
    shop.door.set(Some(90)).await;
    let mut away = 0;
    for resource in routes::all() {
        let path = resource.path.replace(['{', '}'], "");
        for operation in &resource.operations {
            let sells = !spares(resource.path, operation.access);
            let shops = matches!(
                operation.access,
                Access::Anyone | Access::Shopper(_) | Access::User(_) | Access::Buyer(_)
            );
            assert!(shops || !sells, "{path}");
            if sells && operation.method == Method::GET {
                is(&shop.get(&path).await, 503);
                away += 1;
            }
        }
    }
    assert!(away > 20, "{away}");
    shop.close().await;
}

#[tokio::test]
async fn an_operator_says_until_when() {
    let shop = Shop::open().await;
    let status = json(&shop.admin("GET", "/ops/maintenance", "").await);
    assert_eq!((&status["on"], &status["until"]), (&false.into(), &().into()));
    for (body, pointer) in [
        ("{\"until\": \"tomorrow\"}".to_owned(), "/until"),
        ("{\"until\": \"2023-11-14T22:13:20Z\"}".into(), "/until"),
        ("{\"until\": \"2023-11-22T22:13:20Z\"}".into(), "/until"),
        (
            format!(
                "{{\"until\": \"2023-11-14T23:13:20Z\", \"message\": \"{}\"}}",
                "x".repeat(301)
            ),
            "/message",
        ),
    ] {
        let refused = shop.admin("PUT", "/ops/maintenance", &body).await;
        is(&refused, 422);
        assert_eq!(json(&refused)["errors"][0]["pointer"], pointer, "{body}");
    }
    // It goes to the writer, which has stopped: nothing is closed that others wouldn't follow.
    let body = "{\"until\": \"2023-11-14T23:13:20Z\"}";
    is(&shop.admin("PUT", "/ops/maintenance", body).await, 503);
    assert!(shop.door.door.is_open());
    is(&shop.get("/").await, 200);
    is(&shop.ask("PUT", "/ops/maintenance", &[], body).await, 401);
    assert_eq!(Ticking.now(), Micros::parse("2023-11-14T22:13:20Z").unwrap());
    shop.close().await;
}
