//! `/ops/jobs` and `/ops/queues`: what waits, what runs and what went wrong, and turning it. For
//! administrators.

mod edit;
mod probes;
mod sharing;
mod view;

use crate::{
    actors::{
        keepers::writer::WriteError,
        workers::jobs::{Acted, MOST_ACTED, states_for},
    },
    domain::{
        id::JobId,
        job::{JobState, NoPlace, Queue},
    },
    http::{
        access::Access,
        api::{fresh, link_next},
        app::App,
        cursor::{self, BeforeJob},
        error::{Code, Problem},
        extract::{Param, Takes},
        openapi::{Doc, json, media},
        ops::by,
        resource::{Asked, Intake, Operation, Resource},
    },
    ports::{
        StoreError,
        jobs::{JobAct, JobFilter, JobWrite},
    },
};
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use view::{JobList, JobView, QueueList, QueueView};
use warp::reply::Response;

const JOBS: &str = "/ops/jobs.json";
const MOST_TEXT: usize = 200;
const STATE: Takes = Takes::OneOf(JobState::NAMES);
const QUEUE: Takes = Takes::OneOf(Queue::NAMES);
const UUID: Takes =
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" };
const LIST: &[Param] = &[
    Param::new("state", STATE, "Only these; left out: in whatever state."),
    Param::new("queue", QUEUE, "Only those of this queue."),
    Param::new("topic", Takes::Text { most: MOST_TEXT }, "Only those of this topic."),
    Param::new("error", Takes::Text { most: MOST_TEXT }, "Only those with this in their error."),
    Param::new("root", UUID, "Only the children of this job."),
    Param::new(
        "body",
        Takes::Text { most: MOST_TEXT },
        "Only those with this in their body: `FIELD=VALUE`, or `/POINTER=VALUE`.",
    ),
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 200, default: 50 }, "Jobs at most."),
];
const ID: Param = Param::new("id", UUID, "The job's id.");
const NAME: Param = Param::new("name", QUEUE, "The queue's name.");
/// Named one by one.
const MOST_NAMED: usize = 1_000;

/// What to do, and to which jobs: to those named, or to all that a filter finds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct JobAction {
    action: Action,
    #[schema(max_items = 1000)]
    ids: Option<Vec<Uuid>>,
    filter: Option<Which>,
    /// The queue, where they are moved.
    #[schema(example = "import")]
    to: Option<String>,
    /// Only say how many there are.
    #[serde(default)]
    preview: bool,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Try them anew, and now.
    Retry,
    /// Drop them.
    Discard,
    /// Cancel those that wait, and end those that run.
    Cancel,
    /// Put those that wait into another queue.
    Move,
}

/// `to` is said for a move and for nothing else.
fn act_of(action: Action, to: Option<&str>) -> Result<JobAct, Problem> {
    let one_of = || Problem::field("/to", format!("one of {}", Queue::NAMES.join(", ")));
    match (action, to) {
        (Action::Move, to) => Ok(JobAct::Move(to.and_then(Queue::parse).ok_or_else(one_of)?)),
        (_, Some(_)) => Err(Problem::field("/to", "only with the action `move`")),
        (Action::Retry, None) => Ok(JobAct::Retry),
        (Action::Discard, None) => Ok(JobAct::Discard),
        (Action::Cancel, None) => Ok(JobAct::Cancel),
    }
}

/// All of these; `state` is to be said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    #[schema(example = "dead")]
    state: String,
    #[schema(example = "mail")]
    queue: Option<String>,
    #[schema(max_length = 200)]
    topic: Option<String>,
    /// Somewhere in the error.
    #[schema(max_length = 200)]
    error: Option<String>,
    /// What stands in the body: `FIELD=VALUE`, or `/POINTER=VALUE`.
    #[schema(max_length = 200, example = "/mail=0190aaaa-0000-7000-8000-000000000001")]
    body: Option<String>,
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct ActionDone {
    /// Jobs that are meant; 10,000 at most at a time.
    matched: u64,
    /// Those it was done to; none in a preview.
    done: u64,
}

