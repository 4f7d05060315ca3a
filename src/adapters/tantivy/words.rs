//! Text into words, the same way for documents, questions and highlights.
//!
//! Words are runs of letters and digits, lower-cased, accents folded to ASCII. What is written
//! together with a joining sign (`wi-fi`, `AT&T`, `men's`, `ABC-123`) is also one word without
//! the sign, so either spelling finds the other. Nothing is stemmed: beginnings and near
//! spellings are looked up in the dictionary, and stems would spoil both. Plurals are handled
//! where the question is read.

use std::ops::Range;
use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RawTokenizer, TextAnalyzer, Token, TokenStream, Tokenizer,
};

/// Longer words (bytes) are neither indexed nor looked for.
pub(super) const LONGEST_WORD: usize = 40;
/// Beginnings up to this many characters have posting lists of their own, as the dictionary
/// holds too many words behind them to read each word's list.
pub(super) const LONGEST_START: usize = 3;

const JOINING: &[&str] = &["-", "'", "’", "&", "/", "_"];

/// A piece of text as one word or as several joined ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Compound {
    pub(super) parts: Vec<String>,
    /// The parts without their joining signs; `None` for a plain word.
    pub(super) joined: Option<String>,
}

pub(super) struct Analyzer {
    /// Of the word at hand.
    folded: String,
    /// For words with other than ASCII characters.
    folding: TextAnalyzer,
}

impl Analyzer {
    pub(super) fn new() -> Self {
        let folding = TextAnalyzer::builder(RawTokenizer::default())
            .filter(LowerCaser)
            .filter(AsciiFoldingFilter)
            .build();
        Self { folded: String::new(), folding }
    }

    /// Calls `found` with each word's byte range in `text` and its folded form.
    ///
    /// Written by hand for plain ASCII, which most words are: marking the words of a page of
    /// hits is the greater part of a question's time.
    pub(super) fn words(&mut self, text: &str, mut found: impl FnMut(Range<usize>, &str)) {
        let mut chars = text.char_indices().peekable();
        while let Some((start, first)) = chars.next() {
            if !first.is_alphanumeric() {
                continue;
            }
            self.folded.clear();
            self.folded.push(first.to_ascii_lowercase());
            let mut ascii = first.is_ascii();
            while let Some((_, next)) = chars.next_if(|(_, next)| next.is_alphanumeric()) {
                self.folded.push(next.to_ascii_lowercase());
                ascii &= next.is_ascii();
            }
            let end = chars.peek().map_or(text.len(), |(at, _)| *at);
            if !ascii {
                self.fold(&text[start..end]);
            }
            if !self.folded.is_empty() && self.folded.len() <= LONGEST_WORD {
                found(start..end, &self.folded);
            }
        }
    }

    fn fold(&mut self, word: &str) {
        self.folded.clear();
        let mut stream = self.folding.token_stream(word);
        while stream.advance() {
            self.folded.push_str(&stream.token().text);
        }
    }

    /// Calls `found` with each word, joined forms included.
    pub(super) fn words_and_joined(&mut self, text: &str, mut found: impl FnMut(&str)) {
        let mut last_end = None;
        let mut joined = String::new();
        let mut parts = 0;
        self.words(text, |range, word| {
            let continues = last_end.is_some_and(|end: usize| joins(text, end..range.start));
            if !continues {
                if parts > 1 && joined.len() <= LONGEST_WORD {
                    found(&joined);
                }
                joined.clear();
                parts = 0;
            }
            joined.push_str(word);
            parts += 1;
            last_end = Some(range.end);
            found(word);
        });
        if parts > 1 && joined.len() <= LONGEST_WORD {
            found(&joined);
        }
    }

    /// The first `most` words of a question, those joined by a sign kept together.
    pub(super) fn compounds(&mut self, text: &str, most: usize) -> Vec<Compound> {
        let mut found: Vec<Compound> = Vec::new();
        let mut last_end = None;
        let mut count = 0;
        self.words(text, |range, word| {
            count += 1;
            if count > most {
                return;
            }
            let continues = last_end.is_some_and(|end: usize| joins(text, end..range.start));
            last_end = Some(range.end);
            match found.last_mut().filter(|_| continues) {
                Some(compound) => compound.parts.push(word.to_owned()),
                None => found.push(Compound { parts: vec![word.to_owned()], joined: None }),
            }
        });
        for compound in &mut found {
            let joined = compound.parts.concat();
            if compound.parts.len() > 1 && joined.len() <= LONGEST_WORD {
                compound.joined = Some(joined);
            }
        }
        found
    }
}

