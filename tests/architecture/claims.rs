//! What `docs/security.md` claims is checked by tests, and the tests are there.

use super::{read, root, rust_files};
use std::collections::BTreeSet;

/// The names in the last cell of each row of its table.
fn claimed(page: &str) -> Vec<String> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| threat"));
    let last = |row: &str| row.trim_end_matches('|').rsplit('|').next().map(str::to_owned);
    rows.filter_map(last)
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The functions that are marked as tests, by name, and those that a macro is handed as a list to run
/// on each database.
fn tests(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut marked, mut listed) = (false, false);
    for line in source.lines().map(str::trim) {
        let is_mark = line.starts_with("#[test") || line.starts_with("#[tokio::test");
        if let Some((_, rest)) = line.split_once("fn ")
            && marked
        {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next();
            found.extend(name.map(str::to_owned));
        }
        marked = is_mark || (marked && line.starts_with("#["));
        if listed {
            found.extend(line.strip_suffix(',').map(str::to_owned));
        }
        listed = line.ends_with("![") || (listed && line != "];");
    }
    found
}

#[test]
fn every_check_that_the_security_page_names_is_a_test() {
    let root = root();
    let page = read(&root.join("docs/security.md"));
    let claimed = claimed(&page);
    assert!(claimed.len() > 40, "{} names were read", claimed.len());
    let mut there = BTreeSet::new();
    for file in rust_files(&root, &["src", "tests", "supervisors/src"]) {
        there.extend(tests(&read(&root.join(file))));
    }
    let missing: Vec<_> = claimed.iter().filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "no tests: {missing:?}");
}

#[test]
fn a_claim_without_a_test_would_be_found() {
    let page = "| threat | control | checks |\n|---|---|---|\n| a `b` | c | `d_e`, `f` |\n";
    assert_eq!(claimed(page), ["d_e", "f"]);
    let source = "#[test]\n#[ignore]\nfn d_e() {}\nfn f() {}\n#[tokio::test]\nasync fn g() {}\n\
        on_both![\n    h_i,\n];\nj,\n";
    assert_eq!(tests(source).into_iter().collect::<Vec<_>>(), ["d_e", "g", "h_i"]);
}
