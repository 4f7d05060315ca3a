//! A catalogue goes in once, whole, whatever happens meanwhile.

use crate::{
    Stack, on_every_stack,
    support::{
        postgres::variable,
        server::{last_json, run, stoa, until},
    },
};
use serde_json::{Value, json};
use std::{fmt::Write, path::PathBuf, process::Stdio};

/// Made-up rows whose names collide, with some that are no products.
fn rows(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let mut row = json!({
            "sku": format!("SKU-{n:06}"),
            "name": format!("Part {} for machines", n % (count / 3 + 1)),
            "brand": format!("Brand {}", n % 17),
            "description": "A part that fits and lasts. ".repeat(1 + n % 9),
            "categories": ["Parts", format!("Group {}", n % 23)],
            "stock": n % 12,
        });
        if n % 5 != 0 {
            row["price"] = json!(format!("{}.{:02}", n % 900, n % 100));
        }
        if n % 100 == 99 {
            row["price"] = json!("cheap");
        }
        writeln!(text, "{row}").unwrap();
    }
    text
}

fn file(stack: &Stack, count: usize) -> PathBuf {
    let path = stack.path("rows.jsonl");
    std::fs::write(&path, rows(count)).unwrap();
    path
}

fn counted(summary: &Value) -> [u64; 5] {
    ["read", "created", "updated", "unchanged", "rejected"]
        .map(|key| summary[key].as_u64().unwrap_or_else(|| panic!("{key} in {summary}")))
}

/// Everything a shopper could see, without what differs between runs by nature.
fn exported(stack: &Stack) -> Vec<Value> {
    let text = stack.succeed(&["export", "products"]);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the summary of a run with rejected rows says; such a run ends with code 1.
fn import(stack: &Stack, arguments: &[&str]) -> Value {
    let output = run(&stack.data(), &stack.with(arguments));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!said.is_empty(), "{}: {arguments:?} said nothing but: {error}", stack.name);
    last_json(&said)
}

#[test]
fn a_second_import_of_a_file_changes_nothing_and_says_so() {
    on_every_stack("second import", |stack| {
        let file = file(stack, 1_000);
        let file = file.to_str().unwrap();
        let first = import(stack, &["import", "products", file, "--json"]);
        assert_eq!(counted(&first), [1_000, 990, 0, 0, 10], "{}", stack.name);
        let errors =
            std::fs::read_to_string(stack.path(first["errors"].as_str().unwrap())).unwrap();
        let lines: Vec<Value> = errors.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 10);
        assert_eq!(
            (lines[0]["line"].as_u64(), lines[0]["field"].as_str()),
            (Some(100), Some("price"))
        );
        let again = import(stack, &["import", "products", file, "--json"]);
        assert_eq!(counted(&again), [1_000, 0, 0, 990, 10], "{}", stack.name);
        assert_eq!(exported(stack).len(), 990);
    });
}

#[test]
fn a_dry_run_tells_what_it_would_do_and_does_nothing() {
    on_every_stack("dry run", |stack| {
        let file = file(stack, 300);
        let file = file.to_str().unwrap();
        let dry = import(stack, &["import", "products", file, "--dry-run", "--json"]);
        assert_eq!(counted(&dry), [300, 297, 0, 0, 3], "{}", stack.name);
        // A SKU that comes again, far behind, is there by then.
        let twice = stack.path("twice.jsonl");
        std::fs::write(&twice, rows(1_500).repeat(2)).unwrap();
        let twice = twice.to_str().unwrap();
        let dry = import(stack, &["import", "products", twice, "--dry-run", "--json"]);
        assert_eq!(counted(&dry), [3_000, 1_485, 0, 1_485, 30], "{}", stack.name);
        assert_eq!(exported(stack).len(), 0);
    });
}

