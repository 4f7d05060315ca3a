//! Quick order: what somebody pasted, as SKUs with quantities.
//!
//! Two forms are read. Plain lines hold a SKU and, behind it, a quantity: `AB-12 3`, `AB-12;3`,
//! `AB-12, 2.5`, `AB-12 x 3`; a SKU alone means one. A table has a header with a `sku` and perhaps
//! a `quantity` and a `note` column, with commas, semicolons or tabs between and quotes as in
//! RFC 4180. Empty lines are passed over. What can't be read is told with its line and column,
//! counted from 1, in characters.
//!
//! How many of a product can be ordered is only known with the product, so quantities stay text.

use crate::domain::sku::{Sku, SkuError};
use std::borrow::Cow;

/// Rows of one paste.
pub const MOST_ROWS: usize = super::MOST_AT_ONCE;

/// A row that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub at: Place,
    pub sku: Sku,
    pub quantity_at: Place,
    /// As it was written; `1` when nothing was.
    pub quantity: String,
    pub note: Option<String>,
}

/// Where in the text something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasteError {
    pub at: Place,
    pub why: Unreadable,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("there is nothing to order in it")]
    Empty,
    #[error("at most {MOST_ROWS} rows can be ordered at once")]
    TooManyRows,
    #[error(transparent)]
    Sku(#[from] SkuError),
    #[error("only a quantity may follow the SKU; put a table's header above it for more columns")]
    NotAQuantity,
    #[error("the quote is not closed")]
    OpenQuote,
    #[error("nothing but a separator may follow a closing quote")]
    AfterQuote,
    #[error("the header has two {0} columns")]
    TwoColumns(&'static str),
    #[error("the row has {has} cells, and the header {wants}")]
    Cells { has: usize, wants: usize },
}

/// What could be read, and what could not, each in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paste {
    pub rows: Vec<Row>,
    pub errors: Vec<PasteError>,
}

/// Reads a paste in whichever form it has.
pub fn read(text: &str) -> Paste {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut paste = match Header::find(text) {
        Some(header) => table(text, &header),
        None => plain(text),
    };
    if paste.rows.len() > MOST_ROWS {
        let at = paste.rows[MOST_ROWS].at;
        paste.rows.truncate(MOST_ROWS);
        paste.fail(at, Unreadable::TooManyRows);
    }
    if paste.rows.is_empty() && paste.errors.is_empty() {
        paste.fail(Place { line: 1, column: 1 }, Unreadable::Empty);
    }
    paste
}

impl Paste {
    fn fail(&mut self, at: Place, why: Unreadable) {
        self.errors.push(PasteError { at, why });
    }

    fn take(
        &mut self,
        (at, sku): (Place, &str),
        (quantity_at, quantity): (Place, &str),
        note: Option<String>,
    ) {
        let quantity = quantity.trim();
        let quantity = if quantity.is_empty() { "1" } else { quantity }.to_owned();
        match Sku::new(sku) {
            Ok(sku) => self.rows.push(Row { at, sku, quantity_at, quantity, note }),
            Err(why) => self.fail(at, why.into()),
        }
    }
}

/// What may stand between a SKU and its quantity, beside white space.
const BETWEEN: [char; 2] = [',', ';'];
const TIMES: [char; 4] = ['x', 'X', '×', '*'];

