//! In what order the jobs of a queue are handed out, where they are of several topics.

use super::Rate;
use crate::domain::{id::JobId, time::Micros};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// A weight is from 1 to this.
pub const MOST_WEIGHT: u32 = 1_000;
/// A job in hand of a topic whose weight is 1 counts so much.
const ONE: u64 = MOST_WEIGHT as u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By priority and time, whatever the topic.
    #[default]
    Strict,
    /// To whichever topic has the fewest in hand for its weight.
    Weighted,
    /// The same, and all weigh the same.
    Fair,
}

impl Mode {
    pub const NAMES: &'static [&'static str] = &["strict", "weighted", "fair"];

    /// As it stands in a row, in the command line and in the API.
    pub fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Strict, Self::Weighted, Self::Fair].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// What an operator wants of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    pub mode: Mode,
    /// By topic; of those left out it is 1.
    pub weights: BTreeMap<String, u32>,
}

impl Sharing {
    /// As its row has it, the weights as JSON.
    pub fn of_row(mode: &str, weights: &str) -> Option<Self> {
        Some(Self { mode: Mode::parse(mode)?, weights: serde_json::from_str(weights).ok()? })
    }

    /// The weights, as they stand in a row.
    pub fn weights_row(&self) -> String {
        serde_json::json!(self.weights).to_string()
    }

    fn weight(&self, topic: &str) -> u64 {
        match self.mode {
            Mode::Strict | Mode::Fair => 1,
            Mode::Weighted => self.weights.get(topic).map_or(1, |weight| u64::from(*weight)),
        }
    }
}

/// One that may be handed out, of those at the head of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub id: JobId,
    pub topic: String,
    pub rank_at: Micros,
}

/// A topic's rate, and up to when it is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    pub rate: Rate,
    pub spent_to: Micros,
}

/// All that decides about who is next.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    pub sharing: Sharing,
    /// By topic: how many are in hand, wherever.
    pub in_hand: HashMap<String, u64>,
    /// Topics with a rate.
    pub rates: HashMap<String, Spent>,
}

impl Shares {
    /// Up to `most` of these, in the order in which they are to be done.
    pub fn pick(&self, heads: Vec<Head>, now: Micros, most: usize) -> Vec<JobId> {
        let mut heads = heads;
        heads.sort_by_key(|head| (head.rank_at, head.id));
        let (mut taken, mut ordered) = (HashMap::<String, u32>::new(), Vec::new());
        for head in heads {
            let before = taken.entry(head.topic.clone()).or_default();
            let allowed = self.rates.get(&head.topic).map(|it| it.rate.allows(it.spent_to, now));
            if allowed.is_some_and(|allowed| *before >= allowed) {
                continue;
            }
            let in_hand = self.in_hand.get(&head.topic).copied().unwrap_or_default();
            let load = in_hand + u64::from(*before);
            *before += 1;
            let turn = match self.sharing.mode {
                Mode::Strict => 0,
                Mode::Weighted | Mode::Fair => load * ONE / self.sharing.weight(&head.topic),
            };
            ordered.push((turn, head.rank_at, head.id));
        }
        ordered.sort_unstable();
        ordered.into_iter().take(most).map(|(_, _, id)| id).collect()
    }

    /// Up to when the rates of these are spent, once so many of each were begun.
    pub fn spend<'a>(
        &'a self,
        begun: &'a HashMap<String, u32>,
        now: Micros,
    ) -> impl Iterator<Item = (&'a str, Micros)> {
        begun.iter().filter_map(move |(topic, jobs)| {
            let Spent { rate, spent_to } = self.rates.get(topic)?;
            Some((topic.as_str(), rate.spend(*spent_to, now, *jobs)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn heads(of: &[(&str, i64)]) -> Vec<Head> {
        let head = |(n, (topic, rank)): (usize, &(&str, i64))| Head {
            id: JobId(Uuid::from_u128(n as u128)),
            topic: (*topic).to_owned(),
            rank_at: Micros(*rank),
        };
        of.iter().enumerate().map(head).collect()
    }

    fn picked(shares: &Shares, of: &[(&str, i64)], most: usize) -> String {
        let ids = shares.pick(heads(of), Micros(0), most);
        ids.iter().map(|id| of[id.0.as_u128() as usize].0).collect()
    }

    fn shares(mode: Mode, weights: &[(&str, u32)]) -> Shares {
        let weights = weights.iter().map(|(topic, n)| ((*topic).to_owned(), *n)).collect();
        Shares { sharing: Sharing { mode, weights }, ..Shares::default() }
    }

    const MANY: &[(&str, i64)] =
        &[("a", 1), ("a", 2), ("a", 3), ("a", 4), ("b", 5), ("b", 6), ("c", 7), ("b", 0)];

    #[test]
    fn modes_are_read_back_from_their_rows() {
        for name in Mode::NAMES {
            assert_eq!(Mode::parse(name).unwrap().as_str(), *name);
        }
        assert_eq!(Mode::parse("any"), None);
        let weighted = shares(Mode::Weighted, &[("a", 3)]).sharing;
        let read = Sharing::of_row("weighted", &weighted.weights_row());
        assert_eq!(read, Some(weighted));
    }

    #[test]
    fn strict_goes_by_rank_alone() {
        assert_eq!(picked(&shares(Mode::Strict, &[("c", 9)]), MANY, 5), "baaaa");
    }

    #[test]
    fn fair_topics_take_turns_and_who_has_many_in_hand_waits() {
        let mut fair = shares(Mode::Fair, &[("a", 9)]);
        assert_eq!(picked(&fair, MANY, 8), "bacababa");
        fair.in_hand.insert("b".into(), 2);
        assert_eq!(picked(&fair, MANY, 3), "aca");
    }

    #[test]
    fn weights_are_shares_of_what_is_in_hand() {
        let weighted = shares(Mode::Weighted, &[("a", 3)]);
        let all: Vec<_> = (0..40).map(|n| (if n < 20 { "a" } else { "b" }, n)).collect();
        let first = picked(&weighted, &all, 16);
        assert_eq!(first.matches('a').count(), 12, "{first}");
    }

    #[test]
    fn a_topic_at_its_rate_lets_the_others_by() {
        let mut strict = shares(Mode::Strict, &[]);
        let rate = "2/s".parse().unwrap();
        strict.rates.insert("a".into(), Spent { rate, spent_to: Micros(0) });
        assert_eq!(picked(&strict, MANY, 9), "babbc");
        let begun = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 3)]);
        let spent: Vec<_> = strict.spend(&begun, Micros(0)).collect();
        assert_eq!(spent, [("a", Micros(500_000))]);
    }
}
