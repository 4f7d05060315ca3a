//! Questions, from text to page.

use super::{
    collect::{Collector, Found},
    error::Failure,
    highlight::Highlighter,
    matching,
    plan::{Places, Planner, Word},
    rows::Cold,
    view::{Segment, View},
};
use crate::domain::{
    scope::Scope,
    search::{Hit, MOST_LIMIT, MOST_OFFSET, SearchPage, SearchQuery, Sort, Suggestions},
};
use std::sync::Arc;
use tantivy::{DocAddress, DocId, TantivyDocument, schema::Value};

/// By segment.
type Matches = Vec<Vec<(DocId, f32)>>;

/// What the text came to: these products, found by these words.
struct Meaning {
    words: Vec<Word>,
    matches: Matches,
    corrected: bool,
}

impl View {
    pub(super) fn search(&self, query: &SearchQuery) -> Result<SearchPage, Failure> {
        let query = &bounded(query);
        if has_no_words(query) {
            return self.browse(query);
        }
        let Meaning { words, matches, corrected } =
            self.understand(&query.scope, &query.text, Places::All)?;
        let keep = if query.limit == 0 { 0 } else { query.offset + query.limit };
        let mut collector = Collector::new(self, query, true, keep);
        for (number, matches) in matches.into_iter().enumerate() {
            collector.segment(number, matches.into_iter())?;
        }
        let total = collector.total;
        let (found, facets) = collector.finish();
        let (hits, facets) = (self.hits(&found, &words)?, Arc::new(facets));
        Ok(SearchPage { hits, total, facets, generation: self.generation, corrected })
    }

    /// See [`Search::ready`](crate::ports::search::Search::ready).
    pub(super) fn ready(&self, query: &SearchQuery) -> Option<SearchPage> {
        has_no_words(query).then(|| self.known(&bounded(query))).flatten()
    }

    pub(super) fn suggest(
        &self,
        scope: &Scope,
        typed: &str,
        limit: usize,
    ) -> Result<Suggestions, Failure> {
        let limit = limit.min(MOST_LIMIT);
        if typed.trim().is_empty() {
            return Ok(Suggestions::default());
        }
        let brands = self.brands.beginning(scope, typed, limit);
        if let [word] =
            Planner::new(self, &scope.locale, Places::NameAndSku).read(typed)?.as_slice()
        {
            let products = self.most_popular(scope, word, limit)?;
            if !products.is_empty() {
                return Ok(Suggestions { products, brands });
            }
        }
        let Meaning { matches, .. } = self.understand(scope, typed, Places::NameAndSku)?;
        let query =
            SearchQuery { sort: Sort::Popularity, limit, ..SearchQuery::everything(scope.clone()) };
        let mut collector = Collector::new(self, &query, false, limit);
        for (number, matches) in matches.into_iter().enumerate() {
            collector.segment(number, matches.into_iter())?;
        }
        let products = collector.finish().0.iter().map(|found| self.row(found).product()).collect();
        Ok(Suggestions { products, brands })
    }

    /// Reads the text more and more generously until some product of the scope matches: as
    /// typed, with near spellings of words nobody has, with near spellings of all, and last with
    /// most of the words. Filters play no part, so that they never change what the text means.
    fn understand(&self, scope: &Scope, text: &str, places: Places) -> Result<Meaning, Failure> {
        let planner = Planner::new(self, &scope.locale, places);
        let mut words = planner.read(text)?;
        let mut corrected = false;
        for word in &mut words {
            if word.documents == 0
                && let Some(wide) = planner.widen(word)?
            {
                *word = wide;
                corrected = true;
            }
        }
        let every_word = words.iter().all(|word| word.documents > 0 || word.filler);
        if every_word {
            let matches = self.matches(scope, |s, n| matching::all_words(s, n, &words))?;
            if any(&matches) {
                return Ok(Meaning { words, matches, corrected });
            }
            let mut wide = words.clone();
            let mut widened = false;
            for word in wide.iter_mut().filter(|word| !word.near && !word.filler) {
                if let Some(wider) = planner.widen(word)? {
                    *word = wider;
                    widened = true;
                }
            }
            if widened {
                let matches = self.matches(scope, |s, n| matching::all_words(s, n, &wide))?;
                if any(&matches) {
                    return Ok(Meaning { words: wide, matches, corrected: true });
                }
            }
        }
        let asked = words.iter().filter(|word| !word.filler).count();
        if asked > 1 && places == Places::All {
            let least = (asked - asked.div_ceil(3)).max(1);
            let matches = self.matches(scope, |s, n| matching::most_words(s, n, &words, least))?;
            let corrected = corrected && any(&matches);
            return Ok(Meaning { words, matches, corrected });
        }
        let matches = vec![Vec::new(); self.segments.len()];
        Ok(Meaning { words, matches, corrected: false })
    }

    fn matches(
        &self,
        scope: &Scope,
        in_segment: impl Fn(&Segment, usize) -> Result<Vec<(DocId, f32)>, Failure>,
    ) -> Result<Matches, Failure> {
        let of_segment = |(number, segment): (usize, &Segment)| {
            let Some(scope) = segment.rows.scope(scope) else { return Ok(Vec::new()) };
            let mut found = in_segment(segment, number)?;
            let rows = &segment.rows.hot;
            found.retain(|(doc, _)| rows[*doc as usize].scope == scope && segment.is_alive(*doc));
            Ok(found)
        };
        self.segments.iter().enumerate().map(of_segment).collect()
    }

    pub(super) fn row(&self, found: &Found) -> &Cold {
        &self.segments[found.segment].rows.cold[found.doc as usize]
    }

    fn hits(&self, found: &[Found], words: &[Word]) -> Result<Vec<Hit>, Failure> {
        let plain = |found: &Found| Hit {
            product: self.row(found).product(),
            name_matches: Vec::new(),
            snippet: None,
        };
        let shapes = words.iter().flat_map(|word| word.shapes.iter().cloned());
        let mut highlighter = Highlighter::new(shapes);
        let mut hits = Vec::with_capacity(found.len());
        for found in found {
            let segment = u32::try_from(found.segment).unwrap_or(u32::MAX);
            let stored: TantivyDocument = self.searcher.doc(DocAddress::new(segment, found.doc))?;
            let text = |field| stored.get_first(field).and_then(|value| value.as_str());
            hits.push(Hit {
                name_matches: text(self.fields.name)
                    .map(|name| highlighter.ranges(name))
                    .unwrap_or_default(),
                snippet: text(self.fields.description)
                    .and_then(|description| highlighter.snippet(description)),
                ..plain(found)
            });
        }
        Ok(hits)
    }
}

fn any(matches: &Matches) -> bool {
    matches.iter().any(|segment| !segment.is_empty())
}

fn has_no_words(query: &SearchQuery) -> bool {
    query.text.trim().is_empty()
}

/// With no more than may be asked for.
fn bounded(query: &SearchQuery) -> SearchQuery {
    SearchQuery {
        offset: query.offset.min(MOST_OFFSET),
        limit: query.limit.min(MOST_LIMIT),
        ..query.clone()
    }
}