fn plain(text: &str) -> Paste {
    let mut paste = Paste::default();
    for (number, line) in text.lines().enumerate() {
        let place = |rest: &str| {
            let before = &line[..line.len() - rest.len()];
            Place { line: number + 1, column: before.chars().count() + 1 }
        };
        let from = line.trim_start();
        let body = from.trim_end().trim_end_matches(BETWEEN).trim_end();
        if body.is_empty() {
            continue;
        }
        let (sku, behind) = match body.find(char::is_whitespace) {
            Some(end) => body.split_at(end),
            // A SKU may have commas in it, so the last one is the separator.
            None => body.rfind(BETWEEN).map_or((body, ""), |end| body.split_at(end)),
        };
        // `behind` ends where `body` does: what was cut off the line's end counts too.
        let cut = from.len() - body.len();
        let mut rest = behind.trim_start().trim_start_matches(BETWEEN).trim_start();
        // Alone it is no sign between two things, and no quantity either.
        if let Some(number) = rest.strip_prefix(TIMES).filter(|number| !number.is_empty()) {
            rest = number.trim_start();
        }
        let rest_at = Place {
            line: number + 1,
            column: line[..line.len() - cut - rest.len()].chars().count() + 1,
        };
        if rest.contains(char::is_whitespace) || rest.contains(BETWEEN) {
            paste.fail(rest_at, Unreadable::NotAQuantity);
        } else {
            paste.take((place(from), sku.trim_end_matches(BETWEEN)), (rest_at, rest), None);
        }
    }
    paste
}

/// Which columns of a table mean something.
struct Header {
    separator: char,
    columns: usize,
    sku: usize,
    quantity: Option<usize>,
    note: Option<usize>,
    /// A column that came twice.
    twice: Option<(usize, &'static str)>,
}

impl Header {
    /// Of the first line with something in it, when one of its cells is called `sku`.
    fn find(text: &str) -> Option<Self> {
        let first = text.lines().find(|line| !line.trim().is_empty())?;
        let separator = first.chars().find(|c| matches!(c, ',' | ';' | '\t')).unwrap_or(',');
        let cells: Vec<_> = first.split(separator).map(meaning).collect();
        let at = |wanted| cells.iter().position(|cell| *cell == Some(wanted));
        let twice = cells.iter().enumerate().find_map(|(place, cell)| {
            let name = (*cell)?;
            (at(name) != Some(place)).then_some((place, name))
        });
        let (sku, quantity, note) = (at("sku")?, at("quantity"), at("note"));
        // `sku` alone on the first line is a table too; nobody sells a thing of that name.
        Some(Self { separator, columns: cells.len(), sku, quantity, note, twice })
    }
}

fn meaning(head: &str) -> Option<&'static str> {
    let head = head.trim().trim_matches('"').trim().to_lowercase();
    match head.as_str() {
        "sku" | "item" | "article" | "product" => Some("sku"),
        "quantity" | "qty" | "amount" | "count" => Some("quantity"),
        "note" | "comment" | "remark" => Some("note"),
        _ => None,
    }
}

fn table(text: &str, header: &Header) -> Paste {
    let mut paste = Paste::default();
    let mut records = Records { rest: text, at: Place { line: 1, column: 1 } };
    let mut headed = false;
    while let Some(record) = records.next(header.separator) {
        let (start, cells) = match record {
            Ok(record) => record,
            Err(error) => {
                paste.errors.push(error);
                continue;
            }
        };
        let blank = cells.iter().all(|(_, text)| text.trim().is_empty());
        if blank && (cells.len() <= 1 || !headed) {
            continue;
        }
        if !headed {
            headed = true;
            if let Some((column, name)) = header.twice {
                let at = cells.get(column).map_or(start, |(at, _)| *at);
                paste.fail(at, Unreadable::TwoColumns(name));
                return paste;
            }
            continue;
        }
        if cells.len() != header.columns {
            let (has, wants) = (cells.len(), header.columns);
            paste.fail(start, Unreadable::Cells { has, wants });
            continue;
        }
        if blank {
            continue;
        }
        let cell = |column: usize| (cells[column].0, cells[column].1.as_ref());
        let sku = cell(header.sku);
        let quantity = header.quantity.map_or((sku.0, ""), cell);
        let note = header.note.map(|column| cells[column].1.trim());
        let note = note.filter(|text| !text.is_empty()).map(str::to_owned);
        paste.take(sku, quantity, note);
    }
    paste
}

type Cells<'a> = Vec<(Place, Cow<'a, str>)>;

/// A table's text, record by record.
struct Records<'a> {
    rest: &'a str,
    at: Place,
}

