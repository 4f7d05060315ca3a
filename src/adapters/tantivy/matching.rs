//! From posting lists to matching products with their scores, one segment at a time.
//!
//! A word's lists are read into an array by product, keeping the best, and words are folded
//! together one by one from the rarest on; so a beginning with hundreds of lists costs what its
//! postings cost. The arrays belong to the thread and are used again.

use super::{
    error::Failure,
    plan::{List, Source, Word},
    view::Segment,
};
use std::cell::RefCell;
use tantivy::{DocId, TERMINATED, postings::BlockSegmentPostings, schema::IndexRecordOption};

/// Reading on is cheaper than seeking until a list is so many times longer than what is left.
const SEEK_FROM: u64 = 24;

#[derive(Default)]
struct Scratch {
    /// By product: the word's best score; 0 between words.
    best: Vec<f32>,
    /// Those of `best` that are not 0.
    touched: Vec<DocId>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The products that hold all words but the fillers, by number, with their scores. Deleted ones
/// are among them.
pub(super) fn all_words(
    segment: &Segment,
    number: usize,
    words: &[Word],
) -> Result<Vec<(DocId, f32)>, Failure> {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.fit(segment.rows.hot.len());
        let mut order: Vec<&Word> = words.iter().collect();
        order.sort_by_key(|word| (word.filler, word.documents));
        let mut matches: Option<Vec<(DocId, f32)>> = None;
        for word in order {
            let lists = &word.lists[number];
            scratch.read(segment, lists, matches.as_deref())?;
            let Some(matches) = &mut matches else {
                matches = Some(scratch.take_sorted());
                continue;
            };
            if word.filler {
                matches.iter_mut().for_each(|(doc, score)| *score += scratch.best[*doc as usize]);
            } else {
                matches.retain_mut(|(doc, score)| {
                    let here = scratch.best[*doc as usize];
                    *score += here;
                    here > 0.0
                });
            }
            scratch.clear();
            if matches.is_empty() {
                break;
            }
        }
        Ok(matches.unwrap_or_default())
    })
}

/// The products that hold at least `least` of the words (fillers don't count), likewise.
pub(super) fn most_words(
    segment: &Segment,
    number: usize,
    words: &[Word],
    least: usize,
) -> Result<Vec<(DocId, f32)>, Failure> {
    SCRATCH.with_borrow_mut(|scratch| {
        let rows = segment.rows.hot.len();
        scratch.fit(rows);
        let mut found: Vec<(u8, f32)> = vec![(0, 0.0); rows];
        for word in words.iter().filter(|word| !word.filler) {
            scratch.read(segment, &word.lists[number], None)?;
            for doc in &scratch.touched {
                let (count, score) = &mut found[*doc as usize];
                *count += 1;
                *score += scratch.best[*doc as usize];
            }
            scratch.clear();
        }
        let enough = |(doc, (count, score)): (DocId, (u8, f32))| {
            (usize::from(count) >= least).then(|| (doc, score * f32::from(count)))
        };
        Ok((0..).zip(found).filter_map(enough).collect())
    })
}

/// Calls `found` with every product that a word's lists hold, with some more than once. Deleted
/// ones are among them.
pub(super) fn each(
    segment: &Segment,
    lists: &[List],
    mut found: impl FnMut(DocId),
) -> Result<(), Failure> {
    open(segment, lists, |postings, scores| {
        read_all(postings, scores, |doc, score| {
            if score > 0.0 {
                found(doc);
            }
        });
    })
}

/// Opens a word's lists one after the other.
fn open(
    segment: &Segment,
    lists: &[List],
    mut with: impl FnMut(&mut BlockSegmentPostings, &[f32; 6]),
) -> Result<(), Failure> {
    let mut open: [Option<BlockSegmentPostings>; 2] = [None, None];
    for list in lists {
        let (index, open) = match list.source {
            Source::Words => (&segment.words, &mut open[0]),
            Source::Starts => (&segment.starts, &mut open[1]),
        };
        let postings = match open {
            Some(postings) => {
                index.reset_block_postings_from_terminfo(&list.info, postings)?;
                postings
            }
            None => open.insert(
                index
                    .read_block_postings_from_terminfo(&list.info, IndexRecordOption::WithFreqs)?,
            ),
        };
        with(postings, &list.scores);
    }
    Ok(())
}

fn read_all(
    postings: &mut BlockSegmentPostings,
    scores: &[f32; 6],
    mut found: impl FnMut(DocId, f32),
) {
    loop {
        let docs = postings.docs();
        if docs.is_empty() {
            return;
        }
        for (doc, weight) in docs.iter().zip(postings.freqs()) {
            found(*doc, scores[(*weight as usize).min(5)]);
        }
        postings.advance();
    }
}

impl Scratch {
    fn fit(&mut self, rows: usize) {
        // What a panic or an error left behind must not reach the next question.
        self.clear();
        if self.best.len() < rows {
            self.best.resize(rows, 0.0);
        }
    }

    /// Reads a word's lists; with `only` at least for those.
    fn read(
        &mut self,
        segment: &Segment,
        lists: &[List],
        only: Option<&[(DocId, f32)]>,
    ) -> Result<(), Failure> {
        let total: u64 = lists.iter().map(|list| u64::from(list.info.doc_freq)).sum();
        let seek = only.filter(|only| only.len() as u64 * lists.len() as u64 * SEEK_FROM < total);
        open(segment, lists, |postings, scores| match seek {
            Some(only) => self.pick(postings, scores, only),
            None => read_all(postings, scores, |doc, score| self.note(doc, score)),
        })
    }

    fn pick(
        &mut self,
        postings: &mut BlockSegmentPostings,
        scores: &[f32; 6],
        only: &[(DocId, f32)],
    ) {
        for (doc, _) in only {
            let at = postings.seek(*doc);
            match postings.doc(at) {
                TERMINATED => return,
                found if found == *doc => {
                    self.note(*doc, scores[(postings.freq(at) as usize).min(5)]);
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, doc: DocId, score: f32) {
        if score == 0.0 {
            return;
        }
        let best = &mut self.best[doc as usize];
        if *best == 0.0 {
            self.touched.push(doc);
        }
        *best = best.max(score);
    }

    fn take_sorted(&mut self) -> Vec<(DocId, f32)> {
        // One list comes in order already, which the sort notices.
        self.touched.sort_unstable();
        let found = self.touched.iter().map(|doc| (*doc, self.best[*doc as usize])).collect();
        self.clear();
        found
    }

    fn clear(&mut self) {
        for doc in self.touched.drain(..) {
            self.best[doc as usize] = 0.0;
        }
    }
}
