//! `/api/v1/imports`: catalogue rows in, and how far each run is. For administrators.

use super::{
    events::{self, Standing},
    fresh, link_next, write_value,
};
use crate::{
    domain::{id::ImportId, money::Currency, time::Micros},
    http::{
        access::Access,
        app::App,
        cursor::{self, BeforeImport},
        error::{Code, Problem},
        extract::{Param, Takes},
        handles::Rows,
        headers,
        openapi::{Doc, json, media},
        resource::{self, Asked, Intake, Operation, Resource},
    },
    ports::imports::{Compression, Import, ImportOptions, ImportState, RowFormat},
};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const CREATE: &[Param] = &[
    Param::new("name", Takes::Text { most: 200 }, "What to call the run: a file's name."),
    Param::new("dry_run", Takes::Flag, "Check the rows and count, but change nothing."),
    Param::new(
        "currency",
        Takes::Formed { most: 3, pattern: "^[A-Z]{3}$" },
        "Of prices that name none (ISO 4217); the shop's own when left out.",
    ),
    Param::new(
        "map.",
        Takes::Text { most: 200 },
        "`map.FIELD=COLUMN`: the column a product's field is read from, where they differ.",
    ),
];
const LIST: &[Param] = &[
    Param::new(
        "after",
        Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
        "Where to go on: `next` of the answer before.",
    ),
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Runs at most."),
];
const ID: Param = Param::new(
    "id",
    Takes::Formed { most: 36, pattern: "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$" },
    "The run's id.",
);
const ERRORS: &[Param] = &[
    Param::new(
        "after",
        Takes::Integer { least: 0, most: 1_000_000_000, default: 0 },
        "Rejected rows to pass over.",
    ),
    Param::new(
        "limit",
        Takes::Integer { least: 1, most: 10_000, default: 1_000 },
        "Rejected rows at most.",
    ),
];
const LINES: &[&str] = &["application/x-ndjson", "application/jsonl", "application/x-jsonlines"];
const CSV: &str = "text/csv";
const ADDRESS: &str = "/api/v1/imports";
const UNKNOWN: &str = "there is no such import";

