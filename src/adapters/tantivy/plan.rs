//! A question's text, looked up in the dictionaries: for each word the posting lists to read.
//!
//! A word is found as typed or, in English, in its other number (`phones`, `phone`); the last
//! one also as a beginning. Only when a word has no list at all, or no product holds all words,
//! are near spellings looked for: one change from four letters on, two from eight, a swap of
//! neighbours being one; never for words with digits. What is looked up is bounded by
//! [`MOST_WORDS`], [`MOST_NEAR`] and the longest word, whatever the text.

use super::{
    error::Failure,
    schema::{Fields, weight},
    view::View,
    words::{Analyzer, LONGEST_START, LONGEST_WORD},
};
use crate::domain::scope::Locale;
use std::collections::{HashMap, HashSet};
use tantivy::{Term, postings::TermInfo, query::FuzzyTermQuery};

/// Of a question's words the first so many are looked for.
pub(super) const MOST_WORDS: usize = 16;
/// Characters of a question that are read at all.
pub(super) const LONGEST_TEXT: usize = 400;
/// The near spellings of a word that are looked for: those in most products.
const MOST_NEAR: usize = 12;

/// Worth of a match by the weight of the posting (see [`weight`]); index 0 is unused.
const WORTH: [f32; 6] = [0.0, 1.0, 1.8, 2.6, 4.0, 6.0];
const OTHER_NUMBER: f32 = 0.95;
/// A beginning in the name is worth more than a whole word in the description.
const BEGINNING: f32 = 0.6;
/// Below any match of the word as typed: `NEAR` times the highest worth is under the lowest.
const NEAR: [f32; 3] = [1.0, 0.15, 0.08];

/// English words that help the order but are not asked for.
const FILLERS: &[&str] =
    &["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"];

/// Which dictionary a list is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Words,
    Starts,
}

/// One posting list of one segment.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) source: Source,
    pub(super) info: TermInfo,
    /// Score by posting weight; 0 where this list must not match.
    pub(super) scores: [f32; 6],
}

/// How highlights recognise a word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    Whole(String),
    Beginning(String),
}

impl Shape {
    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Self::Whole(text) => word == text,
            Self::Beginning(text) => word.starts_with(text.as_str()),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Word {
    text: String,
    last: bool,
    pub(super) filler: bool,
    /// By segment.
    pub(super) lists: Vec<Vec<List>>,
    pub(super) shapes: Vec<Shape>,
    /// Whether near spellings were taken.
    pub(super) near: bool,
    /// Of all lists.
    pub(super) documents: u64,
}

/// Which places of a product count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Places {
    All,
    /// For suggestions.
    NameAndSku,
}

impl Places {
    fn least(self) -> u8 {
        match self {
            Self::All => weight::DESCRIPTION,
            Self::NameAndSku => weight::NAME,
        }
    }
}

pub(super) struct Planner<'a> {
    view: &'a View,
    fields: &'a Fields,
    english: bool,
    places: Places,
}

impl<'a> Planner<'a> {
    pub(super) fn new(view: &'a View, locale: &Locale, places: Places) -> Self {
        let language = locale.0.split(['-', '_']).next().unwrap_or_default();
        let english = language.eq_ignore_ascii_case("en");
        Self { view, fields: &view.fields, english, places }
    }

    /// The words as typed. Empty for a text without any.
    pub(super) fn read(&self, text: &str) -> Result<Vec<Word>, Failure> {
        let text = super::schema::cut(text, LONGEST_TEXT);
        let compounds = Analyzer::new().compounds(text, MOST_WORDS);
        let mut words: Vec<Word> = Vec::new();
        let mut seen = HashSet::new();
        let last_compound = compounds.len().saturating_sub(1);
        for (at, compound) in compounds.into_iter().enumerate() {
            let last = at == last_compound;
            if let Some(joined) = &compound.joined {
                let word = self.word(joined, last)?;
                if word.documents > 0 {
                    words.push(word);
                    continue;
                }
            }
            let last_part = compound.parts.len() - 1;
            for (part, text) in compound.parts.iter().enumerate() {
                let last = last && part == last_part;
                if seen.insert(text.clone()) || last {
                    words.push(self.word(text, last)?);
                }
            }
        }
        if words.iter().all(|word| word.filler) {
            words.iter_mut().for_each(|word| word.filler = false);
        }
        Ok(words)
    }

    fn word(&self, text: &str, last: bool) -> Result<Word, Failure> {
        let mut word = Word {
            text: text.to_owned(),
            last,
            filler: self.english && FILLERS.contains(&text),
            lists: vec![Vec::new(); self.view.segments.len()],
            shapes: vec![Shape::Whole(text.to_owned())],
            near: false,
            documents: 0,
        };
        self.add_whole(&mut word, text, 1.0)?;
        if self.english && !has_digit(text) {
            for other in other_number(text) {
                if self.add_whole(&mut word, &other, OTHER_NUMBER)? {
                    word.shapes.push(Shape::Whole(other));
                }
            }
        }
        if last {
            self.add_beginning(&mut word, text)?;
            word.shapes.push(Shape::Beginning(text.to_owned()));
        }
        self.weigh(&mut word);
        Ok(word)
    }

