//! Cutting CSV into records (RFC 4180), within a bound.
//!
//! Not the `csv` crate's reader, which tells a record's line wrongly behind `\r\n` and holds the
//! rest of the file in memory when a quote is never closed. Where it is lenient this is too: a
//! quote inside a bare cell is a letter, and so is what follows a closing quote.

use std::io::{self, BufRead};

/// One record's cells, end to end.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Where it starts; the first line is 1.
    pub(super) line: u64,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Longer than the bound; what was beyond was dropped.
    pub(super) too_long: bool,
    /// The source ended inside quotes.
    pub(super) unclosed: bool,
}

impl Record {
    pub(super) fn cells(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.ends.len()).map(|at| {
            let from = if at == 0 { 0 } else { self.ends[at - 1] };
            &self.text[from..self.ends[at]]
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    CellStart,
    Bare,
    Quoted,
    /// Behind a quote inside quotes: the end, or the first half of a quote.
    QuoteSeen,
}

pub(super) struct Records<R> {
    reader: R,
    separator: u8,
    most_bytes: usize,
    line: u64,
}

impl<R: BufRead> Records<R> {
    /// The separator is that of comma, semicolon and tab which the first line has most of.
    pub(super) fn new(mut reader: R, most_bytes: usize) -> io::Result<Self> {
        let start = reader.fill_buf()?;
        let head = start.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = |separator: u8| head.iter().filter(|b| **b == separator).count();
        let separator = [b'\t', b';', b','].into_iter().max_by_key(|s| count(*s)).unwrap_or(b',');
        Ok(Self { reader, separator, most_bytes, line: 1 })
    }

    /// The next record that isn't an empty line.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if !self.pass_line_breaks()? {
            return Ok(None);
        }
        let mut record = Record { line: self.line, ..Record::default() };
        let mut state = State::CellStart;
        let mut size = 0;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                record.unclosed = state == State::Quoted;
                break;
            }
            let (mut used, mut ended) = (0, false);
            for &byte in buffer {
                used += 1;
                let quoted = state == State::Quoted;
                // A line break is counted where it is passed: inside quotes here, else by
                // pass_line_breaks.
                if !quoted && (byte == b'\n' || byte == b'\r') {
                    used -= 1;
                    ended = true;
                    break;
                }
                self.line += u64::from(byte == b'\n');
                size += 1;
                let keeps = match (state, byte) {
                    (State::CellStart, b'"') | (State::QuoteSeen, b'"') => {
                        let doubled = state == State::QuoteSeen;
                        state = State::Quoted;
                        doubled
                    }
                    (State::Quoted, b'"') => {
                        state = State::QuoteSeen;
                        false
                    }
                    (State::Quoted, _) => true,
                    (_, byte) if byte == self.separator => {
                        state = State::CellStart;
                        record.ends.push(record.text.len());
                        false
                    }
                    _ => {
                        state = State::Bare;
                        true
                    }
                };
                if size > self.most_bytes {
                    record.too_long = true;
                    record.text.clear();
                    record.ends.clear();
                } else if keeps {
                    record.text.push(byte);
                }
            }
            self.reader.consume(used);
            if ended {
                break;
            }
        }
        record.ends.push(record.text.len());
        Ok(Some(record))
    }

    /// False at the end of the source.
    fn pass_line_breaks(&mut self) -> io::Result<bool> {
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let breaks = buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            self.line += buffer[..breaks].iter().filter(|b| **b == b'\n').count() as u64;
            let (more, ended) = (breaks < buffer.len(), buffer.is_empty());
            self.reader.consume(breaks);
            if more || ended {
                return Ok(more);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn read(text: &[u8], most: usize) -> Vec<(u64, Vec<Vec<u8>>, bool)> {
        // A buffer of three bytes, so that every state meets a buffer's edge.
        let mut records = Records {
            reader: BufReader::with_capacity(3, text),
            separator: b',',
            most_bytes: most,
            line: 1,
        };
        let mut all = Vec::new();
        while let Some(r) = records.next().unwrap() {
            all.push((r.line, r.cells().map(<[u8]>::to_vec).collect(), r.too_long || r.unclosed));
        }
        all
    }

    #[test]
    fn a_record_is_found_at_the_line_it_starts_on() {
        let lines = |text: &str| read(text.as_bytes(), 100).iter().map(|r| r.0).collect::<Vec<_>>();
        assert_eq!(lines("a,b\r\n\"1\r\n2\",x\r\n\r\n3,4\r\n"), [1, 2, 5]);
        assert_eq!(lines("a,b\n\"1\n\n2\",x\n\n3,4"), [1, 2, 6]);
    }

    #[test]
    fn one_that_is_too_long_or_never_closed_does_not_fill_the_memory() {
        let long = format!("a,b\n{},x\n\"1\n2\",y\n", "z".repeat(50));
        let all = read(long.as_bytes(), 20);
        assert_eq!(all.iter().map(|r| r.2).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(all[2].0, 3);
        let open = format!("a,b\n1,\"{}", "z\n".repeat(50));
        let all = read(open.as_bytes(), 20);
        assert!(all[1].2 && all[1].1.iter().map(Vec::len).sum::<usize>() <= 20);
    }

    #[test]
    fn the_separator_is_the_one_the_header_uses() {
        let separator = |head: &str| Records::new(head.as_bytes(), 9).unwrap().separator as char;
        assert_eq!(separator("sku;name;a,b"), ';');
        assert_eq!(separator("sku\tname"), '\t');
        assert_eq!(separator("sku,name\n;;;"), ',');
        assert_eq!(separator("sku"), ',');
    }

    proptest! {
        #[test]
        fn cells_are_those_the_csv_crate_finds(text in "[ab\",\r\n]{0,40}") {
            let mut theirs = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            let theirs: Vec<Vec<Vec<u8>>> = theirs
                .byte_records()
                .map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect())
                .collect();
            let ours: Vec<_> = read(text.as_bytes(), 1000).into_iter().map(|r| r.1).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn what_the_csv_crate_writes_is_read_back(
            cells in proptest::collection::vec(proptest::collection::vec("[a\",\r\n é]{0,6}", 2), 1..6),
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for record in &cells {
                writer.write_record(record).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let ours: Vec<Vec<String>> = read(&text, 1000)
                .into_iter()
                .map(|r| r.1.into_iter().map(|c| String::from_utf8(c).unwrap()).collect())
                .collect();
            prop_assert_eq!(ours, cells);
        }
    }
}
