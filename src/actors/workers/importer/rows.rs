//! From a source's text to rows, one after the other, in constant memory. Blocks.

use super::{csv::Records, source::SourceError};
use crate::{
    domain::{
        import::{Ignored, MOST_ROW_BYTES, Reading, RowError, csv::Header, json},
        product::ProductDraft,
    },
    ports::imports::{ImportOptions, RowFormat},
};
use std::io::{self, BufRead};

/// A row that was read, for better or worse.
#[derive(Debug)]
pub(super) struct ReadRow {
    pub(super) line: u64,
    pub(super) draft: Result<ProductDraft, Vec<RowError>>,
    /// Of its text, roughly: for bounding what is held at once.
    pub(super) bytes: usize,
}

/// The rows of one source.
pub(super) struct Rows<R> {
    form: Form<R>,
    reading: Reading,
    pub(super) ignored: Ignored,
}

enum Form<R> {
    JsonLines { reader: R, line: u64, text: Vec<u8> },
    Csv { records: Records<R>, header: Header },
}

impl<R: BufRead> Rows<R> {
    /// Looks at the start of the source; a header that can't work fails the whole file.
    pub(super) fn open(mut reader: R, options: &ImportOptions) -> Result<Self, SourceError> {
        let reading = Reading::new(&options.map, options.currency)
            .map_err(|error| SourceError(error.to_string()))?;
        pass_byte_order_mark(&mut reader)?;
        let form = match options.format {
            RowFormat::JsonLines => Form::JsonLines { reader, line: 0, text: Vec::new() },
            RowFormat::Csv => {
                let said = |error: io::Error| SourceError::reading(&error);
                let mut records = Records::new(reader, MOST_ROW_BYTES).map_err(said)?;
                let head = records.next().map_err(said)?;
                let head = head.ok_or_else(|| SourceError("the file is empty".into()))?;
                if head.too_long || head.unclosed {
                    return Err(SourceError("the header does not end; a quote is open".into()));
                }
                let header = Header::read(head.cells(), &reading.columns)
                    .map_err(|error| SourceError(error.to_string()))?;
                Form::Csv { records, header }
            }
        };
        Ok(Self { form, reading, ignored: Ignored::default() })
    }

    pub(super) fn next(&mut self) -> Result<Option<ReadRow>, SourceError> {
        let read = match &mut self.form {
            Form::JsonLines { reader, line, text } => {
                json_row(reader, line, text, &self.reading, &mut self.ignored)
            }
            Form::Csv { records, header } => records.next().map(|record| {
                let record = record?;
                let (line, bytes) = (record.line, record.bytes());
                let whole = |message: String| Err(vec![RowError::whole(line, message)]);
                let draft = if record.too_long {
                    whole(format!("{}; a quote may be missing", too_long()))
                } else if record.unclosed {
                    whole("has a quote that is never closed".into())
                } else {
                    header.row(line, record.cells(), &self.reading, &mut self.ignored)
                };
                Some(ReadRow { line, draft, bytes })
            }),
        };
        read.map_err(|error| SourceError::reading(&error))
    }
}

fn too_long() -> String {
    format!("is longer than {} KiB", MOST_ROW_BYTES / 1024)
}

/// The next line that isn't blank.
fn json_row<R: BufRead>(
    reader: &mut R,
    line: &mut u64,
    text: &mut Vec<u8>,
    reading: &Reading,
    ignored: &mut Ignored,
) -> io::Result<Option<ReadRow>> {
    loop {
        text.clear();
        *line += 1;
        let most = MOST_ROW_BYTES as u64 + 1;
        if io::Read::take(&mut *reader, most).read_until(b'\n', text)? == 0 {
            return Ok(None);
        }
        let ended = text.last() == Some(&b'\n');
        if ended {
            text.pop();
        } else if text.len() as u64 == most {
            pass_rest_of_line(reader)?;
            let draft = Err(vec![RowError::whole(*line, too_long())]);
            return Ok(Some(ReadRow { line: *line, draft, bytes: 0 }));
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let draft = json::row(*line, text, reading, ignored);
        return Ok(Some(ReadRow { line: *line, draft, bytes: text.len() }));
    }
}

fn pass_rest_of_line<R: BufRead>(reader: &mut R) -> io::Result<()> {
    loop {
        let buffer = match reader.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = buffer.iter().position(|b| *b == b'\n');
        let (used, done) = end.map_or((buffer.len(), buffer.is_empty()), |at| (at + 1, true));
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn pass_byte_order_mark<R: BufRead>(reader: &mut R) -> Result<(), SourceError> {
    let start = reader.fill_buf().map_err(|error| SourceError::reading(&error))?;
    match start {
        [0xef, 0xbb, 0xbf, ..] => reader.consume(3),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(SourceError("the file is UTF-16; save it as UTF-8".into()));
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x1f, 0x8b, ..] => {
            return Err(SourceError(
                "the file is compressed (zstd or gzip) though it was said not to be".into(),
            ));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;
    use crate::ports::imports::Compression;
    use std::collections::BTreeMap;

    fn read(format: RowFormat, text: &[u8]) -> Result<Vec<ReadRow>, SourceError> {
        let options = ImportOptions {
            format,
            compression: Compression::None,
            map: BTreeMap::new(),
            currency: Currency::USD,
            dry_run: false,
        };
        let mut rows = Rows::open(text, &options)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(row);
        }
        Ok(all)
    }

    #[test]
    fn blank_lines_are_counted_but_are_no_rows() {
        let text = b"\xef\xbb\xbf{\"sku\":\"a\",\"name\":\"n\"}\r\n\n  \n{\"sku\":\"b\"";
        let rows = read(RowFormat::JsonLines, text).unwrap();
        assert_eq!(rows.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 4]);
        assert!(rows[0].draft.is_ok() && rows[1].draft.is_err());
        assert!(read(RowFormat::JsonLines, b"").unwrap().is_empty());
    }

    #[test]
    fn a_line_beyond_the_bound_is_one_bad_row_among_good_ones() {
        let row = |name: &str| format!("{{\"sku\":\"a\",\"name\":\"{name}\"}}\n");
        let text = format!("{}{}{}", row("n"), row(&"x".repeat(MOST_ROW_BYTES)), row("n"));
        let rows = read(RowFormat::JsonLines, text.as_bytes()).unwrap();
        assert_eq!(rows.iter().map(|r| r.draft.is_ok()).collect::<Vec<_>>(), [true, false, true]);
        let problem = &rows[1].draft.as_ref().unwrap_err()[0];
        assert_eq!(problem.to_string(), "line 2: is longer than 1024 KiB");
        assert_eq!(rows[2].line, 3);
    }

    #[test]
    fn an_open_quote_costs_the_rest_of_the_file_and_says_where() {
        let rows = read(RowFormat::Csv, b"\xef\xbb\xbfsku,name\na,n\nb,\"n\nc,n\n").unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            rows[1].draft.as_ref().unwrap_err()[0].to_string(),
            "line 3: has a quote that is never closed"
        );
    }

    #[test]
    fn a_file_of_another_kind_is_refused_in_a_sentence() {
        let refused = |text: &[u8]| read(RowFormat::Csv, text).unwrap_err().to_string();
        assert_eq!(refused(b""), "the file is empty");
        assert_eq!(refused(b"\xff\xfes\0"), "the file is UTF-16; save it as UTF-8");
        assert!(refused(b"\x1f\x8b\x08").starts_with("the file is compressed"));
        assert_eq!(refused(b"\"sku,name"), "the header does not end; a quote is open");
    }
}