impl<'a> Records<'a> {
    /// The next record with where it starts; `None` at the end. After an error the next line is
    /// read, or nothing when a quote swallowed the rest.
    fn next(&mut self, separator: char) -> Option<Result<(Place, Cells<'a>), PasteError>> {
        if self.rest.is_empty() {
            return None;
        }
        let start = self.at;
        let mut cells = Vec::new();
        loop {
            match self.cell(separator) {
                Ok((cell, end)) => {
                    cells.push(cell);
                    if end {
                        return Some(Ok((start, cells)));
                    }
                }
                Err(error) => {
                    self.skip_line();
                    return Some(Err(error));
                }
            }
        }
    }

    /// One cell, and whether the record ends behind it.
    fn cell(&mut self, separator: char) -> Result<((Place, Cow<'a, str>), bool), PasteError> {
        self.skip(|c| c == ' ' || (c == '\t' && separator != '\t'));
        let at = self.at;
        let text = if self.rest.starts_with('"') {
            let text = self.quoted(at)?;
            self.skip(|c| c == ' ');
            text
        } else {
            let end = self.rest.find([separator, '\n']).unwrap_or(self.rest.len());
            Cow::Borrowed(self.forward(end).trim_end())
        };
        match self.rest.chars().next() {
            None => Ok(((at, text), true)),
            Some(c) if c == separator => {
                self.forward(c.len_utf8());
                Ok(((at, text), false))
            }
            Some('\n') => {
                self.forward(1);
                Ok(((at, text), true))
            }
            Some('\r') if self.rest.starts_with("\r\n") => {
                self.forward(2);
                Ok(((at, text), true))
            }
            Some(_) => Err(PasteError { at: self.at, why: Unreadable::AfterQuote }),
        }
    }

    fn quoted(&mut self, at: Place) -> Result<Cow<'a, str>, PasteError> {
        self.forward(1);
        let mut whole = Cow::Borrowed("");
        loop {
            let Some(end) = self.rest.find('"') else {
                let end = self.rest.len();
                self.forward(end);
                return Err(PasteError { at, why: Unreadable::OpenQuote });
            };
            let part = self.forward(end);
            self.forward(1);
            if whole.is_empty() {
                whole = Cow::Borrowed(part)
            } else {
                whole.to_mut().push_str(part)
            }
            // A doubled quote is one that is meant.
            if !self.rest.starts_with('"') {
                return Ok(whole);
            }
            self.forward(1);
            whole.to_mut().push('"');
        }
    }

    fn skip(&mut self, is: impl Fn(char) -> bool) {
        let end = self.rest.find(|c| !is(c)).unwrap_or(self.rest.len());
        self.forward(end);
    }

