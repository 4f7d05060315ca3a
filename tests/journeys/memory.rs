//! What an import holds in memory doesn't grow with its file.

use crate::{
    Stack,
    support::server::{last_json, stoa},
};
use serde_json::json;
use std::{
    io::{BufWriter, Write},
    process::Stdio,
    time::Duration,
};

/// Each of these is four kilobytes, so that the caches are nearly full when the smaller file ends.
const ROWS: usize = 6_000;
/// What is left to fill of the caches, the columns of the index, and chance. Whatever held all the
/// rows that the larger file has more would be 72 MB at least.
const MOST_GROWTH: u64 = 50_000_000;

/// The most memory of its own that importing so many rows takes. With one arena the allocator keeps
/// what the program holds, and not what each of its threads once held.
fn peak(rows: usize) -> u64 {
    let stack = Stack::embedded();
    let path = stack.path("rows.jsonl");
    let mut file = BufWriter::new(std::fs::File::create(&path).unwrap());
    for n in 0..rows {
        // Long and not to be searched, as a debug build would take its time over words.
        let picture = |at: u8| format!("https://pictures.example/{n}-{at}/{}", "x".repeat(1_950));
        let row = json!({
            "sku": format!("SKU-{n:06}"),
            "name": format!("Part {n} for machines"),
            "brand": format!("Brand {}", n % 17),
            "images": [picture(1), picture(2)],
            "categories": ["Parts", format!("Group {}", n % 23)],
            "price": "12.50",
        });
        writeln!(file, "{row}").unwrap();
    }
    file.into_inner().unwrap();
    let arguments = ["import", "products", path.to_str().unwrap(), "--json"];
    let mut command = stoa(&stack.data(), &arguments);
    command.env("MALLOC_ARENA_MAX", "1").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut most = 0;
    while process.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(kib.unwrap_or_default() << 10);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = process.wait_with_output().unwrap();
    let summary = last_json(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(summary["created"].as_u64(), Some(rows as u64), "{summary}");
    most
}

#[test]
fn a_file_four_times_as_long_takes_no_more_memory() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        eprintln!("skipped: the memory of an import (it is read from Linux's /proc)");
        return;
    }
    let (once, four_times) = (peak(ROWS), peak(4 * ROWS));
    assert!(once > 1 << 20, "nothing was measured");
    let growth = four_times.saturating_sub(once);
    eprintln!("{ROWS} rows: {once} bytes, four times as many: {growth} more");
    assert!(growth <= MOST_GROWTH, "{growth} bytes more than the {once} of {ROWS} rows");
}
