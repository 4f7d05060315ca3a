//! The shop closed for a while by an operator, over a restart, and open again by itself.

use crate::{
    on_every_stack,
    support::{
        server::{last_json, run, until},
        stack::Stack,
    },
};
use serde_json::Value;

fn status(stack: &Stack) -> Value {
    last_json(&stack.succeed(&["maintenance", "status", "--json"]))
}

fn mail(stack: &Stack) -> Value {
    let all = last_json(&stack.succeed(&["queue", "list", "--json"]));
    let all = all["items"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["name"] == "mail").unwrap()
}

#[test]
fn a_shop_is_closed_and_opened_and_opens_by_itself() {
    on_every_stack("maintenance", |stack| {
        let server = stack.serve(&[]);
        stack.succeed(&["queue", "pause", "index"]);
        assert_eq!(status(stack)["on"], false);
        let on =
            ["maintenance", "on", "--until", "2h", "--message", "Back soon.", "--pause-queues"];
        let told = stack.succeed(&on);
        assert!(told.contains("Back soon.") && told.contains("closed until"), "{told}");
        let away = server.get("/");
        assert_eq!(away.status, 503);
        assert!(away.text().contains("Back soon."), "{}", away.text());
        let after: u64 = away.header("retry-after").unwrap().parse().unwrap();
        assert!((7_000..=7_200).contains(&after), "{after}");
        assert_eq!(server.get("/api/v1/products").status, 503);
        assert_eq!(server.get("/login").status, 200);
        assert_eq!(mail(stack)["paused_by"], "maintenance");
        // It outlives a kill, and nobody is let in before it is known.
        server.kill();
        let server = stack.serve(&[]);
        assert_eq!(server.get("/").status, 503);
        assert!(server.json("/readyz")["closed_until"].is_string());
        assert_eq!(stack.succeed(&["maintenance", "off"]).trim(), "the shop is open");
        assert_eq!(server.get("/").status, 200);
        let queues = last_json(&stack.succeed(&["queue", "list", "--json"]));
        let paused = queues["items"].as_array().unwrap().iter();
        let paused: Vec<_> = paused.filter(|one| one["paused"] == true).collect();
        assert_eq!(paused.len(), 1, "the one that was paused by hand: {paused:?}");
        // And by itself.
        stack.succeed(&["maintenance", "on", "--until", "2s"]);
        until("its end", || (server.get("/").status == 200).then_some(()));
        assert_eq!(status(stack)["on"], false);
        server.audited(&[("maintenance.on", 1), ("maintenance.off", 1)]);
        for (wrong, code) in [("soon", 2), ("-5m", 2), ("2000-01-01T00:00:00Z", 1), ("30d", 1)] {
            let when = format!("--until={wrong}");
            let refused = run(&server.data, &stack.with(&["maintenance", "on", &when]));
            assert_eq!(refused.status.code(), Some(code), "{wrong}: {refused:?}");
        }
    });
}
