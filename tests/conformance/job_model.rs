//! The queue against a model of it: whatever is done to it in whatever order, both agree on every
//! job's state, attempt, failures, losses and place.

use crate::shop::{Shop, runtime};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use stoa::{
    domain::{
        id::{JobId, WorkerId},
        job::{Family, JobState, MOST_LOSSES, Priority, Queue, Step},
        time::Micros,
    },
    ports::{
        clock::Ids,
        jobs::{
            Effect, Ended, Ending, JobAct, JobActs, JobClaim, JobFilter, JobNow, JobWrite, Jobs,
            JobsWritten, NewJob, NewWorker, Once,
        },
        writer::{Write, Written},
    },
};

/// No two jobs are due at the same time, so that their order is known.
const TICK: i64 = 1_000_003;
const SECOND: i64 = 1_000_000;

#[derive(Debug, Clone)]
enum Op {
    Send {
        lane: Option<u8>,
        priority: usize,
        delay: i64,
    },
    Claim {
        worker: usize,
        most: u32,
        suspects: bool,
    },
    /// The pick-th running job, at its own attempt or at the one before.
    End {
        pick: usize,
        ending: u8,
        late: bool,
        delay: i64,
        /// It puts one on its behalf.
        child: bool,
    },
    HandBack {
        pick: usize,
    },
    /// The worker's process dies; it joins anew.
    Lose {
        worker: usize,
    },
    Leave {
        worker: usize,
    },
    Act {
        act: JobAct,
        pick: usize,
    },
    Wait {
        seconds: i64,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (proptest::option::of(0u8..2), 0usize..5, 0i64..3).prop_map(|(lane, priority, delay)| {
            Op::Send { lane, priority, delay }
        }),
        4 => (0usize..2, 1u32..4, any::<bool>())
            .prop_map(|(worker, most, suspects)| Op::Claim { worker, most, suspects }),
        4 => (any::<usize>(), 0u8..6, proptest::bool::weighted(0.2), 0i64..3, any::<bool>())
            .prop_map(|(pick, ending, late, delay, child)| {
                Op::End { pick, ending, late, delay, child }
            }),
        1 => any::<usize>().prop_map(|pick| Op::HandBack { pick }),
        1 => (0usize..2).prop_map(|worker| Op::Lose { worker }),
        1 => (0usize..2).prop_map(|worker| Op::Leave { worker }),
        2 => (prop_oneof![Just(JobAct::Retry), Just(JobAct::Discard), Just(JobAct::Cancel)],
              any::<usize>()).prop_map(|(act, pick)| Op::Act { act, pick }),
        1 => (1i64..100).prop_map(|seconds| Op::Wait { seconds }),
    ];
    proptest::collection::vec(op, 1..60)
}

#[derive(Debug, Clone)]
struct Modelled {
    id: JobId,
    state: JobState,
    lane: Option<u8>,
    blocked: bool,
    handicap: i64,
    due_at: i64,
    attempt: u32,
    failures: u32,
    losses: u32,
    worker: Option<usize>,
    cancelling: bool,
    /// What comes into its family is cancelled.
    given_up: bool,
    root: Option<JobId>,
}

fn plain(id: JobId, at: Micros) -> NewJob {
    NewJob {
        id,
        topic: "test".into(),
        version: 1,
        body: "{}".into(),
        queue: Queue::Default,
        priority: Priority::Highest,
        at,
        due_at: at,
        expires_at: None,
        lane: None,
        once: Once::Each,
        root: None,
        after: None,
    }
}

impl Modelled {
    fn plain(id: JobId, at: i64) -> Self {
        Self {
            id,
            state: JobState::Ready,
            lane: None,
            blocked: false,
            handicap: 0,
            due_at: at,
            attempt: 0,
            failures: 0,
            losses: 0,
            worker: None,
            cancelling: false,
            given_up: false,
            root: None,
        }
    }

    fn step(&mut self, step: Step) {
        self.state = self.state.after(step).unwrap_or_else(|| panic!("{step:?} of {self:?}"));
        if self.state != JobState::Running {
            self.worker = None;
            self.cancelling &= !self.state.is_over();
        }
        self.blocked &= !self.state.is_over();
    }
}

