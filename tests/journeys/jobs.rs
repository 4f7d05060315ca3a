//! The queue as an operator turns it: paused, drained, looked at, and what was given up tried again.

use crate::{
    on_every_stack,
    smtp::{Peer, Whim, buy, open},
    support::{
        server::{last_json, run, until},
        stack::Stack,
    },
};
use serde_json::Value;

fn jobs(stack: &Stack, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = ["jobs"].iter().chain(arguments).chain(&["--json"]).copied().collect();
    last_json(&stack.succeed(&arguments))
}

fn queue(stack: &Stack, name: &str) -> Value {
    let all = last_json(&stack.succeed(&["queue", "list", "--json"]));
    let all = all["items"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["name"] == name).unwrap()
}

#[test]
fn a_queue_is_paused_and_drained_and_goes_on_where_it_was() {
    on_every_stack("queues", |stack| {
        let peer = Peer::start(&[Whim::Take]);
        let server = open(stack, &peer);
        stack.succeed(&["queue", "drain", "mail"]);
        buy(&server);
        until("the mail's job", || (queue(stack, "mail")["ready"] == 1).then_some(()));
        // It outlives a restart, and holds for whoever runs jobs then.
        assert!(server.stop());
        let config = stack.path("stoa.toml");
        let server = stack.serve(&["--config", config.to_str().unwrap()]);
        until("the process", || {
            let all = last_json(&stack.succeed(&["queue", "list", "--json"]));
            (all["workers"].as_array().unwrap().len() == 1).then_some(())
        });
        let paused = queue(stack, "mail");
        assert_eq!((&paused["paused"], &paused["paused_by"]), (&true.into(), &"socket".into()));
        assert_eq!((&paused["ready"], peer.seen().len()), (&1.into(), 0));
        let shown = stack.succeed(&["queue", "list"]);
        assert!(shown.contains("socket") && shown.contains("IN HAND"), "{shown}");
        stack.succeed(&["queue", "resume", "mail"]);
        until("the mail", || (peer.seen().len() == 1).then_some(()));
        until("its end", || (queue(stack, "mail")["running"] == 0).then_some(()));
        let done = jobs(stack, &["list", "--state", "succeeded"]);
        assert_eq!(done["items"][0]["topic"], "mail.send");
        server.audited(&[("queue.pause", 1), ("queue.resume", 1)]);
        let unknown = run(&server.data, &stack.with(&["queue", "pause", "post"]));
        assert_eq!(unknown.status.code(), Some(1));
    });
}

#[test]
fn what_was_given_up_is_looked_at_and_tried_again_in_bulk() {
    const WHIMS: &[Whim] = &[
        Whim::Recipient("550 no such user here"),
        Whim::Recipient("550 no such user here"),
        Whim::Take,
    ];
    on_every_stack("dead letters", |stack| {
        let peer = Peer::start(WHIMS);
        let server = open(stack, &peer);
        buy(&server);
        buy(&server);
        let failed = until("both to be given up", || {
            let failed = jobs(stack, &["list", "--state", "failed", "--error", "no such user"]);
            (failed["items"].as_array().unwrap().len() == 2).then_some(failed)
        });
        let id = failed["items"][0]["id"].as_str().unwrap();
        let shown = stack.succeed(&["jobs", "show", id]);
        for told in ["mail.send", "\"mail\":", "no such user here"] {
            assert!(shown.contains(told), "{told} in {shown}");
        }
        let listed = stack.succeed(&["jobs", "list", "--queue", "mail"]);
        assert!(listed.contains(id) && listed.contains("failed"), "{listed}");
        let bulk = ["retry", "--state", "failed", "--queue", "mail"];
        assert_eq!(jobs(stack, &bulk), serde_json::json!({"matched": 2, "done": 0}));
        let told = stack.succeed(&[&["jobs"], &bulk[..]].concat());
        assert!(told.contains("2 would be retried"), "{told}");
        assert!(peer.seen().is_empty());
        let done = jobs(stack, &[&bulk[..], &["--yes"]].concat());
        assert_eq!(done, serde_json::json!({"matched": 2, "done": 2}));
        until("both mails", || (peer.seen().len() == 2).then_some(()));
        // The mails' own list says the same.
        until("both to be sent", || {
            let sent = last_json(&stack.succeed(&["mail", "list", "--state", "sent", "--json"]));
            (sent["items"].as_array().unwrap().len() == 2).then_some(())
        });
        server.audited(&[("job.retry", 2)]);
        // What went well isn't done again.
        let again = run(&server.data, &stack.with(&["jobs", "retry", id]));
        assert_eq!(again.status.code(), Some(1));
    });
}

