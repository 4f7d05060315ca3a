//! `ports::schedules`: a tick is one job, whoever sees to it.

use crate::shop::{Counted, Shop, on_both_databases};
use serde_json::json;
use stoa::{
    domain::{
        cron::Cron,
        id::JobId,
        job::{CatchUp, Due, JobState, Priority, Queue, due},
        time::Micros,
    },
    ports::{
        audit::Audit,
        clock::{Clock, Ids},
        jobs::{JobFilter, JobNow, Jobs, JobsWritten, NewJob, Once},
        outbox::Outbox,
        schedules::{JobSchedule, ScheduleTerms, ScheduleWrite, Schedules, Tick},
        writer::{Write, Written},
    },
};

on_both_databases![
    terms_are_kept_replaced_and_removed,
    two_that_see_to_a_tick_put_one_job,
    a_tick_of_older_terms_puts_nothing,
    each_policy_puts_what_it_says_and_no_tick_twice,
    one_that_is_disabled_has_no_ticks_and_misses_none,
    terms_set_anew_leave_missed_ticks_while_the_times_stay,
    one_run_by_hand_leaves_its_ticks,
    what_operators_turn_is_in_the_audit_log,
];

const MINUTE: i64 = 60_000_000;

fn terms(catch_up: CatchUp) -> ScheduleTerms {
    ScheduleTerms {
        topic: "test".into(),
        version: 1,
        body: json!({"n": 1, "of": ["a", "b"]}),
        queue: Queue::Default,
        priority: Priority::Low,
        cron: "*/10 * * * *".into(),
        zone: "Europe/Berlin".into(),
        catch_up,
        enabled: true,
    }
}

async fn write(shop: &mut Shop, write: ScheduleWrite) -> Written {
    shop.commit(Write::Schedules(write)).await.unwrap()
}

fn set(shop: &Shop, terms: &ScheduleTerms, next_at: i64) -> ScheduleWrite {
    ScheduleWrite::Set {
        name: "often".into(),
        terms: terms.clone(),
        revision: shop.source.next(),
        next_at: Micros(next_at * MINUTE),
        by: "ann".into(),
        at: shop.source.now(),
    }
}

fn enable(shop: &Shop, enabled: bool, next_at: i64) -> ScheduleWrite {
    ScheduleWrite::Enable {
        name: "often".into(),
        enabled,
        revision: shop.source.next(),
        next_at: Micros(next_at * MINUTE),
        by: "ann".into(),
        at: shop.source.now(),
    }
}

async fn read(shop: &Shop) -> JobSchedule {
    shop.store.schedule("often").await.unwrap().unwrap()
}

fn job(source: &Counted, due_at: Micros) -> NewJob {
    NewJob {
        id: JobId(source.next()),
        topic: "test".into(),
        version: 1,
        body: "{\"n\": 1}".into(),
        queue: Queue::Default,
        priority: Priority::Low,
        at: source.now(),
        due_at,
        expires_at: None,
        lane: None,
        once: Once::Each,
        root: None,
        after: None,
    }
}

/// What whoever read this would do about it now.
fn tick(source: &Counted, schedule: &JobSchedule, now: i64) -> Option<Tick> {
    let terms = &schedule.terms;
    let cron = Cron::new(&terms.cron, &terms.zone).unwrap();
    let Due { ticks, next_at } =
        due(&cron, schedule.next_at, terms.catch_up, Micros(now * MINUTE))?;
    let (name, revision, from) = (schedule.name.clone(), schedule.revision, schedule.next_at);
    let jobs = ticks.into_iter().map(|at| job(source, at)).collect();
    Some(Tick { name, revision, from, next_at, jobs })
}

/// Sees to it at that minute, and says for which minutes there are jobs then.
async fn see_to(shop: &mut Shop, now: i64) -> Vec<i64> {
    for schedule in shop.store.due_schedules(Micros(now * MINUTE), 9).await.unwrap() {
        let tick = tick(&shop.source, &schedule, now).unwrap();
        assert!(matches!(write(shop, ScheduleWrite::Tick(tick)).await, Written::Jobs(_)));
    }
    jobs(shop).await.iter().map(|job| job.due_at.0 / MINUTE).collect()
}

async fn jobs(shop: &Shop) -> Vec<JobNow> {
    let mut jobs = shop.store.jobs(&JobFilter::default(), None, 100).await.unwrap();
    jobs.sort_by_key(|job| job.due_at);
    jobs
}