#[derive(Default)]
struct Model {
    jobs: Vec<Modelled>,
}

impl Model {
    fn unblock(&mut self) {
        for lane in 0..2 {
            let of = |job: &&mut Modelled| job.lane == Some(lane) && !job.state.is_over();
            let mut waiting: Vec<_> = self.jobs.iter_mut().filter(of).collect();
            if waiting.iter().all(|job| job.blocked)
                && let Some(first) = waiting.iter_mut().min_by_key(|job| job.id)
            {
                first.blocked = false;
            }
        }
    }

    fn claim(&mut self, worker: usize, at: i64, most: u32, suspects: bool) -> Vec<JobId> {
        for job in &mut self.jobs {
            if job.state == JobState::Scheduled && !job.blocked && job.due_at <= at {
                job.step(Step::ComeDue);
            }
        }
        let may =
            |job: &&mut Modelled| job.state == JobState::Ready && (job.losses > 0) == suspects;
        let mut ready: Vec<_> = self.jobs.iter_mut().filter(may).collect();
        ready.sort_by_key(|job| job.due_at + job.handicap);
        let taken = ready.into_iter().take(most as usize).map(|job| {
            job.step(Step::Claim);
            job.attempt += 1;
            job.worker = Some(worker);
            job.id
        });
        taken.collect()
    }

    fn family(&self, root: JobId) -> Option<Family> {
        let mut family = Family::default();
        let children = self.jobs.iter().filter(|job| job.root == Some(root));
        children.for_each(|job| family.add(job.state, 1));
        (family.all() > 0).then_some(family)
    }

    fn running(&self, pick: usize) -> Option<usize> {
        let running: Vec<_> =
            (0..self.jobs.len()).filter(|n| self.jobs[*n].state == JobState::Running).collect();
        (!running.is_empty()).then(|| running[pick % running.len()])
    }
}

async fn write(shop: &mut Shop, write: JobWrite) -> JobsWritten {
    match shop.commit(Write::Jobs(write)).await.unwrap() {
        Written::Jobs(written) => written,
        other => panic!("{other:?}"),
    }
}

async fn join(shop: &mut Shop) -> WorkerId {
    let id = WorkerId(shop.source.next());
    let new = NewWorker { id, name: "here 1".into(), at: Micros(0), alone: false };
    write(shop, JobWrite::Join(new)).await;
    id
}

async fn play(shop: &mut Shop, ops: &[Op]) {
    shop.execute("DELETE FROM job").await;
    shop.execute("DELETE FROM job_worker").await;
    let mut workers = [join(shop).await, join(shop).await];
    let (mut model, mut at) = (Model::default(), 0);
    for (n, op) in ops.iter().enumerate() {
        at += TICK;
        one(shop, &mut model, &mut workers, op, &mut at).await;
        agree(shop, &mut model, &workers, at).await.unwrap_or_else(|why| {
            panic!("after {n}, {op:?}: {why}\nof {ops:#?}");
        });
    }
}

