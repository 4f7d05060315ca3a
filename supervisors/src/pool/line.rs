//! The order in which a pool's jobs are done.
//!
//! Promise: jobs of one key are done one after the other, in the order they
//! came, however many workers there are; keys take turns, so a busy one does
//! not starve the others. Jobs without a key are done in the order they came.
//! Every operation takes constant time.

use std::collections::{HashMap, VecDeque};

enum Ready<J> {
    Loose(J),
    Lane(u64),
}

pub(crate) struct Line<J> {
    ready: VecDeque<Ready<J>>,
    /// A key has a lane while it waits its turn or one of its jobs is in hand.
    lanes: HashMap<u64, VecDeque<J>>,
    depth: usize,
}

/// A job that leaves the line; its key is busy until [`Line::done`].
pub(crate) struct Taken<J> {
    pub(crate) job: J,
    pub(crate) key: Option<u64>,
}

impl<J> Default for Line<J> {
    fn default() -> Self {
        Self { ready: VecDeque::new(), lanes: HashMap::new(), depth: 0 }
    }
}

impl<J> Line<J> {
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether a worker could take a job now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The job that is taken next.
    pub(crate) fn first(&self) -> Option<&J> {
        match self.ready.front()? {
            Ready::Loose(job) => Some(job),
            Ready::Lane(key) => self.lanes.get(key)?.front(),
        }
    }

    pub(crate) fn push(&mut self, key: Option<u64>, job: J) {
        self.depth += 1;
        let Some(key) = key else {
            self.ready.push_back(Ready::Loose(job));
            return;
        };
        let ready = &mut self.ready;
        let lane = self.lanes.entry(key).or_insert_with(|| {
            ready.push_back(Ready::Lane(key));
            VecDeque::new()
        });
        lane.push_back(job);
    }

    pub(crate) fn take(&mut self) -> Option<Taken<J>> {
        loop {
            let (job, key) = match self.ready.pop_front()? {
                Ready::Loose(job) => (Some(job), None),
                Ready::Lane(key) => {
                    let lane = self.lanes.get_mut(&key);
                    (lane.and_then(VecDeque::pop_front), Some(key))
                }
            };
            if let Some(job) = job {
                self.depth -= 1;
                return Some(Taken { job, key });
            }
        }
    }

    /// The job in hand for `key` is over, well or not: the next may go.
    pub(crate) fn done(&mut self, key: u64) {
        match self.lanes.get(&key) {
            Some(lane) if lane.is_empty() => {
                self.lanes.remove(&key);
            }
            Some(_) => self.ready.push_back(Ready::Lane(key)),
            None => {}
        }
    }

    /// Takes out everything that waits; keys in hand stay busy.
    pub(crate) fn clear(&mut self) -> Vec<J> {
        let mut left = Vec::with_capacity(self.depth);
        for ready in self.ready.drain(..) {
            match ready {
                Ready::Loose(job) => left.push(job),
                Ready::Lane(key) => left.extend(self.lanes.remove(&key).into_iter().flatten()),
            }
        }
        for lane in self.lanes.values_mut() {
            left.extend(lane.drain(..));
        }
        self.depth = 0;
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn keys_keep_their_order_and_are_never_in_two_hands(
            keys in proptest::collection::vec(proptest::option::of(0u64..4), 0..60),
            choices in proptest::collection::vec((0u8..3, any::<usize>()), 0..300),
        ) {
            let mut line = Line::default();
            let mut waiting = keys.iter().copied().enumerate();
            let mut in_hand: Vec<Taken<usize>> = Vec::new();
            let mut done: Vec<(usize, Option<u64>)> = Vec::new();
            let rest = std::iter::repeat_n([(0, 0), (1, 0), (2, 0)], 3 * keys.len()).flatten();
            for (action, which) in choices.into_iter().chain(rest) {
                match action {
                    0 => if let Some((job, key)) = waiting.next() {
                        line.push(key, job);
                    },
                    1 => if let Some(taken) = line.take() {
                        in_hand.push(taken);
                    },
                    _ => if !in_hand.is_empty() {
                        let over = in_hand.swap_remove(which % in_hand.len());
                        if let Some(key) = over.key {
                            line.done(key);
                        }
                        done.push((over.job, over.key));
                    },
                }
                let held: Vec<u64> = in_hand.iter().filter_map(|taken| taken.key).collect();
                prop_assert_eq!(held.iter().collect::<HashSet<_>>().len(), held.len());
            }
            prop_assert_eq!(done.len(), keys.len());
            prop_assert_eq!(line.depth(), 0);
            prop_assert!(line.lanes.is_empty(), "a lane is forgotten when it is empty");
            for key in 0..4 {
                let order: Vec<_> = done.iter().filter(|d| d.1 == Some(key)).map(|d| d.0).collect();
                prop_assert!(order.is_sorted());
            }
        }
    }
}
