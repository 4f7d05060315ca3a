//! An operator backs the shop up while it runs, and makes it anew elsewhere.

use crate::{
    Stack,
    support::server::{Server, last_json, run, succeed, until},
};
use std::{fs, path::Path};

/// Rows of an import that lasts long enough for a backup to fall into it.
fn rows(count: usize) -> String {
    (0..count).map(|n| format!("{{\"sku\":\"B-{n}\",\"name\":\"Backed up {n}\"}}\n")).collect()
}

fn refused(data: &Path, arguments: &[&str], words: &str) {
    let output = run(data, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?}: {said}");
}

#[test]
fn a_shop_backed_up_under_load_is_restored_up_to_its_mark_with_its_files() {
    let stack = Stack::embedded();
    let server = stack.serve(&[]);
    let picture = b"\x89PNG\r\n\x1a\n and so on";
    fs::write(stack.data().join("files/public/drill.png"), picture).unwrap();
    let rows = rows(20_000);
    let submitted = server.operate_as(
        "POST",
        "/api/v1/imports?name=load.jsonl",
        "application/x-ndjson",
        rows.as_bytes(),
    );
    assert_eq!(submitted.status, 202, "{}", submitted.text());
    let import = submitted.json()["id"].as_str().unwrap().to_owned();
    until("the import to be under way", || {
        let import = server.operate("GET", &format!("/api/v1/imports/{import}"), b"").json();
        (import["counts"]["created"].as_u64()? > 0).then_some(())
    });

    let file = stack.path("shop.stoa");
    let file = file.to_str().unwrap();
    let said = last_json(&stack.succeed(&["backup", file, "--json"]));
    let (mark, products) = (said["mark"].as_i64().unwrap(), said["products"].as_u64().unwrap());
    assert!(mark > 0 && products > 0, "{said}");
    assert!(stack.succeed(&["backup", "--check", file]).contains("is whole"));
    refused(&stack.data(), &["backup", file], "it is kept");
    server.kill();

    let target = stack.path("restored");
    let restored = last_json(&succeed(&target, &["restore", file, "--json"]));
    assert_eq!(restored["products"].as_u64(), Some(products));
    refused(&target, &["restore", file], "is not empty");
    let doctor = run(&target, &["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("whole, and every statement fits it"), "{doctor}");
    assert_eq!(fs::read(target.join("files/public/drill.png")).unwrap(), picture);

    // It goes on as the other one would have: the import that was under way ends.
    let server = Server::start(&target, &[]);
    assert_eq!(server.get("/files/drill.png").status, 200);
    until("every row of the import to be found", || {
        server.found("").filter(|found| *found == 20_000)
    });
}

#[test]
fn what_is_not_a_whole_backup_is_refused_and_leaves_nothing_behind() {
    let stack = Stack::embedded();
    let server = stack.serve(&["--demo"]);
    server.demo_is_in();
    let whole = stack.path("whole");
    stack.succeed(&["backup", whole.to_str().unwrap()]);
    assert!(server.stop());
    let bytes = fs::read(&whole).unwrap();
    let target = stack.path("target");
    for (what, content, words) in [
        ("cut", &bytes[..bytes.len() / 2], "not a whole backup"),
        ("empty", &[][..], "not a whole backup"),
        ("nonsense", b"this is a letter", "not a whole backup"),
    ] {
        let path = stack.path(what);
        fs::write(&path, content).unwrap();
        refused(&target, &["restore", path.to_str().unwrap()], words);
        refused(&target, &["backup", "--check", path.to_str().unwrap()], words);
        assert!(!target.exists(), "{what}");
    }
    refused(&target, &["restore", "nowhere.stoa"], "nowhere.stoa");
    refused(&target, &["backup", stack.path("x").to_str().unwrap()], "there is no shop in");
    let left: Vec<_> = fs::read_dir(stack.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("restoring") || name.contains("part") || name == "x")
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // A backup made with no server running is as good.
    let second = stack.path("second");
    stack.succeed(&["backup", second.to_str().unwrap()]);
    succeed(&target, &["restore", second.to_str().unwrap()]);
}

#[test]
fn a_shop_on_postgres_is_sent_to_the_databases_own_tools() {
    let Some(stack) = Stack::postgres("backup") else { return };
    let flags = stack.with(&["backup", "shop.stoa"]);
    refused(&stack.data(), &flags, "pg_dump");
}