async fn terms_are_kept_replaced_and_removed(mut shop: Shop) {
    let first = terms(CatchUp::All(24));
    let wanted = set(&shop, &first, 10);
    assert_eq!(write(&mut shop, wanted).await, Written::Done);
    let kept = read(&shop).await;
    assert_eq!((&kept.terms, kept.next_at), (&first, Micros(10 * MINUTE)));
    assert_eq!((kept.last_at, kept.last_job, kept.set_by.as_str()), (None, None, "ann"));
    assert_eq!(shop.store.next_tick(Micros(0)).await.unwrap(), Some(Micros(10 * MINUTE)));
    // The same again is no change, and others are.
    let wanted = set(&shop, &first, 10);
    write(&mut shop, wanted).await;
    assert_eq!(read(&shop).await, kept);
    let second = ScheduleTerms { body: json!({}), ..first };
    let wanted = set(&shop, &second, 10);
    write(&mut shop, wanted).await;
    let now = read(&shop).await;
    assert_eq!(now.terms, second);
    assert_ne!(now.revision, kept.revision);
    assert_eq!(shop.store.schedules().await.unwrap(), [now]);
    let remove = || ScheduleWrite::Remove { name: "often".into(), by: "ann".into(), at: Micros(1) };
    assert_eq!(write(&mut shop, remove()).await, Written::Done);
    assert_eq!(write(&mut shop, remove()).await, Written::Absent);
    assert_eq!(shop.store.schedule("often").await.unwrap(), None);
    assert_eq!(shop.store.next_tick(Micros(0)).await.unwrap(), None);
}

async fn two_that_see_to_a_tick_put_one_job(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    write(&mut shop, wanted).await;
    let mut other = shop.another_writer().await;
    for now in (10..200).step_by(10) {
        // Both have read it before either writes.
        let schedule = read(&shop).await;
        let [mine, theirs] =
            [(); 2].map(|()| ScheduleWrite::Tick(tick(&shop.source, &schedule, now).unwrap()));
        let theirs = other.commit(vec![Write::Schedules(theirs)]);
        let mine = shop.writer.commit(vec![Write::Schedules(mine)]);
        let (mine, theirs) = futures_util::join!(mine, theirs);
        let ends = [mine[0].clone().unwrap(), theirs[0].clone().unwrap()];
        let lost = ends.iter().filter(|end| **end == Written::Conflict).count();
        assert_eq!(lost, 1, "at minute {now}: {ends:?}");
    }
    let jobs = jobs(&shop).await;
    let ticks: Vec<_> = jobs.iter().map(|job| job.due_at.0 / MINUTE).collect();
    assert_eq!(ticks, (10..200).step_by(10).collect::<Vec<_>>());
    let last = jobs.last().unwrap();
    let schedule = read(&shop).await;
    assert_eq!((schedule.last_at, schedule.last_job), (Some(last.due_at), Some(last.id)));
    assert_eq!((last.state, last.body.contains("\"n\"")), (JobState::Ready, true));
}

async fn a_tick_of_older_terms_puts_nothing(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    write(&mut shop, wanted).await;
    let stale = tick(&shop.source, &read(&shop).await, 10).unwrap();
    let other = ScheduleTerms { body: json!({"other": 1}), ..terms(CatchUp::Skip) };
    let wanted = set(&shop, &other, 10);
    write(&mut shop, wanted).await;
    assert_eq!(write(&mut shop, ScheduleWrite::Tick(stale.clone())).await, Written::Conflict);
    // Nor of one that was removed and made anew.
    let remove = ScheduleWrite::Remove { name: "often".into(), by: "ann".into(), at: Micros(1) };
    write(&mut shop, remove).await;
    assert_eq!(write(&mut shop, ScheduleWrite::Tick(stale.clone())).await, Written::Conflict);
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    write(&mut shop, wanted).await;
    assert_eq!(write(&mut shop, ScheduleWrite::Tick(stale)).await, Written::Conflict);
    assert_eq!(jobs(&shop).await, []);
}

async fn each_policy_puts_what_it_says_and_no_tick_twice(mut shop: Shop) {
    let mut there: Vec<i64> = Vec::new();
    for (n, (policy, put)) in [
        (CatchUp::Skip, &[] as &[i64]),
        (CatchUp::Once, &[40]),
        (CatchUp::All(2), &[30, 40]),
        (CatchUp::All(24), &[10, 20, 30, 40]),
    ]
    .into_iter()
    .enumerate()
    {
        // Each at an hour of its own, with four ticks missed.
        let hour = 60 * n as i64;
        let remove = ScheduleWrite::Remove { name: "often".into(), by: "a".into(), at: Micros(1) };
        write(&mut shop, remove).await;
        let wanted = set(&shop, &terms(policy), hour + 10);
        write(&mut shop, wanted).await;
        assert_eq!(see_to(&mut shop, hour + 9).await, there, "none before its time");
        there.extend(put.iter().map(|tick| hour + tick));
        assert_eq!(see_to(&mut shop, hour + 45).await, there, "{policy}");
        assert_eq!(see_to(&mut shop, hour + 49).await, there, "{policy}: once");
        there.push(hour + 50);
        assert_eq!(see_to(&mut shop, hour + 50).await, there, "{policy}: and goes on");
    }
}