pub(crate) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_jobs", "ops", "Jobs, the newest first").answer(
        200,
        "A page of them.",
        json::<JobList>(),
    );
    let show = Doc::new("get_job", "ops", "One job").place(ID).answer(
        200,
        "The job as it stands.",
        json::<JobView>(),
    );
    let act = Doc::new("act_on_jobs", "ops", "Retry, discard, cancel or move jobs")
        .about(
            "Of those named, or of all that a filter finds; with `preview` it only says how many \
             those are. A job that is in no state for it is passed over. With a root its children \
             are cancelled, or those of them retried that ended without success.",
        )
        .body(json::<JobAction>())
        .answer(200, "What came of it.", json::<ActionDone>());
    let write = Doc::new("write_of_jobs", "ops", "What a worker beside the server has written")
        .about("For `stoa worker` of the server's own version: its form is nobody else's.")
        .body(media("application/json"))
        .answer(200, "It was committed.", media("application/json"))
        .problem(Code::Conflict);
    let queues = Doc::new("list_queues", "ops", "Queues of jobs, and who works on them").answer(
        200,
        "All queues.",
        json::<QueueList>(),
    );
    let turn = |id, summary| {
        Doc::new(id, "ops", summary).place(NAME).answer(
            200,
            "The queue as it is now.",
            json::<QueueView>(),
        )
    };
    let pause = turn("pause_queue", "Hand nothing of a queue out, on any node")
        .about("What is in hand is finished. It outlives a restart.");
    let resume = turn("resume_queue", "Hand a queue's jobs out again");
    let admin = |method, run| Operation::new(method, Access::Admin, &[], run);
    let mut resources = vec![
        Resource::new(
            JOBS,
            [Operation::new(Method::GET, Access::Admin, LIST, |a, b| Box::pin(show_list(a, b)))
                .doc(list)],
        ),
        Resource::new(
            "/ops/job-actions",
            [admin(Method::POST, |a, b| Box::pin(act_on(a, b))).takes(Intake::Json).doc(act)],
        ),
        probes::resource(),
        Resource::new(
            "/ops/job-writes",
            [admin(Method::POST, |a, b| Box::pin(relay(a, b))).takes(Intake::Json).doc(write)],
        ),
        Resource::new(
            "/ops/jobs/{id}",
            [admin(Method::GET, |a, b| Box::pin(show_one(a, b))).doc(show)],
        ),
        edit::resource(),
        Resource::new(
            "/ops/queues.json",
            [admin(Method::GET, |a, b| Box::pin(show_queues(a, b))).doc(queues)],
        ),
        Resource::new(
            "/ops/queues/{name}/pause",
            [admin(Method::POST, |a, b| Box::pin(pause_one(a, b, true))).doc(pause)],
        ),
        Resource::new(
            "/ops/queues/{name}/resume",
            [admin(Method::POST, |a, b| Box::pin(pause_one(a, b, false))).doc(resume)],
        ),
    ];
    resources.extend(sharing::resources());
    resources
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let text = |name| asked.query.optional(name).map(str::to_owned);
    let filter = JobFilter {
        state: asked.query.optional("state").and_then(JobState::parse),
        queue: asked.query.optional("queue").and_then(Queue::parse),
        topic: text("topic"),
        error: text("error"),
        root: match asked.query.optional("root") {
            Some(text) => {
                Some(text.parse().map_err(|_| Problem::parameter("root", "the id of a job"))?)
            }
            None => None,
        },
        body: match asked.query.optional("body") {
            Some(text) => {
                let no_place = |no: NoPlace| Problem::parameter("body", no.to_string());
                Some(text.parse().map_err(no_place)?)
            }
            None => None,
        },
    };
    let after = match asked.query.text("after") {
        Some(text) => Some(JobId(cursor::read::<BeforeJob>("after", text)?.0)),
        None => None,
    };
    let limit = asked.query.size("limit");
    let most = u32::try_from(limit + 1).unwrap_or(u32::MAX);
    let mut jobs = app.jobs.list(&filter, after, most).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|(job, _)| cursor::write(BeforeJob(job.id.0)));
    let list = JobList { items: jobs.into_iter().map(JobView::of).collect(), next: next.clone() };
    let mut response = fresh(&app, &list);
    link_next(&mut response, JOBS, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id: JobId = asked.path[0].parse().map_err(|_| absent())?;
    let job = app.jobs.show(id).await?.ok_or_else(absent)?;
    Ok(fresh(&app, &JobView::of(job)))
}