    /// The same word with its near spellings, when it may have any and some are found.
    pub(super) fn widen(&self, word: &Word) -> Result<Option<Word>, Failure> {
        let letters = word.text.chars().count();
        let most = match letters {
            _ if has_digit(&word.text) => 0,
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        };
        for distance in 1..=most {
            let mut near = self.near(&word.text, distance, false)?;
            if near.is_empty() && word.last {
                near = self.near(&word.text, distance, true)?;
            }
            if near.is_empty() {
                continue;
            }
            let mut wide = Word { near: true, ..word.clone() };
            let commonest = near.first().map_or(1, |(_, documents)| *documents);
            for (text, documents) in near {
                // Rarer spellings are more often a chance neighbour than what was meant.
                #[expect(clippy::cast_precision_loss, reason = "a share for a score")]
                let share = 0.5 + 0.5 * (documents as f32 / commonest as f32);
                self.add_whole(&mut wide, &text, NEAR[usize::from(distance)] * share)?;
                wide.shapes.push(Shape::Whole(text));
            }
            self.weigh(&mut wide);
            return Ok(Some(wide));
        }
        Ok(None)
    }

    /// Dictionary words within `distance` of `text` and how many products hold them, most first.
    fn near(
        &self,
        text: &str,
        distance: u8,
        beginning: bool,
    ) -> Result<Vec<(String, u64)>, Failure> {
        let term = Term::from_field_text(self.fields.words, text);
        let query = if beginning {
            FuzzyTermQuery::new_prefix(term, distance, true)
        } else {
            FuzzyTermQuery::new(term, distance, true)
        };
        let mut found: HashMap<String, u64> = HashMap::new();
        for segment in &self.view.segments {
            let dictionary = segment.words.terms();
            let mut terms = dictionary.search(query.automaton()?).into_stream()?;
            while let Some((term, info)) = terms.next() {
                let Ok(term) = std::str::from_utf8(term) else { continue };
                if term != text && !has_digit(term) {
                    *found.entry(term.to_owned()).or_default() += u64::from(info.doc_freq);
                }
            }
        }
        let mut found: Vec<(String, u64)> = found.into_iter().collect();
        found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        found.truncate(MOST_NEAR);
        Ok(found)
    }

    fn add_whole(&self, word: &mut Word, text: &str, worth: f32) -> Result<bool, Failure> {
        self.add(word, Source::Words, text, scores(worth, self.places.least()))
    }

    fn add(
        &self,
        word: &mut Word,
        source: Source,
        text: &str,
        scores: [f32; 6],
    ) -> Result<bool, Failure> {
        let mut found = false;
        for (segment, lists) in self.view.segments.iter().zip(&mut word.lists) {
            let index = match source {
                Source::Words => &segment.words,
                Source::Starts => &segment.starts,
            };
            if let Some(info) = index.terms().get(text)? {
                word.documents += u64::from(info.doc_freq);
                lists.push(List { source, info, scores });
                found = true;
            }
        }
        Ok(found)
    }

    /// Beginnings count in every place but the description, where they would be chance.
    fn add_beginning(&self, word: &mut Word, text: &str) -> Result<(), Failure> {
        let least = self.places.least().max(weight::ATTRIBUTE);
        let scores = scores(BEGINNING, least);
        if text.chars().count() <= LONGEST_START {
            self.add(word, Source::Starts, text, scores)?;
            return Ok(());
        }
        for (segment, lists) in self.view.segments.iter().zip(&mut word.lists) {
            let mut terms = segment.words.terms().range().gt(text).into_stream()?;
            while let Some((term, info)) = terms.next() {
                if !term.starts_with(text.as_bytes()) {
                    break;
                }
                word.documents += u64::from(info.doc_freq);
                lists.push(List { source: Source::Words, info: info.clone(), scores });
            }
        }
        Ok(())
    }

    /// Multiplies by how telling the word is: one in few products says more.
    #[expect(clippy::cast_precision_loss, reason = "a logarithm for a score")]
    fn weigh(&self, word: &mut Word) {
        let all = self.view.count as f32;
        let holding = (word.documents as f32).min(all);
        let telling = (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln().max(0.05);
        for list in word.lists.iter_mut().flatten() {
            for score in &mut list.scores {
                *score *= telling;
            }
        }
    }
}

fn scores(worth: f32, least: u8) -> [f32; 6] {
    let mut scores = WORTH.map(|place| place * worth);
    scores[..usize::from(least)].fill(0.0);
    scores
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
}

/// What an English word may be in the other number; only what the dictionary holds is used.
fn other_number(word: &str) -> Vec<String> {
    if word.len() < 3 || word.len() >= LONGEST_WORD - 2 || !word.is_ascii() {
        return Vec::new();
    }
    if let Some(stem) = word.strip_suffix("ies") {
        return vec![format!("{stem}y"), format!("{stem}ie")];
    }
    if word.ends_with("ss") {
        return vec![format!("{word}es")];
    }
    if let Some(stem) = word.strip_suffix('s') {
        let mut others = vec![stem.to_owned()];
        others.extend(stem.strip_suffix('e').map(str::to_owned));
        return others;
    }
    let mut others = vec![format!("{word}s"), format!("{word}es")];
    others.extend(word.strip_suffix('y').map(|stem| format!("{stem}ies")));
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_spelling_is_always_worth_less_than_the_word_itself() {
        let lowest = scores(1.0, weight::DESCRIPTION)[usize::from(weight::DESCRIPTION)];
        for distance in 1..NEAR.len() {
            assert!(NEAR[distance] < NEAR[distance - 1]);
            let near = scores(NEAR[distance], weight::DESCRIPTION);
            assert!(near.iter().all(|score| *score < lowest));
        }
    }

    #[test]
    fn english_words_are_found_in_both_numbers() {
        assert!(other_number("phones").contains(&"phone".into()));
        assert!(other_number("phone").contains(&"phones".into()));
        assert!(other_number("batteries").contains(&"battery".into()));
        assert!(other_number("battery").contains(&"batteries".into()));
        assert!(other_number("boxes").contains(&"box".into()));
        assert_eq!(other_number("glass"), ["glasses"]);
    }
}
