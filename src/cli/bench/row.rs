//! What every `stoa bench` command prints: one row a kind of work.

use crate::cli::{Failure, Outcome, output};
use serde::Serialize;
use std::fmt;

/// One kind of work, measured beside what it is compared with.
///
/// `ours` and `baseline` are medians of their rounds. `ratio` is the median of the rounds' own
/// ratios, each of two neighbours in time: what slows the machine for a while slows both.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) row: String,
    pub(crate) ours: f64,
    /// `None` where the target is a figure by itself.
    pub(crate) baseline: Option<f64>,
    pub(crate) ratio: Option<f64>,
    /// Of `ours` and `baseline`.
    pub(crate) unit: &'static str,
    /// The rounds' lowest and highest ratio: far apart, the machine was too noisy to judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_range: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_p99_ms: Option<f64>,
    /// Ours over the baseline's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ratio: Option<f64>,
    /// Milliseconds of processor time for one unit of work, of the measured process alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline_cpu_ms: Option<f64>,
    pub(crate) reach: Reach,
    /// Whether the reach was met; always false for a row that failed.
    pub(crate) reached: bool,
    /// Why the figures don't count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// What a row is to reach; what is `None` isn't asked.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Reach {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) least_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) most_p99_ratio: Option<f64>,
    /// In the row's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) most: Option<f64>,
}

impl Reach {
    pub(crate) const fn ratio(least: f64) -> Self {
        Self { least_ratio: Some(least), most_p99_ratio: None, most: None }
    }

    pub(crate) const fn and_p99(self, most: f64) -> Self {
        Self { most_p99_ratio: Some(most), ..self }
    }

    pub(crate) const fn at_most(most: f64) -> Self {
        Self { least_ratio: None, most_p99_ratio: None, most: Some(most) }
    }

    /// A figure that is asked for and wasn't measured isn't reached.
    fn is_met(&self, row: &Row) -> bool {
        self.least_ratio.is_none_or(|least| row.ratio.is_some_and(|ratio| ratio >= least))
            && self.most_p99_ratio.is_none_or(|most| row.p99_ratio.is_some_and(|p99| p99 <= most))
            && self.most.is_none_or(|most| row.ours <= most)
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.least_ratio.map(|least| format!("≥ {least}")),
            self.most_p99_ratio.map(|most| format!("p99 ≤ {most}×")),
            self.most.map(|most| format!("≤ {most}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl Row {
    /// The row with its last field worked out.
    pub(crate) fn judged(mut self) -> Self {
        self.reached = self.failed.is_none() && self.reach.is_met(&self);
        self
    }

    fn cells(&self) -> Vec<String> {
        let verdict = match (&self.failed, self.reached) {
            (Some(_), _) => "failed",
            (None, true) => "yes",
            (None, false) => "no",
        };
        let range = self.ratio_range.map(|(low, high)| format!("{low:.2} to {high:.2}"));
        vec![
            self.row.clone(),
            number(Some(self.ours)),
            number(self.baseline),
            self.unit.to_owned(),
            number(self.ratio),
            range.unwrap_or_else(absent),
            number(self.p99_ms),
            number(self.p99_ratio),
            number(self.cpu_ms),
            number(self.baseline_cpu_ms),
            self.reach.to_string(),
            verdict.to_owned(),
        ]
    }
}

const HEAD: &[&str] = &[
    "ROW",
    "OURS",
    "BASELINE",
    "UNIT",
    "RATIO",
    "FROM–TO",
    "P99 MS",
    "P99 RATIO",
    "CPU MS EACH",
    "BASELINE'S",
    "REACH",
    "REACHED",
];

/// The rows as they come: with `--json` one line each, at once; else a table at the end.
pub(crate) struct Report {
    json: bool,
    rows: Vec<Row>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, row: Row) -> Outcome {
        if self.json {
            output::json(&row)?;
        }
        self.rows.push(row);
        Ok(())
    }

    /// Prints what there is, also when the run broke off. A row that failed fails the command; one
    /// that didn't reach its target doesn't.
    pub(crate) fn end(self, outcome: Outcome) -> Outcome {
        if !self.json && !self.rows.is_empty() {
            let cells: Vec<_> = self.rows.iter().map(Row::cells).collect();
            output::table(HEAD, &cells);
        }
        for row in &self.rows {
            if let Some(note) = &row.note {
                output::talk(&format!("{}: {note}", row.row));
            }
        }
        let mut broken = false;
        for row in &self.rows {
            if let Some(why) = &row.failed {
                output::talk(&format!("{} FAILED: {why}", row.row));
                broken = true;
            }
        }
        match outcome {
            Ok(()) if broken => Err(Failure::Silent),
            outcome => outcome,
        }
    }
}

fn absent() -> String {
    "–".to_owned()
}

/// Three digits that count.
fn number(value: Option<f64>) -> String {
    match value {
        None => absent(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) if value >= 0.1 => format!("{value:.2}"),
        Some(value) => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(ratio: f64, p99_ratio: f64) -> Row {
        Row {
            row: "hot product page".into(),
            ours: 80.0,
            baseline: Some(100.0),
            ratio: Some(ratio),
            unit: "requests/s",
            p99_ratio: Some(p99_ratio),
            reach: Reach::ratio(0.8).and_p99(1.5),
            ..Row::default()
        }
    }

    #[test]
    fn a_row_always_has_its_five_fields() {
        let json = serde_json::to_value(Row { unit: "ms", ..Row::default() }).unwrap();
        for key in ["row", "ours", "baseline", "ratio", "unit"] {
            assert!(json.get(key).is_some(), "{key} is missing in {json}");
        }
        let json = serde_json::to_value(row(0.8, 1.0).judged()).unwrap();
        let expected = json!({
            "row": "hot product page", "ours": 80.0, "baseline": 100.0, "ratio": 0.8,
            "unit": "requests/s", "p99_ratio": 1.0,
            "reach": {"least_ratio": 0.8, "most_p99_ratio": 1.5}, "reached": true,
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn a_reach_is_met_only_by_all_of_its_parts() {
        assert!(row(0.8, 1.5).judged().reached);
        assert!(!row(0.79, 1.5).judged().reached);
        assert!(!row(0.8, 1.51).judged().reached);
        assert!(!Row { p99_ratio: None, ..row(0.8, 1.5) }.judged().reached);
        assert!(!Row { failed: Some("2 errors".into()), ..row(0.9, 1.0) }.judged().reached);
        let start = Row { ours: 500.0, reach: Reach::at_most(500.0), ..Row::default() };
        assert!(start.clone().judged().reached);
        assert!(!Row { ours: 501.0, ..start }.judged().reached);
    }

    #[test]
    fn a_failed_row_fails_the_command_and_a_slow_one_does_not() {
        let mut report = Report { json: false, rows: vec![row(0.1, 9.0).judged()] };
        report.rows[0].note = Some("said aloud".into());
        assert!(report.end(Ok(())).is_ok());
        let failed = Row { failed: Some("2 errors".into()), ..row(0.9, 1.0) };
        let report = Report { json: false, rows: vec![failed] };
        assert!(matches!(report.end(Ok(())), Err(Failure::Silent)));
    }

    #[test]
    fn every_column_has_a_head() {
        assert_eq!(row(0.8, 1.0).cells().len(), HEAD.len());
        assert_eq!(Reach::ratio(0.8).and_p99(1.5).to_string(), "≥ 0.8, p99 ≤ 1.5×");
    }
}