fn absent() -> Problem {
    Problem::new(Code::NotFound, "there is no such job, or it is forgotten")
}

async fn act_on(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let by = by(&asked);
    let wish: JobAction = asked.body.json().await?;
    let act = act_of(wish.action, wish.to.as_deref())?;
    let acted = match (wish.ids, wish.filter) {
        (Some(ids), None) => {
            if ids.len() > MOST_NAMED {
                return Err(Problem::field("/ids", format!("at most {MOST_NAMED}")));
            }
            let jobs: Vec<JobId> = ids.into_iter().map(JobId).collect();
            match wish.preview {
                true => Acted { matched: jobs.len() as u64, done: 0 },
                false => app.jobs.act(act, jobs, by).await?,
            }
        }
        (None, Some(which)) => {
            let filter = filter(act, which)?;
            match wish.preview {
                true => Acted { matched: app.jobs.count(&filter).await?, done: 0 },
                false => app.jobs.act_on_all(act, &filter, by).await?,
            }
        }
        _ => return Err(Problem::field("/filter", "either this or `ids`")),
    };
    Ok(fresh(&app, &ActionDone { matched: acted.matched, done: acted.done }))
}

async fn relay(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let write: JobWrite = asked.body.json().await?;
    let written = match app.jobs.relay(write).await {
        // Its own fault, which it is to hear of: asked again it would be refused again.
        Err(WriteError::Store(StoreError::Refused(why))) => {
            return Err(Problem::new(Code::Conflict, why));
        }
        written => written?,
    };
    let written = written.ok_or_else(|| Problem::field("", "a worker doesn't write this"))?;
    Ok(fresh(&app, &written))
}

fn filter(act: JobAct, which: Which) -> Result<JobFilter, Problem> {
    let Which { state, queue, topic, error, body } = which;
    let may = states_for(act);
    let one_of = |names: &[&str]| format!("one of {}", names.join(", "));
    let state = JobState::parse(&state).filter(|state| may.contains(state)).ok_or_else(|| {
        let may: Vec<_> = may.iter().map(|state| state.as_str()).collect();
        Problem::field("/filter/state", one_of(&may))
    })?;
    let unknown = || Problem::field("/filter/queue", one_of(Queue::NAMES));
    let queue = queue.map(|name| Queue::parse(&name).ok_or_else(unknown)).transpose()?;
    let texts = [("/filter/topic", &topic), ("/filter/error", &error), ("/filter/body", &body)];
    for (pointer, text) in texts {
        if text.as_ref().is_some_and(|text| text.chars().count() > MOST_TEXT) {
            return Err(Problem::field(pointer, format!("at most {MOST_TEXT} characters")));
        }
    }
    let no_place = |no: NoPlace| Problem::field("/filter/body", no.to_string());
    let body = body.map(|text| text.parse().map_err(no_place)).transpose()?;
    Ok(JobFilter { state: Some(state), queue, topic, error, root: None, body })
}

async fn show_queues(app: Arc<App>, _: Asked) -> Result<Response, Problem> {
    let (queues, workers) = app.jobs.queues().await?;
    let items = queues.into_iter().map(|queue| QueueView::of(queue, &app.door)).collect();
    let workers = workers.into_iter().map(Into::into).collect();
    Ok(fresh(&app, &QueueList { items, workers }))
}

async fn pause_one(app: Arc<App>, asked: Asked, paused: bool) -> Result<Response, Problem> {
    let queue = queue_named(&asked)?;
    app.jobs.pause(queue, paused, by(&asked)).await?;
    Ok(fresh(&app, &queue_now(&app, queue).await?))
}

fn queue_named(asked: &Asked) -> Result<Queue, Problem> {
    Queue::parse(&asked.path[0]).ok_or_else(no_such_queue)
}

async fn queue_now(app: &App, queue: Queue) -> Result<QueueView, Problem> {
    let (queues, _) = app.jobs.queues().await?;
    let queue = queues.into_iter().find(|one| one.queue == queue).ok_or_else(no_such_queue)?;
    Ok(QueueView::of(queue, &app.door))
}

fn no_such_queue() -> Problem {
    let names = Queue::NAMES.join(", ");
    Problem::new(Code::NotFound, format!("there is no such queue; there are {names}"))
}

/// What `MOST_ACTED` says in the description.
const _: () = assert!(MOST_ACTED == 10_000);
