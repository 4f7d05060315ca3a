//! Where words go: data to standard output, talk to standard error.
#![expect(clippy::print_stderr, reason = "the one place that prints")]

use super::{Failure, Outcome};
use serde::Serialize;
use serde_json::Value;
use std::io::{ErrorKind, Write};

/// A line for whoever watches; never part of the data.
pub(crate) fn talk(line: &str) {
    eprintln!("{line}");
}

/// A line of data. A reader that has gone, as `head` does, wants no more of it: that is no failure.
pub(crate) fn say(line: &str) {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            talk(&format!("can't write to standard output: {error}"));
            std::process::exit(1)
        }
        _ => {}
    }
}

/// One JSON object on one line.
pub(crate) fn json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::Failed(format!("can't write the answer as JSON: {error}")))?;
    say(&text);
    Ok(())
}

/// A field of an answer, as a cell of a table.
pub(crate) fn cell(row: &Value, key: &str) -> String {
    match &row[key] {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// Columns as wide as their widest cell, numbers (a leading digit) to the right.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            match cell.starts_with(|c: char| c.is_ascii_digit()) {
                true => text.extend([gap.as_str(), cell, "  "]),
                false => text.extend([cell, gap.as_str(), "  "]),
            }
        }
        say(text.trim_end());
    };
    line(head.to_vec());
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}

/// Writes bytes to standard output; a reader that has gone ends the command quietly.
pub(crate) fn bytes(content: &[u8]) -> std::io::Result<()> {
    std::io::stdout().lock().write_all(content)
}
