//! The writes of one commit, sorted out: which are made, which are answered from what was kept,
//! and what is kept of the made ones.
//!
//! Whichever database it is, an adapter asks once what is kept under [`Batch::names`], makes what
//! [`Batch::todo`] says, and keeps [`Batch::answers`] in the same transaction.

use super::{Once, Write, Written};
use crate::domain::{
    cart::CartWrite,
    once::{BodyHash, Fate, Kept, KeptAnswer, OnceName, fates},
    placing::Placing,
    time::Micros,
};
use std::collections::{BTreeSet, HashMap};

pub struct Batch<'a> {
    writes: &'a [Write],
    fates: Vec<Fate>,
    made: Vec<Option<Written>>,
}

/// The carts' writes that stand at the front of these: they are decided together.
pub fn leading_carts<'a>(todo: &[(usize, &'a Write)]) -> Vec<&'a CartWrite> {
    let carts = todo.iter().map_while(|(_, write)| match write {
        Write::Carts(write) => Some(write),
        _ => None,
    });
    carts.collect()
}

/// A row to keep.
#[derive(Debug, PartialEq, Eq)]
pub struct Keep<'a> {
    pub name: OnceName,
    pub body: BodyHash,
    pub at: Micros,
    pub answer: &'a KeptAnswer,
}

impl<'a> Batch<'a> {
    pub fn new(writes: &'a [Write]) -> Self {
        let made = writes.iter().map(|_| None).collect();
        let mut batch = Self { writes, fates: Vec::new(), made };
        batch.known(&HashMap::new());
        batch
    }

    /// Each name of the batch once, in order.
    pub fn names(&self) -> Vec<OnceName> {
        let names: BTreeSet<_> = self.named().map(|(_, once)| once.name).collect();
        names.into_iter().collect()
    }

    /// The answer to [`Self::names`]; nothing must have been made yet.
    pub fn known(&mut self, kept: &HashMap<OnceName, Kept>) {
        let (places, asked): (Vec<_>, Vec<_>) =
            self.named().map(|(place, once)| (place, (once.name, once.body))).unzip();
        let mut all = vec![Fate::Do; self.writes.len()];
        for (place, fate) in places.iter().zip(fates(&asked, kept)) {
            all[*place] = match fate {
                // Of the named ones, in the order of all.
                Fate::SameAs(first) => Fate::SameAs(places[first]),
                fate => fate,
            };
        }
        self.fates = all;
    }

    /// What is to be made, with its place, in the order it came: the orders to be placed, which
    /// are decided together, and all the rest.
    #[expect(clippy::type_complexity, reason = "two lists of the same form")]
    pub fn todo(&self) -> (Vec<(usize, &'a Placing)>, Vec<(usize, &'a Write)>) {
        let (mut placings, mut others) = (Vec::new(), Vec::new());
        for (place, write) in self.writes.iter().enumerate() {
            if self.fates[place] != Fate::Do {
                continue;
            }
            let write = match write {
                Write::Once(once) => &*once.write,
                write => write,
            };
            match write {
                Write::Place(placing) => placings.push((place, &**placing)),
                write => others.push((place, write)),
            }
        }
        (placings, others)
    }

    pub fn made(&mut self, place: usize, written: Written) {
        self.made[place] = Some(match &self.writes[place] {
            Write::Once(once) => {
                let answer = (once.answer)(&written);
                Written::Answered { written: Box::new(written), answer }
            }
            _ => written,
        });
    }

    /// What is to be kept of it, by name: two writers keep the same ones in the same order.
    pub fn answers(&self) -> Vec<Keep<'_>> {
        let mut keeps: Vec<_> = self
            .named()
            .filter_map(|(place, once)| match &self.made[place] {
                Some(Written::Answered { answer: Some(answer), .. }) => {
                    Some(Keep { name: once.name, body: once.body, at: once.at, answer })
                }
                _ => None,
            })
            .collect();
        keeps.sort_by_key(|keep| keep.name);
        keeps
    }

    /// One answer to each write. `None`: something was not made, which is a bug of the caller's.
    pub fn finish(mut self) -> Option<Vec<Written>> {
        let fates = std::mem::take(&mut self.fates);
        for (place, fate) in fates.into_iter().enumerate() {
            let answer = match fate {
                Fate::Do => continue,
                Fate::Replay(answer) => Written::Replayed(answer),
                Fate::OtherBody => Written::OtherBody,
                Fate::SameAs(first) => match self.made[first].clone()? {
                    Written::Answered { answer: Some(answer), .. } => Written::Replayed(answer),
                    again => again,
                },
            };
            self.made[place] = Some(answer);
        }
        self.made.into_iter().collect()
    }

    fn named(&self) -> impl Iterator<Item = (usize, &'a Once)> {
        self.writes.iter().enumerate().filter_map(|(place, write)| match write {
            Write::Once(once) => Some((place, once)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::once::IdempotencyKey;
    use std::sync::Arc;

    fn plain() -> Write {
        Write::ForgetAnswers { older_than: Micros(0), most: 1 }
    }

    fn name(key: &str) -> OnceName {
        OnceName::new("system", "POST /", &IdempotencyKey::new(key.as_bytes()).unwrap())
    }

    fn once(key: &str, body: &str) -> Write {
        Write::Once(Once {
            name: name(key),
            body: BodyHash::of(body.as_bytes()),
            at: Micros(7),
            write: Box::new(plain()),
            answer: Arc::new(|written| match written {
                Written::Swept(n) => Some(answer(&format!("swept {n}"))),
                _ => None,
            }),
        })
    }

    fn answer(body: &str) -> KeptAnswer {
        KeptAnswer { status: 200, headers: Vec::new(), body: body.into() }
    }

    #[test]
    fn equal_names_are_made_once_and_each_gets_its_answer() {
        let writes = [
            plain(),
            once("a", "1"),
            once("b", "1"),
            once("a", "1"),
            once("a", "2"),
            once("c", ""),
        ];
        let mut batch = Batch::new(&writes);
        assert_eq!(batch.names().len(), 3);
        let kept = Kept { body: BodyHash::of(b"1"), answer: answer("long ago") };
        batch.known(&HashMap::from([(name("b"), kept)]));
        let places: Vec<_> = batch.todo().1.into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [0, 1, 5]);
        batch.made(0, Written::Done);
        batch.made(1, Written::Swept(1));
        batch.made(5, Written::Absent);
        let keeps = batch.answers();
        assert_eq!(keeps.len(), 1, "what is not for good is not kept");
        assert_eq!((keeps[0].name, keeps[0].answer), (name("a"), &answer("swept 1")));
        let answered = |written, answer| Written::Answered { written: Box::new(written), answer };
        let wanted = vec![
            Written::Done,
            answered(Written::Swept(1), Some(answer("swept 1"))),
            Written::Replayed(answer("long ago")),
            Written::Replayed(answer("swept 1")),
            Written::OtherBody,
            answered(Written::Absent, None),
        ];
        assert_eq!(batch.finish(), Some(wanted));
    }

    #[test]
    fn what_was_not_made_has_no_answer() {
        let writes = [plain()];
        assert_eq!(Batch::new(&writes).finish(), None);
    }
}