#[test]
fn an_export_makes_the_same_shop_elsewhere_and_then_changes_nothing() {
    on_every_stack("export and import", |stack| {
        let mut rows = rows(700);
        let counted_in = json!([
            {"warehouse": "north", "quantity": 4},
            {"warehouse": "south", "quantity": 0},
        ]);
        for (sku, more) in [
            ("V-0", json!({"stock": counted_in, "status": "disabled"})),
            ("V-1", json!({"variant_of": "V-0", "options": {"colour": "red"}, "stock": 3})),
            ("V-2", json!({"variant_of": "V-0", "options": {"colour": "blue"}})),
            ("V-3", json!({"variant_of": "NOBODY", "price": "1.005", "currency": "KWD"})),
        ] {
            let mut row =
                json!({"sku": sku, "name": format!("Shirt {sku}"), "unit": "kg", "precision": 2});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            writeln!(rows, "{row}").unwrap();
        }
        let source = stack.path("rows.jsonl");
        std::fs::write(&source, rows).unwrap();
        import(stack, &["import", "products", source.to_str().unwrap(), "--json"]);
        let text = stack.succeed(&["export", "products"]);
        assert_eq!(text.lines().count(), 697, "{}", stack.name);
        assert!(text.contains(r#"{"warehouse":"north","quantity":4}"#), "{}", stack.name);

        let exported = stack.path("exported.jsonl");
        std::fs::write(&exported, &text).unwrap();
        let exported = exported.to_str().unwrap();
        assert!(text.contains(r#""slug":"part-0-for-machines""#), "{}", stack.name);
        let elsewhere = [Some(Stack::embedded()), Stack::postgres("the other shop")];
        for other in elsewhere.iter().flatten() {
            let first = import(other, &["import", "products", exported, "--json"]);
            assert_eq!(counted(&first), [697, 697, 0, 0, 0], "{first}");
            let again = import(other, &["import", "products", exported, "--json"]);
            assert_eq!(counted(&again), [697, 0, 0, 697, 0], "{again}");
            assert!(other.succeed(&["export", "products"]) == text, "{} differs", other.name);
            // The same through a server, in pages.
            let _server = other.serve(&[]);
            assert!(other.succeed(&["export", "products"]) == text, "{} differs", other.name);
        }
        let document = |stack: &Stack| {
            let server = stack.serve(&[]);
            let mut product = server.json("/api/v1/products?sku=V-1")["items"][0].clone();
            for own in ["id", "created_at", "updated_at"] {
                product.as_object_mut().unwrap().remove(own);
            }
            product
        };
        let expected = document(stack);
        assert_eq!(
            (&expected["stock"]["band"], &expected["parent"]["sku"]),
            (&"few_left".into(), &"V-0".into())
        );
        for other in elsewhere.iter().flatten() {
            assert_eq!(document(other), expected, "{}", other.name);
        }
    });
}

#[test]
fn an_import_killed_again_and_again_ends_as_a_clean_one_does() {
    on_every_stack("killed import", |stack| {
        let clean = Stack::embedded();
        let rows = 6_000;
        let source = file(&clean, rows);
        import(&clean, &["import", "products", source.to_str().unwrap(), "--json"]);

        let source = file(stack, rows);
        let source = source.to_str().unwrap();
        let mut kills = 0;
        for delay in [150, 300, 450, 250, 600, 900, 350, 1_200] {
            let resume: &[&str] = if kills == 0 { &[] } else { &["--resume"] };
            let arguments = [&["import", "products", source, "--json"][..], resume].concat();
            let mut process = stoa(&stack.data(), &stack.with(&arguments))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(delay));
            if process.try_wait().unwrap().is_some() {
                break;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            kills += 1;
        }
        assert!(kills > 0, "{}: the import was over before it could be killed", stack.name);
        let resumed = import(stack, &["import", "products", source, "--resume", "--json"]);
        let counts = counted(&resumed);
        assert_eq!(counts[0], rows as u64, "{}: {resumed} after {kills} kills", stack.name);
        assert_eq!(counts[0], counts[1..].iter().sum::<u64>());
        let errors =
            std::fs::read_to_string(stack.path(resumed["errors"].as_str().unwrap())).unwrap();
        assert_eq!(errors.lines().count(), rows / 100, "{}: each bad row once", stack.name);
        assert!(exported(stack) == exported(&clean), "{}: the end state differs", stack.name);
    });
}

#[test]
fn an_import_is_followed_to_its_end() {
    on_every_stack("followed import", |stack| {
        let server = stack.serve(&[]);
        let form = "application/x-ndjson";
        let run = server.operate_as("POST", "/api/v1/imports", form, rows(3_000).as_bytes());
        assert_eq!(run.status, 202, "{}", run.text());
        let place = format!("/api/v1/imports/{}", run.json()["id"].as_str().unwrap());
        // It ends by itself, or this never returns.
        let events = server.operate("GET", &format!("{place}/events"), b"").text();
        let data = events.lines().filter_map(|line| line.strip_prefix("data:"));
        let told: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
        let read = |run: &Value| run["counts"]["read"].as_u64().unwrap();
        assert!(told.is_sorted_by_key(read), "{events}");
        let last = told.last().unwrap();
        assert_eq!((last["state"].as_str(), read(last)), (Some("succeeded"), 3_000));
        assert_eq!(events.matches("event:end").count(), 1, "{events}");
        assert_eq!(*last, server.operate("GET", &place, b"").json());
    });
}

#[test]
fn an_import_goes_through_a_running_server_and_over_its_death() {
    on_every_stack("import through the server", |stack| {
        let file = file(stack, 4_000);
        let server = stack.serve(&[]);
        let mut command = stoa(
            &stack.data(),
            &stack.with(&["import", "products", file.to_str().unwrap(), "--json"]),
        );
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("the import to begin", || {
            let runs = server.operate("GET", "/api/v1/imports", b"").json();
            (runs["items"][0]["counts"]["read"].as_u64()? > 0).then_some(())
        });
        server.kill();
        process.wait().unwrap();
        let server = stack.serve(&[]);
        let run = until("the import to end by itself", || {
            let runs = server.operate("GET", "/api/v1/imports", b"").json();
            (runs["items"][0]["state"] == "succeeded").then(|| runs["items"][0].clone())
        });
        assert_eq!(run["counts"]["read"], 4_000, "{}: {run}", stack.name);
        until("all to be found", || server.found("q=part").filter(|total| *total == 3_960));
    });
}

#[test]
fn an_import_is_measured_in_a_shop_that_is_gone_afterwards() {
    on_every_stack("bench import", |stack| {
        let good: Vec<_> = rows(900).lines().map(str::to_owned).collect();
        let good: Vec<_> = good.into_iter().filter(|row| !row.contains("cheap")).collect();
        let source = stack.path("rows.jsonl");
        std::fs::write(&source, good.join("\n")).unwrap();
        let place = stack.path("scratch");
        let bench = |source: &str| {
            let place = place.to_str().unwrap();
            let arguments = ["bench", "import", source, "--rounds", "1", "--scratch", place];
            run(&stack.data(), &stack.with(&[&arguments[..], &["--json"]].concat()))
        };
        let measured = bench(source.to_str().unwrap());
        let talk = String::from_utf8_lossy(&measured.stderr).into_owned();
        assert!(measured.status.success(), "{}: {talk}", stack.name);
        let row = last_json(&String::from_utf8_lossy(&measured.stdout));
        assert_eq!((&row["row"], &row["unit"]), (&"import".into(), &"products/s".into()));
        let [ours, baseline, ratio] = ["ours", "baseline", "ratio"].map(|key| row[key].as_f64());
        assert!(ours.unwrap() > 0.0 && baseline.unwrap() > ours.unwrap(), "{row}");
        assert!(ratio.unwrap() > 0.0 && ratio.unwrap() < 1.0, "{row}");
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "{}", stack.name);
        assert!(!stack.data().exists(), "{}: the shop's own folder was made", stack.name);

        std::fs::write(&source, rows(100)).unwrap();
        let refused = bench(source.to_str().unwrap());
        let talk = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{talk}");
        assert!(talk.contains("rejects 1 rows"), "{talk}");
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "{}", stack.name);
    });
}

#[test]
fn csv_with_columns_of_other_names_comes_in() {
    let stack = Stack::embedded();
    let path = stack.path("list.csv");
    let text = "Article,Title,Net price\nA-1,\"A \"\"good\"\" drill\",12.50\nA-2,,3.00\n";
    std::fs::write(&path, text).unwrap();
    let maps = ["--map", "sku=Article", "--map", "name=Title", "--map", "price=Net price"];
    let arguments = [&["import", "products", path.to_str().unwrap(), "--json"][..], &maps].concat();
    assert_eq!(counted(&import(&stack, &arguments)), [2, 1, 0, 0, 1]);
    assert_eq!(exported(&stack)[0]["name"], "A \"good\" drill");
}

#[test]
fn the_real_catalogue_goes_in_whole() {
    let Some(folder) = variable("STOA_TEST_DATA") else {
        eprintln!("skipped: the real catalogue (STOA_TEST_DATA is not set)");
        return;
    };
    let source = format!("{folder}/products.jsonl.zst");
    on_every_stack("real catalogue", |stack| {
        let first = import(stack, &["import", "products", &source, "--json"]);
        let [read, created, updated, unchanged, rejected] = counted(&first);
        assert_eq!(read, 49_447, "{}", stack.name);
        assert_eq!(created + updated + unchanged + rejected, read, "{}", stack.name);
        assert_eq!(rejected, 0, "{}: {first}", stack.name);
        let again = import(stack, &["import", "products", &source, "--json"]);
        assert_eq!(again["created"].as_u64(), Some(0), "{}: {again}", stack.name);
        let server = stack.serve(&[]);
        let found = server.json("/api/v1/search?q=samsng+galxy");
        let hits = found["items"].as_array().unwrap();
        assert!(!hits.is_empty(), "{}: nothing found", stack.name);
        for hit in hits {
            let name = hit["product"]["name"].as_str().unwrap();
            assert!(name.contains("Samsung") && name.contains("Galaxy"), "{}: {name}", stack.name);
        }
    });
}