/// Runs, newest first.
#[derive(Serialize, ToSchema)]
struct ImportList {
    items: Vec<ImportView>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

/// One run.
#[derive(Serialize, ToSchema)]
struct ImportView {
    id: Uuid,
    name: String,
    state: ImportStateView,
    dry_run: bool,
    /// How much of the source is done, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    progress: f64,
    /// Rows so far: `read` is the sum of the others.
    counts: ImportCountsView,
    source_bytes: u64,
    /// SHA-256 of the rows as they were sent, in hex: tells whether a file was imported before.
    source_hash: String,
    /// What stopped it, or what is worth knowing of one that succeeded.
    #[schema(required)]
    message: Option<String>,
    /// Where the rejected rows are told with their reasons.
    errors: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ImportStateView {
    Pending,
    Running,
    Succeeded,
    /// Could not go on; it may be resumed.
    Failed,
    Cancelled,
}

#[derive(Serialize, ToSchema)]
struct ImportCountsView {
    read: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    rejected: u64,
}

pub(super) fn resources() -> Vec<Resource> {
    let tag = "imports";
    let create = Doc::new("create_import", tag, "Import products")
        .about(
            "The body is JSON lines or CSV, and may be compressed (`Content-Encoding: gzip` or \
             `zstd`). Answered when the last row has arrived and is stored; the run goes on from \
             there. Columns that have other names than their fields are given as \
             `map.FIELD=COLUMN`.",
        )
        .body(media(LINES[0]))
        .body(media(CSV))
        .answer(202, "The rows are stored, and the run waits its turn.", json::<ImportView>())
        .problem(Code::NoRoom)
        .problem(Code::BadContent);
    let list = Doc::new("list_imports", tag, "Import runs, newest first").answer(
        200,
        "Some runs.",
        json::<ImportList>(),
    );
    let one = Doc::new("get_import", tag, "How far a run is").place(ID).answer(
        200,
        "The run.",
        json::<ImportView>(),
    );
    let cancel = Doc::new("cancel_import", tag, "Stop a run")
        .about("What it has imported stays.")
        .place(ID)
        .answer(200, "The run as it is now.", json::<ImportView>())
        .problem(Code::Conflict);
    let errors = Doc::new("get_import_errors", tag, "A run's rejected rows")
        .about("One JSON object a line, with the row's line, field, reason and SKU, in the order of the rows.")
        .place(ID)
        .answer(200, "The rows.", media("application/x-ndjson"));
    let follow = events::doc("follow_import", tag, "How far a run is, as it goes on").place(ID);
    let resume = Doc::new("resume_import", tag, "Go on with a run that failed")
        .place(ID)
        .answer(202, "The run waits its turn.", json::<ImportView>())
        .problem(Code::Conflict);
    let admin = |method, params, run| Operation::new(method, Access::Admin, params, run);
    vec![
        Resource::new(
            ADDRESS,
            [
                admin(Method::GET, LIST, |a, b| Box::pin(show_list(a, b))).doc(list),
                admin(Method::POST, CREATE, |a, b| Box::pin(submit(a, b)))
                    .takes(Intake::Rows)
                    .doc(create),
            ],
        ),
        Resource::new(
            "/api/v1/imports/{id}",
            [
                admin(Method::GET, &[], |a, b| Box::pin(show(a, b))).doc(one),
                admin(Method::DELETE, &[], |a, b| Box::pin(cancel_run(a, b))).doc(cancel),
            ],
        ),
        Resource::new(
            "/api/v1/imports/{id}/errors",
            [admin(Method::GET, ERRORS, |a, b| Box::pin(show_errors(a, b))).doc(errors)],
        ),
        Resource::new(
            "/api/v1/imports/{id}/events",
            [admin(Method::GET, &[], |a, b| Box::pin(follow_run(a, b))).doc(follow)],
        ),
        Resource::new(
            "/api/v1/imports/{id}/resume",
            [admin(Method::POST, &[], |a, b| Box::pin(resume_run(a, b))).doc(resume)],
        ),
    ]
}

async fn submit(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let query = &asked.query;
    let currency = match query.text("currency") {
        None => app.config.currency,
        Some(text) => text
            .parse::<Currency>()
            .map_err(|error| Problem::parameter("currency", error.to_string()))?,
    };
    let map: BTreeMap<String, String> =
        query.below("map.").map(|(field, column)| (field.to_owned(), column.to_owned())).collect();
    let options = ImportOptions {
        format: format_of(&asked.headers)?,
        compression: compression_of(&asked.headers)?,
        map,
        currency,
        dry_run: query.flag("dry_run"),
    };
    let name = query.text("name").unwrap_or("upload").to_owned();
    let over = Arc::new(AtomicBool::new(false));
    let rows = watched(asked.body.pieces(), Arc::clone(&over));
    match app.imports.submit(name, options, rows).await {
        Ok(import) => Ok(accepted(&app, import)),
        Err(_) if over.load(Ordering::Acquire) => {
            Err(Problem::too_large(app.config.import_body_bytes))
        }
        Err(problem) => Err(problem),
    }
}

/// Notes when the rows were cut off because there were too many, which whoever reads them can't
/// tell from a client that broke off.
fn watched(rows: Rows, over: Arc<AtomicBool>) -> Rows {
    Box::pin(rows.inspect(move |piece| {
        if piece.as_ref().is_err_and(resource::is_too_large) {
            over.store(true, Ordering::Release);
        }
    }))
}

fn format_of(headers: &HeaderMap) -> Result<RowFormat, Problem> {
    match resource::media_type(headers).as_deref() {
        Some(CSV) => Ok(RowFormat::Csv),
        Some(given) if LINES.contains(&given) => Ok(RowFormat::JsonLines),
        _ => Err(Problem::new(
            Code::UnsupportedMediaType,
            "the rows must be application/x-ndjson or text/csv",
        )),
    }
}

fn compression_of(headers: &HeaderMap) -> Result<Compression, Problem> {
    let given = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    match given.map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"identity") => Ok(Compression::None),
        Some(b"gzip" | b"x-gzip") => Ok(Compression::Gzip),
        Some(b"zstd") => Ok(Compression::Zstd),
        Some(_) => Err(Problem::new(
            Code::UnsupportedMediaType,
            "the rows may be compressed by gzip or zstd alone",
        )),
    }
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let limit = asked.query.size("limit");
    let before = asked.query.text("after").map(|text| cursor::read::<BeforeImport>("after", text));
    let before = before.transpose()?.map(|place| ImportId(place.0));
    let mut found = app.imports.list(before, limit as u32 + 1).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let next = match found.last() {
        Some(last) if more => Some(cursor::write(BeforeImport(last.id.0))),
        _ => None,
    };
    let items = found.iter().map(ImportView::of).collect();
    let mut response = fresh(&app, &ImportList { items, next: next.clone() });
    link_next(&mut response, ADDRESS, &asked.query.address(), next.as_deref());
    Ok(response)
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let import = known(app.imports.get(id(&asked)?).await)?;
    Ok(fresh(&app, &ImportView::of(&import)))
}