    fn skip_line(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |end| end + 1);
        self.forward(end);
    }

    /// Goes on by so many bytes and gives what they were.
    fn forward(&mut self, bytes: usize) -> &'a str {
        let (passed, rest) = self.rest.split_at(bytes);
        match passed.rfind('\n') {
            None => self.at.column += passed.chars().count(),
            Some(last) => {
                self.at.line += passed.matches('\n').count();
                self.at.column = passed[last + 1..].chars().count() + 1;
            }
        }
        self.rest = rest;
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<(String, String)> {
        let paste = read(text);
        assert_eq!(paste.errors, [], "{text:?}");
        paste.rows.into_iter().map(|row| (row.sku.to_string(), row.quantity)).collect()
    }

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    fn errors(text: &str) -> Vec<(usize, usize, String)> {
        let told = |e: PasteError| (e.at.line, e.at.column, e.why.to_string());
        read(text).errors.into_iter().map(told).collect()
    }

    #[test]
    fn people_write_quantities_in_many_ways() {
        let text = "AB-12 3\nAB-12\t3\nAB-12;3\nAB-12,3\n  AB-12 , 3 ;\nAB-12 x 3\nAB-12 ×3\r\n\
                    AB-12 X3\n\nAB-12, x3\nAB-12;3;;\n";
        assert_eq!(rows(text), vec![("AB-12".to_owned(), "3".to_owned()); 10]);
        assert_eq!(rows("A,B,2\nAx3\nA*"), pairs(&[("A,B", "2"), ("Ax3", "1"), ("A*", "1")]));
        assert_eq!(rows("\u{feff}7 2.5"), pairs(&[("7", "2.5")]));
    }

    #[test]
    fn a_table_is_known_by_its_header() {
        let text = "Qty;Name;SKU;Note\r\n3;\"Bolt; \"\"big\"\"\";AB-12;\"for\nroom 2\"\r\n;;AB-13;\r\n\r\n;;;\r\n";
        let paste = read(text);
        assert_eq!(paste.errors, []);
        assert_eq!(paste.rows[0].note.as_deref(), Some("for\nroom 2"));
        assert_eq!(paste.rows[0].at, Place { line: 2, column: 19 });
        assert_eq!(paste.rows[0].quantity_at, Place { line: 2, column: 1 });
        assert_eq!(paste.rows[1].at, Place { line: 4, column: 3 });
        assert_eq!(rows(text), pairs(&[("AB-12", "3"), ("AB-13", "1")]));
        assert_eq!(rows("sku\nA\nB"), pairs(&[("A", "1"), ("B", "1")]));
        assert_eq!(rows("sku\tqty\nA\t2"), pairs(&[("A", "2")]));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line_and_column() {
        let long = "A".repeat(65);
        let text = format!("OK 1\nA 1 2\n{long}\n  Ä;B 3 x");
        let told = errors(&text);
        let places: Vec<_> = told.iter().map(|(line, column, _)| (*line, *column)).collect();
        assert_eq!(places, [(2, 3), (3, 1), (4, 7)]);
        let table = "sku,qty\nA,1,2\n\"B\"x,1\nC,1\n\"D,1\nE,1";
        let told: Vec<_> = errors(table).into_iter().map(|(l, c, _)| (l, c)).collect();
        assert_eq!(told, [(2, 1), (3, 4), (5, 1)]);
        assert_eq!(read(table).rows.len(), 1);
        assert_eq!(errors("sku,qty,sku\nA,1,2"), [(1, 9, "the header has two sku columns".into())]);
        assert_eq!(errors(" \n\n")[0].2, "there is nothing to order in it");
        assert_eq!(errors("sku,qty\n")[0].2, "there is nothing to order in it");
    }

    #[test]
    fn more_rows_than_one_order_takes_are_refused_where_they_begin() {
        let text = "A 1\n".repeat(MOST_ROWS + 1);
        assert_eq!(errors(&text)[0].0, MOST_ROWS + 1);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_each_place_is_in_the_text(
            text in "((sku|qty|a|1|é|\"|,|;|\t|\n|\r\n| |x)*|\\PC*)"
        ) {
            let lines = text.split('\n').count();
            let paste = read(&text);
            let places = paste.rows.iter().flat_map(|row| [row.at, row.quantity_at]);
            for at in places.chain(paste.errors.iter().map(|error| error.at)) {
                prop_assert!((1..=lines).contains(&at.line), "{at:?}");
                let line = text.split('\n').nth(at.line - 1).unwrap_or_default();
                prop_assert!((1..=line.chars().count() + 1).contains(&at.column), "{at:?}");
            }
        }

        #[test]
        fn what_is_written_is_what_is_read(
            wanted in proptest::collection::vec(("[A-Z0-9-]{1,20}", 1u32..10_000), 1..20),
            between in "( |\t|;|,| x |, )",
        ) {
            let text: Vec<_> = wanted.iter().map(|(sku, n)| format!("{sku}{between}{n}")).collect();
            let wanted: Vec<_> = wanted.into_iter().map(|(sku, n)| (sku, n.to_string())).collect();
            prop_assert_eq!(rows(&text.join("\n")), wanted);
        }
    }
}