#[test]
fn what_was_given_up_is_edited_and_tried_again() {
    on_every_stack("edits", |stack| {
        let server = stack.serve(&[]);
        stack.succeed(&["queue", "pause", "default"]);
        let probe = b"{\"first\": 1, \"count\": 1, \"millis\": 60000}";
        assert_eq!(server.operate("POST", "/ops/job-probes", probe).status, 200);
        let listed = jobs(stack, &["list"]);
        let id = listed["items"][0]["id"].as_str().unwrap();
        let right = "{\"n\": 7, \"millis\": 0, \"echo\": true}";
        let refused = |body: &str, words: &str| {
            let output = run(&stack.data(), &stack.with(&["jobs", "edit", id, "--body", body]));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(words), "{said}");
        };
        refused(right, "it is ready");
        stack.succeed(&["jobs", "cancel", id]);
        refused("{\"n\": 7", "not JSON");
        refused("{\"n\": 7, \"millis\": \"long\", \"echo\": true}", "/body");
        let shown = stack.succeed(&["jobs", "edit", id, "--body", right]);
        assert!(shown.contains("\"n\":7") && shown.contains("scheduled"), "{shown}");
        stack.succeed(&["queue", "resume", "default"]);
        until("its echo", || {
            let done = jobs(stack, &["list", "--state", "succeeded", "--topic", "probe.echo"]);
            (done["items"][0]["body"]["of"] == 7).then_some(())
        });
        server.audited(&[("job.edit", 1)]);
        let audit = server.operate("GET", "/ops/audit.json", b"").json();
        let audit = audit["items"].as_array().unwrap();
        let edit = audit.iter().find(|entry| entry["action"] == "job.edit").unwrap();
        assert_eq!((&edit["old"]["millis"], &edit["new"]["n"]), (&60_000.into(), &7.into()));
    });
}

#[test]
fn a_job_that_runs_says_how_far_it_is() {
    on_every_stack("progress", |stack| {
        let server = stack.serve(&[]);
        let probe = b"{\"first\": 1, \"count\": 1, \"millis\": 60000}";
        assert_eq!(server.operate("POST", "/ops/job-probes", probe).status, 200);
        let first = || jobs(stack, &["list"])["items"][0].clone();
        let told = until("its progress", || first()["progress"]["done"].as_u64());
        until("more of it", || (first()["progress"]["done"].as_u64()? > told).then_some(()));
        assert_eq!(first()["progress"]["of"], 60_000);
        let id = first()["id"].as_str().unwrap().to_owned();
        let shown = stack.succeed(&["jobs", "show", &id]);
        assert!(shown.contains(" of 60000"), "{shown}");
        let listed = stack.succeed(&["jobs", "list"]);
        assert!(listed.contains("running") && listed.contains(" %"), "{listed}");
        stack.succeed(&["jobs", "cancel", &id]);
        until("its end", || (first()["state"] == "cancelled").then_some(()));
    });
}

#[test]
fn what_waits_is_found_by_what_it_is_about_and_moved() {
    on_every_stack("moves", |stack| {
        let server = stack.serve(&[]);
        stack.succeed(&["queue", "pause", "default"]);
        stack.succeed(&["queue", "pause", "media"]);
        let probes = b"{\"first\": 1, \"count\": 3}";
        assert_eq!(server.operate("POST", "/ops/job-probes", probes).status, 200);
        let one = jobs(stack, &["list", "--body", "n=2"]);
        assert_eq!(one["items"].as_array().unwrap().len(), 1, "{one}");
        let filter = ["queue", "move", "default", "--to", "media", "--body", "/n=2"];
        let told = stack.succeed(&filter);
        assert!(told.contains("1 would be moved"), "{told}");
        assert_eq!(
            (&queue(stack, "default")["ready"], &queue(stack, "media")["ready"]),
            (&3.into(), &0.into())
        );
        let told = stack.succeed(&[&filter[..], &["--yes"]].concat());
        assert!(told.contains("1 of 1 moved to media"), "{told}");
        stack.succeed(&["queue", "move", "default", "--to", "media", "--yes"]);
        assert_eq!(queue(stack, "default")["ready"], 0);
        stack.succeed(&["queue", "resume", "media"]);
        until("all of them", || {
            let done = jobs(stack, &["list", "--state", "succeeded", "--queue", "media"]);
            (done["items"].as_array().unwrap().len() == 3).then_some(())
        });
        server.audited(&[("job.move", 1)]);
        let unknown = run(&server.data, &stack.with(&["queue", "move", "media", "--to", "post"]));
        assert_eq!(unknown.status.code(), Some(1));
    });
}

