//! Rows in COPY's text format (PostgreSQL manual, COPY, "Text Format").

use serde::Serialize;
use std::fmt::{Display, Write};

/// Bytes that are sent at once: what is made beyond it would only wait.
const PIECE: usize = 64 * 1024;

/// Lines under construction: a tab between fields, a line feed behind each row.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    begun: bool,
}

impl Lines {
    pub(super) fn text(&mut self, field: &str) -> &mut Self {
        self.begin();
        escape(&mut self.text, field);
        self
    }

    pub(super) fn maybe(&mut self, field: Option<&str>) -> &mut Self {
        match field {
            Some(field) => self.text(field),
            None => self.null(),
        }
    }

    /// A value whose text needs no escape: a number, a UUID.
    pub(super) fn plain(&mut self, field: impl Display) -> &mut Self {
        self.begin();
        // Writing into a String can't fail.
        let _ = write!(self.text, "{field}");
        self
    }

    pub(super) fn maybe_plain(&mut self, field: Option<impl Display>) -> &mut Self {
        match field {
            Some(field) => self.plain(field),
            None => self.null(),
        }
    }

    pub(super) fn json(&mut self, field: &impl Serialize) -> &mut Self {
        // Maps of strings always have a JSON.
        self.text(&serde_json::to_string(field).unwrap_or_default())
    }

    pub(super) fn bytes(&mut self, field: &[u8]) -> &mut Self {
        self.begin();
        self.text.push_str("\\\\x");
        for byte in field {
            let _ = write!(self.text, "{byte:02x}");
        }
        self
    }

    pub(super) fn end(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }

    /// Whole lines, once there are enough of them to be sent.
    pub(super) fn full_piece(&mut self) -> Option<bytes::Bytes> {
        if self.begun || self.text.len() < PIECE {
            return None;
        }
        Some(std::mem::replace(&mut self.text, String::with_capacity(PIECE * 5 / 4)).into())
    }

    pub(super) fn into_bytes(self) -> bytes::Bytes {
        self.text.into()
    }

    fn null(&mut self) -> &mut Self {
        self.begin();
        self.text.push_str("\\N");
        self
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.text.push('\t');
        }
    }
}

fn escape(out: &mut String, field: &str) {
    let mut rest = field;
    while let Some(at) = rest.find(['\\', '\t', '\n', '\r']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\\' => "\\\\",
            b'\t' => "\\t",
            b'\n' => "\\n",
            _ => "\\r",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_escaped_and_parted() {
        let mut lines = Lines::default();
        lines.text("a\tb\\N\r\n").maybe(None).plain(-7).maybe_plain(None::<i64>).bytes(&[0, 255]);
        lines.end();
        lines.text("").json(&["\"\n"]).end();
        let text = String::from_utf8(lines.into_bytes().to_vec()).unwrap();
        let wanted =
            concat!("a\\tb\\\\N\\r\\n\t\\N\t-7\t\\N\t\\\\x00ff\n", "\t[\"\\\\\"\\\\n\"]\n");
        assert_eq!(text, wanted);
    }
}