async fn one(
    shop: &mut Shop,
    model: &mut Model,
    workers: &mut [WorkerId; 2],
    op: &Op,
    at: &mut i64,
) {
    let now = Micros(*at);
    match *op {
        Op::Wait { seconds } => *at += seconds * SECOND,
        Op::Send { lane, priority, delay } => {
            let (id, priority) = (JobId(shop.source.next()), Priority::ALL[priority]);
            let due_at = *at + delay * SECOND;
            let new = NewJob {
                priority,
                due_at: Micros(due_at),
                lane: lane.map(|lane| lane.to_string()),
                ..plain(id, now)
            };
            write(shop, JobWrite::Send(vec![new])).await;
            let ready = lane.is_none() && delay == 0;
            model.jobs.push(Modelled {
                state: if ready { JobState::Ready } else { JobState::Scheduled },
                lane,
                blocked: lane.is_some(),
                handicap: i64::try_from(priority.handicap().as_micros()).unwrap(),
                due_at,
                ..Modelled::plain(id, *at)
            });
        }
        Op::Claim { worker, most, suspects } => {
            let claim = JobWrite::Claim(JobClaim {
                worker: workers[worker],
                queue: Queue::Default,
                at: now,
                most,
                suspects,
            });
            let JobsWritten::Claimed(claimed) = write(shop, claim).await else { panic!() };
            let ids: Vec<_> = claimed.iter().map(|job| job.id).collect();
            assert_eq!(
                ids,
                model.claim(worker, *at, most, suspects),
                "what is claimed, and its order"
            );
        }
        Op::End { pick, ending, late, delay, child } => {
            let Some(n) = model.running(pick) else { return };
            let error = "no".to_owned();
            let due_at = *at + delay * SECOND;
            let (ending, step) = match ending {
                0 => (Ending::Succeeded, Step::Succeed),
                1 => (Ending::Again { at: Micros(due_at), error }, Step::TryAgain),
                2 => (Ending::Snoozed { until: Micros(due_at) }, Step::Snooze),
                3 => (Ending::Failed { error }, Step::Fail),
                4 => (Ending::Dead { error }, Step::GiveUp),
                _ => (Ending::Cancelled, Step::Cancel),
            };
            let job = &mut model.jobs[n];
            let attempt = if late { job.attempt - 1 } else { job.attempt };
            let (failed, due) = (ending.is_failure(), ending.due_at());
            let child = child.then(|| plain(JobId(shop.source.next()), Micros(*at - 1)));
            let effects = child.iter().cloned().map(Effect::Child).collect();
            let ended = vec![Ended { id: job.id, attempt, ending, effects, stuck: false }];
            let written = write(shop, JobWrite::End { ended, at: now }).await;
            let counted = if late { Vec::new() } else { vec![job.id] };
            assert_eq!(written, JobsWritten::Ended(counted));
            if late {
                return;
            }
            job.failures += u32::from(failed);
            job.due_at = due.map_or(job.due_at, |due| due.0);
            let goes_on = matches!(step, Step::TryAgain | Step::Snooze);
            job.step(if goes_on && job.cancelling { Step::Cancel } else { step });
            let root = job.root.unwrap_or(job.id);
            if let Some(child) = child {
                let given_up = model.jobs.iter().any(|job| job.id == root && job.given_up);
                let state = if given_up { JobState::Cancelled } else { JobState::Ready };
                let of = Modelled { state, root: Some(root), ..Modelled::plain(child.id, *at - 1) };
                model.jobs.push(of);
            }
        }
        Op::HandBack { pick } => {
            let Some(n) = model.running(pick) else { return };
            let job = &mut model.jobs[n];
            write(shop, JobWrite::HandBack { jobs: vec![(job.id, job.attempt)], at: now }).await;
            job.step(if job.cancelling { Step::Cancel } else { Step::HandBack });
        }
        Op::Lose { worker } => {
            let rows = shop.store.workers().await.unwrap();
            let row = rows.iter().find(|row| row.id == workers[worker]).unwrap();
            write(shop, JobWrite::Bury { lost: vec![(row.id, row.beat)], at: now }).await;
            workers[worker] = join(shop).await;
            for job in model.jobs.iter_mut().filter(|job| job.worker == Some(worker)) {
                job.losses += 1;
                let step = match (job.cancelling, job.losses >= MOST_LOSSES) {
                    (true, _) => Step::Cancel,
                    (_, true) => Step::GiveUp,
                    _ => Step::Lose,
                };
                job.step(step);
                if job.losses > 1 {
                    // By chance, within a bound: whatever it says is what it is from now on.
                    let row = shop.store.job(job.id).await.unwrap().unwrap();
                    let most = *at + (SECOND << (job.losses - 1));
                    assert!((*at..=most).contains(&row.due_at.0), "{row:?} at {at}");
                    job.due_at = row.due_at.0;
                }
            }
        }
        Op::Leave { worker } => {
            write(shop, JobWrite::Leave { worker: workers[worker], at: now }).await;
            workers[worker] = join(shop).await;
            for job in model.jobs.iter_mut().filter(|job| job.worker == Some(worker)) {
                job.step(if job.cancelling { Step::Cancel } else { Step::HandBack });
            }
        }
        Op::Act { act, pick } => {
            if model.jobs.is_empty() {
                return;
            }
            let n = pick % model.jobs.len();
            let id = model.jobs[n].id;
            let acts = JobActs { act, jobs: vec![id], by: "ann".into(), at: now };
            let JobsWritten::Acted(done) = write(shop, JobWrite::Act(acts)).await else { panic!() };
            let family = model.family(id).unwrap_or_default();
            let of = |states: &[JobState]| states.iter().any(|state| family.of(*state) > 0);
            let unfinished = model
                .jobs
                .iter()
                .any(|job| job.root == Some(id) && !job.state.is_over() && !job.cancelling);
            let failed = of(&[JobState::Failed, JobState::Dead, JobState::Cancelled]);
            let job = &mut model.jobs[n];
            let of_family = match act {
                JobAct::Retry => job.state == JobState::Succeeded && failed,
                JobAct::Cancel => unfinished,
                JobAct::Discard | JobAct::Move(_) => false,
            };
            let may = match act {
                JobAct::Retry => job.state.after(Step::Retry).is_some(),
                JobAct::Cancel => job.state.after(Step::Cancel).is_some() && !job.cancelling,
                JobAct::Discard => job.state != JobState::Running,
                // All of them are in one queue: it isn't drawn.
                JobAct::Move(_) => false,
            };
            assert_eq!(!done.is_empty(), may || of_family, "{act:?} of {job:?}, {family:?}");
            if may || of_family {
                job.given_up = act == JobAct::Cancel;
            }
            match act {
                _ if !may => {}
                JobAct::Move(_) => {}
                JobAct::Discard => drop(model.jobs.remove(n)),
                JobAct::Cancel if job.state == JobState::Running => job.cancelling = true,
                JobAct::Cancel => job.step(Step::Cancel),
                JobAct::Retry => {
                    job.step(Step::Retry);
                    (job.failures, job.losses, job.due_at) = (0, 0, *at);
                    job.blocked = job.lane.is_some();
                }
            }
        }
    }
    model.unblock();
}

