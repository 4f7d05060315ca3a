//! Webhooks that were not taken yet, in the order in which they are due.

use crate::domain::{payment::ProviderRecord, time::Micros};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Outbox {
    letters: HashMap<Uuid, Letter>,
    order: BTreeSet<(Micros, Uuid)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) record: ProviderRecord,
    pub(super) at: Micros,
    due: Micros,
    /// How many are sent at one instant.
    pub(super) copies: usize,
    /// How often it was not taken.
    pub(super) tries: u32,
}

impl Outbox {
    pub(super) fn put(
        &mut self,
        event: Uuid,
        record: ProviderRecord,
        at: Micros,
        due: Micros,
        copies: usize,
    ) {
        self.letters.insert(event, Letter { record, at, due, copies, tries: 0 });
        self.order.insert((due, event));
    }

    pub(super) fn remove(&mut self, event: Uuid) {
        if let Some(letter) = self.letters.remove(&event) {
            self.order.remove(&(letter.due, event));
        }
    }

    /// The first `most` that are due; they stay.
    pub(super) fn due(&self, now: Micros, most: usize) -> Vec<(Uuid, Letter)> {
        let due = self.order.iter().take_while(|(due, _)| *due <= now).take(most);
        due.filter_map(|(_, event)| Some((*event, self.letters.get(event)?.clone()))).collect()
    }

    pub(super) fn next_due(&self) -> Option<Micros> {
        self.order.first().map(|(due, _)| *due)
    }

    /// Counts a try that was not taken.
    pub(super) fn again_at(&mut self, event: Uuid, due: Micros) {
        if let Some(letter) = self.letters.get_mut(&event) {
            letter.tries += 1;
            self.order.remove(&(letter.due, event));
            letter.due = due;
            self.order.insert((due, event));
        }
    }

    /// Makes due what waits of this intent. Looks at all there is: for a card that wants it.
    pub(super) fn release(&mut self, record: &ProviderRecord, now: Micros) {
        for (event, letter) in &mut self.letters {
            if letter.record.intent == record.intent && letter.due > now {
                self.order.remove(&(letter.due, *event));
                letter.due = now;
                self.order.insert((now, *event));
            }
        }
    }
}