async fn show_errors(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let id = id(&asked)?;
    known(app.imports.get(id).await)?;
    let (after, limit) = (asked.query.size("after"), asked.query.size("limit"));
    let mut lines = Vec::new();
    for error in app.imports.errors(id, after, limit).await? {
        write_value(&mut lines, &error);
        lines.push(b'\n');
    }
    let mut response = Response::new(lines.into());
    *response.headers_mut() = headers::of_data(&app.config);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn follow_run(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (id, imports) = (id(&asked)?, Arc::clone(&app.imports));
    let look = move || {
        let imports = Arc::clone(&imports);
        async move {
            let found = imports.get(id).await?;
            let standing = |run: Import| Standing::new(&ImportView::of(&run), run.state.is_ended());
            Ok(found.map(standing))
        }
    };
    events::follow(&app, &asked, UNKNOWN, look).await
}

async fn cancel_run(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let import = known(app.imports.cancel(id(&asked)?).await)?;
    Ok(fresh(&app, &ImportView::of(&import)))
}

async fn resume_run(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let import = known(app.imports.resume(id(&asked)?).await)?;
    Ok(accepted(&app, import))
}

fn accepted(app: &App, import: Import) -> Response {
    let mut response = fresh(app, &ImportView::of(&import));
    *response.status_mut() = StatusCode::ACCEPTED;
    if let Ok(place) = HeaderValue::from_str(&format!("{ADDRESS}/{}", import.id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// What can't be an id names no run.
fn id(asked: &Asked) -> Result<ImportId, Problem> {
    asked.path[0].parse().map_err(|_| Problem::not_found())
}

fn known<T>(found: Result<Option<T>, Problem>) -> Result<T, Problem> {
    found?.ok_or_else(|| Problem::new(Code::NotFound, UNKNOWN))
}

impl ImportView {
    fn of(import: &Import) -> Self {
        let counts = import.counts;
        let done = import.bytes_done as f64 / import.source_bytes.max(1) as f64;
        let ended = import.state == ImportState::Succeeded;
        let time = |at: Micros| at.rfc3339();
        Self {
            id: import.id.0,
            name: import.name.clone(),
            state: import.state.into(),
            dry_run: import.options.dry_run,
            progress: if ended { 1.0 } else { done.min(1.0) },
            counts: ImportCountsView {
                read: counts.read,
                created: counts.created,
                updated: counts.updated,
                unchanged: counts.unchanged,
                rejected: counts.rejected,
            },
            source_bytes: import.source_bytes,
            source_hash: import.source_hash.clone(),
            message: import.message.clone(),
            errors: format!("{ADDRESS}/{}/errors", import.id),
            created_at: time(import.created_at),
            updated_at: time(import.updated_at),
        }
    }
}

impl From<ImportState> for ImportStateView {
    fn from(state: ImportState) -> Self {
        match state {
            ImportState::Pending => Self::Pending,
            ImportState::Running => Self::Running,
            ImportState::Succeeded => Self::Succeeded,
            ImportState::Failed => Self::Failed,
            ImportState::Cancelled => Self::Cancelled,
        }
    }
}
