//! What is wrong is said in a sentence with what to do, and changes nothing.

use crate::{
    Stack,
    support::{
        client::exchange,
        server::{Server, run, stoa, succeed},
    },
};
use std::process::Stdio;

fn refused(stack: &Stack, arguments: &[&str]) -> (i32, String) {
    let output = run(&stack.data(), arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("a code"), said)
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    let stack = Stack::embedded();
    let file = stack.path("stoa.toml");
    std::fs::write(&file, "[http]\nlissten = \"127.0.0.1:1\"\n").unwrap();
    let (code, said) = refused(&stack, &["config", "check", "--config", file.to_str().unwrap()]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("http.lissten") && said.contains("http.listen"), "{said}");
    assert!(!stack.data().exists());
}

#[test]
fn who_has_read_enough_of_an_answer_is_no_failure() {
    let stack = Stack::embedded();
    let mut command = stoa(&stack.data(), &["config", "show"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "it ended {}: {said}", output.status);
}

#[test]
fn a_taken_port_is_said_and_another_offered() {
    let stack = Stack::embedded();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = refused(&stack, &["serve", "--listen", &address]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

#[test]
fn a_folder_that_cannot_be_used_is_said() {
    let stack = Stack::embedded();
    std::fs::write(stack.data(), "a file where the folder should be").unwrap();
    let (code, said) = refused(&stack, &["serve"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("--data"), "{said}");
}

#[test]
fn a_folder_has_one_server() {
    let stack = Stack::embedded();
    let _server = stack.serve(&[]);
    let (code, said) = refused(&stack, &["serve"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("in use by `stoa serve`"), "{said}");
}

#[test]
fn a_database_of_a_newer_version_is_left_alone() {
    let stack = Stack::embedded();
    succeed(&stack.data(), &["migrate"]);
    sqlite(&stack, "UPDATE _sqlx_migrations SET version = version + 900000000");
    let (code, said) = refused(&stack, &["serve"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("newer"), "{said}");
}

#[test]
fn a_corrupt_database_is_noticed_not_served() {
    let stack = Stack::embedded();
    succeed(&stack.data(), &["migrate"]);
    let file = stack.data().join("stoa.db");
    let length = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![0x5a; usize::try_from(length).unwrap()]).unwrap();
    let (code, said) = refused(&stack, &["serve"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("damaged") || said.contains("not a database"), "{said}");
    let (code, said) = refused(&stack, &["doctor"]);
    assert_eq!(code, 1, "{said}");
}

#[test]
fn a_request_that_is_wrong_gets_its_status_and_a_sentence() {
    let stack = Stack::embedded();
    let server = stack.serve(&[]);
    let cases = [
        ("GET", "/api/v1/search?colour=red", 400, "colour"),
        ("GET", "/api/v1/search?sort=cheapest", 400, "sort"),
        ("GET", "/api/v1/search?limit=100000", 400, "limit"),
        ("GET", "/api/v1/search?price_from=1e9", 400, "price_from"),
        ("GET", "/api/v1/products?after=garbage", 400, "after"),
        ("GET", "/api/v1/products?fields=nonsense", 400, "fields"),
        ("GET", "/api/v1/products/NO-SUCH-SKU", 404, ""),
        ("DELETE", "/api/v1/products", 405, ""),
        ("GET", "/api/v1/nothing-here", 404, ""),
        ("POST", "/api/v1/imports", 401, ""),
    ];
    for (method, path, status, word) in cases {
        let answer = exchange(server.address, method, path, &[], b"").unwrap();
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
        let problem = answer.json();
        assert!(problem["request_id"].is_string(), "{path}: {problem}");
        assert!(problem.to_string().contains(word), "{path}: {problem}");
    }
    let long = format!("/api/v1/search?q={}", "x".repeat(10 * 1024 * 1024));
    let answer = exchange(server.address, "GET", &long, &[], b"");
    assert!(answer.is_ok_and(|answer| matches!(answer.status, 400 | 414 | 431)));
    for path in ["/nothing-here", "/search?after=garbage", "/c/none"] {
        let page = server.get(path);
        assert!(matches!(page.status, 400 | 404), "{path}: {}", page.status);
        assert!(page.text().contains("<html"), "{path}");
    }
    assert_eq!(server.get("/livez").status, 200);
}

#[test]
fn a_full_disk_stops_writes_and_nothing_else() {
    // A tmpfs of its own needs root; elsewhere this is said and left to CI.
    let stack = Stack::embedded();
    std::fs::create_dir_all(stack.data()).unwrap();
    let data = stack.data();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"])
        .arg(&data)
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        eprintln!("skipped: a full disk (mounting a tmpfs needs root)");
        return;
    }
    struct Unmount(std::path::PathBuf);
    impl Drop for Unmount {
        fn drop(&mut self) {
            drop(std::process::Command::new("umount").arg("-l").arg(&self.0).status());
        }
    }
    let _unmount = Unmount(data.clone());
    let server = Server::start(&data, &["--demo"]);
    server.demo_is_in();
    let ballast = data.join("ballast");
    let mut filled = std::fs::File::create(&ballast).unwrap();
    while std::io::Write::write_all(&mut filled, &[7; 65_536]).is_ok() {}
    while std::io::Write::write_all(&mut filled, &[7; 512]).is_ok() {}
    let row = br#"{"sku":"FULL-1","name":"Too much"}"#;
    let refused = server.operate("POST", "/api/v1/imports?name=full.jsonl", row);
    assert!(matches!(refused.status, 503 | 507 | 415), "{} {}", refused.status, refused.text());
    assert_eq!(server.get("/").status, 200);
    assert_eq!(server.get("/livez").status, 200);
    drop(filled);
    std::fs::remove_file(&ballast).unwrap();
    let accepted = crate::support::server::until("writes to work again", || {
        let token = std::fs::read_to_string(data.join("run/admin.token")).ok()?;
        let bearer = format!("Bearer {}", token.trim());
        let headers =
            [("authorization", bearer.as_str()), ("content-type", "application/x-ndjson")];
        let path = "/api/v1/imports?name=full.jsonl";
        let answer = exchange(server.address, "POST", path, &headers, row).ok()?;
        (answer.status == 202).then(|| answer.json())
    });
    let path = format!("/api/v1/imports/{}", accepted["id"].as_str().unwrap());
    crate::support::server::until("the import to succeed", || {
        (server.operate("GET", &path, b"").json()["state"] == "succeeded").then_some(())
    });
}

/// Runs a statement on the stack's database with the distribution-free way there is: sqlx.
fn sqlite(stack: &Stack, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let url = format!("sqlite://{}", stack.data().join("stoa.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    });
}