async fn one_that_is_disabled_has_no_ticks_and_misses_none(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::All(24)), 10);
    write(&mut shop, wanted).await;
    let stale = tick(&shop.source, &read(&shop).await, 10).unwrap();
    let off = enable(&shop, false, 20);
    assert_eq!(write(&mut shop, off).await, Written::Done);
    assert_eq!(see_to(&mut shop, 35).await, [] as [i64; 0]);
    assert_eq!(shop.store.next_tick(Micros(0)).await.unwrap(), None);
    assert_eq!(write(&mut shop, ScheduleWrite::Tick(stale)).await, Written::Conflict);
    let on = enable(&shop, true, 40);
    write(&mut shop, on).await;
    // Said twice it is the same.
    let again = enable(&shop, true, 90);
    write(&mut shop, again).await;
    assert_eq!(see_to(&mut shop, 45).await, [40]);
    let ScheduleWrite::Enable { revision, next_at, by, at, .. } = enable(&shop, true, 0) else {
        unreachable!()
    };
    let name = "none".to_owned();
    let absent = ScheduleWrite::Enable { name, enabled: true, revision, next_at, by, at };
    assert_eq!(write(&mut shop, absent).await, Written::Absent);
}

async fn terms_set_anew_leave_missed_ticks_while_the_times_stay(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    write(&mut shop, wanted).await;
    // Found after an outage, with another policy and then other times.
    let wanted = set(&shop, &terms(CatchUp::All(24)), 50);
    write(&mut shop, wanted).await;
    assert_eq!(read(&shop).await.next_at, Micros(10 * MINUTE));
    let other = ScheduleTerms { zone: "UTC".into(), ..terms(CatchUp::All(24)) };
    let wanted = set(&shop, &other, 50);
    write(&mut shop, wanted).await;
    assert_eq!(read(&shop).await.next_at, Micros(50 * MINUTE));
}

async fn one_run_by_hand_leaves_its_ticks(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    write(&mut shop, wanted).await;
    let one = job(&shop.source, Micros(0));
    let run = |name: &str| ScheduleWrite::Run {
        name: name.to_owned(),
        job: one.clone(),
        by: "ann".into(),
    };
    let sent = Written::Jobs(JobsWritten::Sent(vec![one.id]));
    assert_eq!(write(&mut shop, run("often")).await, sent);
    let now = read(&shop).await;
    assert_eq!((now.last_at, now.last_job), (Some(one.at), Some(one.id)));
    assert_eq!(now.next_at, Micros(10 * MINUTE));
    assert_eq!(write(&mut shop, run("none")).await, Written::Absent);
    assert_eq!(jobs(&shop).await.len(), 1);
}

async fn what_operators_turn_is_in_the_audit_log(mut shop: Shop) {
    let wanted = set(&shop, &terms(CatchUp::Skip), 10);
    let unchanged = set(&shop, &terms(CatchUp::Skip), 10);
    let off = enable(&shop, false, 20);
    let on = enable(&shop, true, 20);
    let run = ScheduleWrite::Run {
        name: "often".into(),
        job: job(&shop.source, Micros(0)),
        by: "ann".into(),
    };
    let remove = ScheduleWrite::Remove { name: "often".into(), by: "ann".into(), at: Micros(1) };
    for turn in [wanted, unchanged, off, on, run, remove] {
        write(&mut shop, turn).await;
    }
    shop.store.number().await.unwrap();
    let entries = shop.store.entries_after(0, 50).await.unwrap();
    let told: Vec<_> = entries.iter().map(|one| (one.action.as_str(), &one.subject)).collect();
    let subject = "schedule:often".to_owned();
    let actions =
        ["schedule.set", "schedule.disable", "schedule.enable", "schedule.run", "schedule.remove"];
    assert_eq!(told, actions.map(|action| (action, &subject)));
    assert!(entries[0].new.as_ref().is_some_and(|new| new.contains("\"catch_up\":\"skip\"")));
    assert_eq!((&entries[4].new, entries[4].old.is_some()), (&None, true));
}
