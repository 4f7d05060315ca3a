//! A mail in the form that travels (RFC 5322, MIME).

use crate::ports::mail::Letter;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, fmt::rfc2822, tz::TimeZone};

/// Characters of a line before its end (RFC 5322 §2.1.1).
const MOST_LINE: usize = 998;
/// Bytes of one encoded word's text: with what is around it, it fits into 75 characters.
const MOST_WORD: usize = 42;

/// Who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// As people read it; may be empty.
    pub name: String,
    /// `shop@example.com`.
    pub address: String,
}

impl Origin {
    /// `Name <shop@example.com>` or the address alone; the error is a sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        let strange = |c: char| c.is_control() || c.is_whitespace() || "<>,;:\\\"".contains(c);
        let fits = address.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        });
        if !fits || address.contains(strange) || name.contains(char::is_control) {
            return Err(format!("{text:?} is not an address such as Shop <shop@example.com>"));
        }
        Ok(Self { name: name.to_owned(), address: address.to_owned() })
    }

    /// What stands behind the `@`.
    pub fn host(&self) -> &str {
        self.address.rsplit_once('@').map_or("localhost", |(_, host)| host)
    }
}

/// The whole message, lines ended by CR LF. Made of the same mail it is the same.
pub fn compose(origin: &Origin, letter: &Letter) -> String {
    let date = Timestamp::from_microsecond(letter.created_at.0).unwrap_or_default();
    let date = rfc2822::DateTimePrinter::new()
        .zoned_to_string(&date.to_zoned(TimeZone::UTC))
        .unwrap_or_default();
    let from = match origin.name.as_str() {
        "" => format!("<{}>", origin.address),
        name => format!("{} <{}>", word(name, true), origin.address),
    };
    let head = [
        ("From", from),
        ("To", format!("<{}>", letter.recipient)),
        ("Subject", word(&letter.subject, false)),
        ("Date", date),
        ("Message-ID", format!("<{}@{}>", letter.id, origin.host())),
        // A machine's answer to it would go round in a ring (RFC 3834).
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("MIME-Version", "1.0".to_owned()),
    ];
    let mut message = String::with_capacity(letter.text.0.len() + 512);
    for (name, value) in head {
        // No value may begin a header of its own.
        let value: String = value.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    let Some(html) = &letter.html else {
        message.push_str(&part("plain", &letter.text.0));
        return message;
    };
    // A line that begins with two hyphens and this id is in no text of ours.
    let edge = format!("part-{}", letter.id);
    let text = part("plain", &letter.text.0);
    let html = part("html", &html.0);
    message.push_str(&format!(
        "Content-Type: multipart/alternative; boundary=\"{edge}\"\r\n\r\n\
         --{edge}\r\n{text}\r\n--{edge}\r\n{html}\r\n--{edge}--\r\n"
    ));
    message
}

/// A text with the headers that say what it is.
fn part(kind: &str, text: &str) -> String {
    // A CR by itself ends a line for some servers and none for others.
    let body = text.replace("\r\n", "\n").replace('\r', " ");
    let plain = body.is_ascii() && body.lines().all(|line| line.len() <= MOST_LINE);
    let (coding, body) = match plain {
        true => ("7bit", body.replace('\n', "\r\n")),
        false => ("base64", wrapped(&STANDARD.encode(body.replace('\n', "\r\n")))),
    };
    format!(
        "Content-Type: text/{kind}; charset=utf-8\r\n\
         Content-Transfer-Encoding: {coding}\r\n\r\n{body}"
    )
}

/// Text as a header may hold it: as it is, in quotes, or in encoded words (RFC 2047).
fn word(text: &str, quoted: bool) -> String {
    let special = |b: u8| !(b.is_ascii_alphanumeric() || b == b' ' || b == b'-' || b == b'.');
    if text.is_ascii() {
        return match quoted && text.bytes().any(special) {
            true => format!("\"{}\"", text.replace(['"', '\\'], "'")),
            false => text.to_owned(),
        };
    }
    let mut words = Vec::new();
    let mut part = String::new();
    for c in text.chars() {
        if part.len() + c.len_utf8() > MOST_WORD {
            words.push(std::mem::take(&mut part));
        }
        part.push(c);
    }
    words.push(part);
    let words = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join(" ")
}

fn wrapped(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 38);
    for line in text.as_bytes().chunks(76) {
        // Base64 is ASCII.
        lines.push_str(std::str::from_utf8(line).unwrap_or_default());
        lines.push_str("\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{id::MailId, time::Micros},
        ports::mail::MailBody,
    };
    use uuid::Uuid;

    fn mail(subject: &str, body: &str) -> Letter {
        Letter {
            id: MailId(Uuid::from_u128(7)),
            recipient: "ada@example.com".into(),
            subject: subject.into(),
            text: MailBody(body.into()),
            html: None,
            created_at: Micros(1_700_000_000_000_000),
        }
    }

    #[test]
    fn a_plain_mail_is_readable_as_it_is() {
        let origin = Origin::read("The \"Shop\", Ltd. <shop@example.com>").unwrap();
        let text = compose(&origin, &mail("Your account", "Hello,\n\nhere.\n"));
        assert_eq!(
            text,
            "From: \"The 'Shop', Ltd.\" <shop@example.com>\r\n\
             To: <ada@example.com>\r\n\
             Subject: Your account\r\n\
             Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\
             Message-ID: <00000000-0000-0000-0000-000000000007@example.com>\r\n\
             Auto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\
             Content-Transfer-Encoding: 7bit\r\n\r\n\
             Hello,\r\n\r\nhere.\r\n"
        );
    }

    #[test]
    fn what_is_not_ascii_is_encoded_and_no_line_is_too_long() {
        let origin = Origin::read("Lädchen <shop@example.com>").unwrap();
        let subject = "Ihr Konto bei „Lädchen für Ölkännchen und Äxte“ ist da";
        let text = compose(&origin, &mail(subject, &"Grüße ".repeat(500)));
        assert!(text.is_ascii());
        assert!(text.lines().all(|line| line.len() <= 200), "{text}");
        let coded = text.split("Subject: ").nth(1).unwrap().lines().next().unwrap();
        let words = coded.split(' ').map(|word| {
            let word = word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
            assert!(word.len() <= 63);
            String::from_utf8(STANDARD.decode(word).unwrap()).unwrap()
        });
        assert_eq!(words.collect::<String>(), subject);
    }

    #[test]
    fn one_for_pages_too_has_both_parts_and_the_text_first() {
        let origin = Origin::read("shop@example.com").unwrap();
        let html = Some(MailBody("<p>Grüße\n--part</p>".into()));
        let text = compose(&origin, &Letter { html, ..mail("Hi", "Hello.\n") });
        let edge = "part-00000000-0000-0000-0000-000000000007";
        assert!(text.contains(&format!("multipart/alternative; boundary=\"{edge}\"\r\n\r\n--")));
        let parts: Vec<_> = text.split(&format!("--{edge}")).collect();
        assert_eq!(parts.len(), 4, "{text}");
        assert!(parts[1].starts_with("\r\nContent-Type: text/plain; charset=utf-8\r\n"));
        assert!(parts[1].ends_with("\r\n\r\nHello.\r\n\r\n"), "{text}");
        let html = parts[2].split("\r\n\r\n").nth(1).unwrap().replace("\r\n", "");
        assert_eq!(STANDARD.decode(html).unwrap(), "<p>Grüße\r\n--part</p>".as_bytes());
        assert_eq!(parts[3], "--\r\n");
    }

    #[test]
    fn no_value_begins_a_header_of_its_own() {
        let origin = Origin::read("shop@example.com").unwrap();
        let text = compose(&origin, &mail("a\r\nBcc: x@example.com", "b"));
        assert!(!text.contains("\r\nBcc:"), "{text}");
        for bad in [
            "",
            "shop",
            "shop@",
            "a b@example.com",
            "x <shop@example.com>\r\nBcc: y@z",
            "<a@b>,<c@d>",
        ] {
            assert!(Origin::read(bad).is_err(), "{bad}");
        }
    }
}
