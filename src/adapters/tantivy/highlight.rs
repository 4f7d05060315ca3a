//! Where the words of a question are in a text.

use super::{plan::Shape, words::Analyzer};
use std::ops::Range;

/// Length of a snippet, in bytes, give or take a word.
const SNIPPET: usize = 180;

pub(super) type Ranges = Vec<(usize, usize)>;

pub(super) struct Highlighter {
    analyzer: Analyzer,
    shapes: Vec<Shape>,
    /// Whether any shape begins with this byte: most words of a text are told apart by it.
    first: [bool; 256],
}

impl Highlighter {
    pub(super) fn new(shapes: impl Iterator<Item = Shape>) -> Self {
        let shapes: Vec<Shape> = shapes.collect();
        let mut first = [false; 256];
        for Shape::Whole(text) | Shape::Beginning(text) in &shapes {
            if let Some(byte) = text.bytes().next() {
                first[usize::from(byte)] = true;
            }
        }
        Self { analyzer: Analyzer::new(), shapes, first }
    }

    /// In order, not overlapping. A beginning marks the whole word.
    pub(super) fn ranges(&mut self, text: &str) -> Ranges {
        let mut ranges = Vec::new();
        let Self { analyzer, shapes, first } = self;
        analyzer.words(text, |range, word| {
            let candidate = word.bytes().next().is_some_and(|byte| first[usize::from(byte)]);
            if candidate && shapes.iter().any(|shape| shape.is(word)) {
                ranges.push((range.start, range.end));
            }
        });
        ranges
    }

    /// The piece of the text with the most matches in it; `None` without any.
    pub(super) fn snippet(&mut self, text: &str) -> Option<(String, Ranges)> {
        let ranges = self.ranges(text);
        let within = |from: usize| {
            ranges[from..].iter().take_while(|r| r.1 <= ranges[from].0 + SNIPPET).count()
        };
        let best = (0..ranges.len()).rev().max_by_key(|from| within(*from))?;
        let piece = around(text, ranges[best].0);
        let inside = ranges
            .iter()
            .filter(|(from, to)| *from >= piece.start && *to <= piece.end)
            .map(|(from, to)| (from - piece.start, to - piece.start))
            .collect();
        Some((text[piece].to_owned(), inside))
    }
}

/// A piece that begins at a word a little before `at` and ends at one.
fn around(text: &str, at: usize) -> Range<usize> {
    let mut start = text.floor_char_boundary(at.saturating_sub(SNIPPET / 5));
    if start > 0 {
        start = text[start..at].find(char::is_whitespace).map_or(at, |space| start + space);
        start += text[start..].len() - text[start..].trim_start().len();
    }
    let mut end = text.floor_char_boundary((start + SNIPPET).min(text.len()));
    if end < text.len() {
        let tail = start.max(at)..end;
        end = text[tail.clone()].rfind(char::is_whitespace).map_or(end, |space| tail.start + space);
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn highlighter() -> Highlighter {
        let shapes = [Shape::Whole("galaxy".into()), Shape::Beginning("pho".into())];
        Highlighter::new(shapes.into_iter())
    }

    #[test]
    fn matches_are_marked_as_they_are_written() {
        let text = "Gálaxy S5 Phones, galaxy2";
        let marked: Vec<&str> =
            highlighter().ranges(text).iter().map(|(from, to)| &text[*from..*to]).collect();
        assert_eq!(marked, ["Gálaxy", "Phones"]);
    }

    #[test]
    fn a_snippet_shows_where_most_matches_are() {
        let text =
            format!("galaxy {} phone of galaxy kind {}", "filler ".repeat(60), "x ".repeat(90));
        let (snippet, ranges) = highlighter().snippet(&text).unwrap();
        assert!(snippet.len() <= SNIPPET + 10);
        assert_eq!(ranges.len(), 2);
        assert!(snippet.contains("phone of galaxy kind"));
        assert_eq!(highlighter().snippet("nothing here"), None);
    }

    proptest! {
        #[test]
        fn snippets_of_any_text_are_marked_on_characters(text in "(\\PC|galaxy | phoé|\\s){0,200}") {
            if let Some((snippet, ranges)) = highlighter().snippet(&text) {
                let mut last = 0;
                for (from, to) in ranges {
                    prop_assert!(from >= last && to > from);
                    prop_assert!(snippet.get(from..to).is_some());
                    last = to;
                }
            }
        }
    }
}