#[test]
fn topics_share_a_queue_and_keep_to_a_rate_as_an_operator_wants() {
    on_every_stack("sharing", |stack| {
        let server = stack.serve(&[]);
        let told = stack.succeed(&["queue", "share", "default", "weighted", "--weight", "probe=3"]);
        assert!(told.contains("weighted"), "{told}");
        stack.succeed(&["queue", "rate", "probe.echo", "1/h"]);
        let probes = b"{\"count\": 5, \"echo\": true}";
        assert_eq!(server.operate("POST", "/ops/job-probes", probes).status, 200);
        let done = |topic: &str| {
            let done = jobs(stack, &["list", "--state", "succeeded", "--topic", topic]);
            done["items"].as_array().unwrap().len()
        };
        until("the probes, and the one echo of this hour", || {
            (done("probe") == 5 && done("probe.echo") == 1).then_some(())
        });
        let seen = stack.succeed(&["queue", "list"]);
        assert!(seen.contains("weighted") && seen.contains("1/h"), "{seen}");
        assert_eq!(queue(stack, "default")["ready"], 4);
        // It holds over a restart, until it is taken back.
        assert!(server.stop());
        let server = stack.serve(&[]);
        assert_eq!(queue(stack, "default")["mode"], "weighted");
        assert_eq!(done("probe.echo"), 1);
        stack.succeed(&["queue", "rate", "probe.echo", "off"]);
        until("the others", || (done("probe.echo") == 5).then_some(()));
        stack.succeed(&["queue", "share", "default", "strict"]);
        server.audited(&[("queue.share", 2), ("queue.rate", 2)]);
        for (wrong, why) in [
            (["queue", "share", "default", "first"], "strict, weighted, fair"),
            (["queue", "rate", "probe", "fast"], "100/m"),
            (["queue", "rate", "prob", "1/s"], "probe.echo"),
        ] {
            let refused = run(&server.data, &stack.with(&wrong));
            assert_eq!(refused.status.code(), Some(1));
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(told.contains(why), "{told}");
        }
    });
}

#[test]
fn one_that_waits_for_another_runs_behind_it_and_its_children() {
    on_every_stack("after", |stack| {
        let server = stack.serve(&[]);
        stack.succeed(&["queue", "pause", "default"]);
        let first = b"{\"first\": 1, \"count\": 1, \"echo\": true}";
        assert_eq!(server.operate("POST", "/ops/job-probes", first).status, 200);
        let root = jobs(stack, &["list", "--body", "n=1"])["items"][0]["id"].clone();
        let wish = serde_json::json!({"first": 2, "count": 1, "after": root}).to_string();
        assert_eq!(server.operate("POST", "/ops/job-probes", wish.as_bytes()).status, 200);
        let shown = jobs(stack, &["list", "--body", "n=2"]);
        assert_eq!(
            (&shown["items"][0]["after"], &shown["items"][0]["state"]),
            (&root, &"scheduled".into())
        );
        stack.succeed(&["queue", "resume", "default"]);
        let last = until("its end", || {
            let last = jobs(stack, &["list", "--body", "n=2"])["items"][0].clone();
            (last["state"] == "succeeded").then_some(last)
        });
        let echo = jobs(stack, &["list", "--topic", "probe.echo"])["items"][0].clone();
        assert_eq!(echo["root"], root);
        let time = |job: &Value, key: &str| job[key].as_str().unwrap().to_owned();
        assert!(time(&last, "due_at") >= time(&echo, "ended_at"), "{last} behind {echo}");
        let nobody = b"{\"count\": 1, \"after\": \"00000000-0000-7000-8000-000000000000\"}";
        let refused = server.operate("POST", "/ops/job-probes", nobody);
        assert_eq!((refused.status, refused.text().contains("/after")), (422, true));
    });
}