/// Every row is as modelled, and nothing else is there.
async fn agree(
    shop: &Shop,
    model: &mut Model,
    workers: &[WorkerId; 2],
    at: i64,
) -> Result<(), String> {
    let rows = shop.store.jobs(&JobFilter::default(), None, u32::MAX).await.unwrap();
    if rows.len() != model.jobs.len() {
        return Err(format!("{} jobs, not {}", rows.len(), model.jobs.len()));
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let families = shop.store.families(&ids).await.unwrap();
    for job in &model.jobs {
        let row: &JobNow = rows.iter().find(|row| row.id == job.id).ok_or("one is gone")?;
        let is = (row.state, row.attempt, row.failures, row.losses, row.blocked, row.due_at.0);
        let be = (job.state, job.attempt, job.failures, job.losses, job.blocked, job.due_at);
        let worker = job.worker.map(|worker| workers[worker]);
        let family = families.get(&job.id).copied();
        let told = (row.cancelling, row.root, family);
        if is != be
            || row.worker != worker
            || told != (job.cancelling, job.root, model.family(job.id))
        {
            return Err(format!("{row:?} is to be {job:?} at {at}"));
        }
    }
    Ok(())
}

fn agrees(open: impl Future<Output = Shop>) {
    let cases = 48;
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    runtime().block_on(async {
        let mut shop = open.await;
        for _ in 0..cases {
            let ops = ops().new_tree(&mut runner).unwrap().current();
            play(&mut shop, &ops).await;
        }
    });
}

#[test]
fn the_queue_does_on_sqlite_what_its_model_does() {
    agrees(Shop::sqlite());
}

#[test]
fn the_queue_does_on_postgres_what_its_model_does() {
    let Some(peer) = crate::peer::database("job_model::on_postgres") else { return };
    agrees(Shop::postgres(peer.url.clone()));
}