fn joins(text: &str, between: Range<usize>) -> bool {
    text.get(between).is_some_and(|gap| JOINING.contains(&gap))
}

/// The first one, two … characters of a word.
pub(super) fn starts(word: &str) -> impl Iterator<Item = &str> {
    word.char_indices().take(LONGEST_START).map(|(at, c)| &word[..at + c.len_utf8()])
}

/// Writes a word and its weight the way [`Weighted`] reads it.
pub(super) fn push_weighted(text: &mut String, word: &str, weight: u8) {
    text.push(char::from(b'0' + weight));
    text.push_str(word);
    text.push(' ');
}

/// A tokenizer for text made by [`push_weighted`]: gives each word as often as it weighs, so that
/// the term frequency in the posting list *is* the weight and one list serves all fields.
#[derive(Clone, Default)]
pub(super) struct Weighted {
    token: Token,
}

impl Weighted {
    pub(super) const NAME: &'static str = "weighted";
}

impl Tokenizer for Weighted {
    type TokenStream<'a> = WeightedStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WeightedStream<'a> {
        self.token.reset();
        WeightedStream { rest: text, again: 0, token: &mut self.token }
    }
}

pub(super) struct WeightedStream<'a> {
    rest: &'a str,
    again: u8,
    token: &'a mut Token,
}

impl TokenStream for WeightedStream<'_> {
    fn advance(&mut self) -> bool {
        self.token.position = self.token.position.wrapping_add(1);
        if self.again > 0 {
            self.again -= 1;
            return true;
        }
        let Some((entry, rest)) = self.rest.split_once(' ') else { return false };
        let Some((weight, word)) = entry.split_at_checked(1) else { return false };
        self.rest = rest;
        self.again = weight.as_bytes()[0].saturating_sub(b'1');
        self.token.text.clear();
        self.token.text.push_str(word);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        Analyzer::new().words_and_joined(text, |w| words.push(w.to_owned()));
        words
    }

    #[test]
    fn words_are_folded_and_joined_spellings_added() {
        assert_eq!(all("Café 4.5\" Straße"), ["cafe", "4", "5", "strasse"]);
        assert_eq!(all("Wi-Fi, AT&T"), ["wi", "fi", "wifi", "at", "t", "att"]);
        assert_eq!(all("a-b-c d"), ["a", "b", "c", "abc", "d"]);
        assert_eq!(all("one - two"), ["one", "two"]);
    }

    #[test]
    fn a_question_keeps_joined_words_together() {
        let read = Analyzer::new().compounds("usb-c cable", 9);
        assert_eq!(read[0].joined.as_deref(), Some("usbc"));
        assert_eq!(read[1], Compound { parts: vec!["cable".into()], joined: None });
        assert_eq!(Analyzer::new().compounds("a b c d", 2).len(), 2);
    }

    proptest! {
        #[test]
        fn ranges_of_words_lie_on_characters_of_any_text(text in "\\PC{0,60}") {
            Analyzer::new().words(&text, |range, word| {
                assert!(text.get(range).is_some());
                assert!(!word.contains(' '));
            });
        }

        #[test]
        fn a_weighted_word_is_counted_by_its_weight(
            words in proptest::collection::vec(("[a-zé0-9]{1,8}", 1u8..=5), 0..20)
        ) {
            let mut text = String::new();
            for (word, weight) in &words {
                push_weighted(&mut text, word, *weight);
            }
            let mut seen = Vec::new();
            let mut tokenizer = Weighted::default();
            let mut stream = tokenizer.token_stream(&text);
            while stream.advance() {
                seen.push(stream.token().text.clone());
            }
            let expected: Vec<String> = words
                .iter()
                .flat_map(|(w, n)| std::iter::repeat_n(w.clone(), usize::from(*n)))
                .collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
