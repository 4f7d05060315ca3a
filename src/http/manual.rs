//! `/docs`: the page that lists the API and lets one try it, and what each problem means.

use crate::{
    http::{
        app::App,
        error::{Code, Problem},
        headers,
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    views::{self, DocsPage, ProblemKind, ProblemsPage},
};
use bytes::Bytes;
use std::sync::Arc;
use warp::reply::Response;

pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/docs", [Operation::page(&[], |a, b| Box::pin(show(a, b)))]),
        Resource::new("/docs/problems", [Operation::page(&[], |a, b| Box::pin(show_all(a, b)))]),
        Resource::new(
            "/docs/problems/{code}",
            [Operation::page(&[], |a, b| Box::pin(show_one(a, b)))],
        ),
    ]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let (_, shell) = app.shell();
    Ok(page(&app, &asked, views::docs_page(&DocsPage { shell: &shell, offset: app.offset() })))
}

async fn show_all(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let kinds: Vec<_> = Code::ALL.iter().map(|code| kind(*code)).collect();
    Ok(explain(&app, &asked, "/docs/problems", &kinds))
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let known = Code::ALL.iter().find(|code| code.slug() == asked.path[0]);
    let code = known.ok_or_else(Problem::not_found)?;
    let path = format!("/docs/problems/{}", code.slug());
    Ok(explain(&app, &asked, &path, &[kind(*code)]))
}

fn kind(code: Code) -> ProblemKind<'static> {
    ProblemKind {
        slug: code.slug(),
        status: code.status().as_u16(),
        title: code.title(),
        about: code.about().trim(),
    }
}

fn explain(app: &App, asked: &Asked, path: &str, kinds: &[ProblemKind<'_>]) -> Response {
    let (_, shell) = app.shell();
    let shown = ProblemsPage { shell: &shell, offset: app.offset(), path, kinds };
    page(app, asked, views::problems_page(&shown))
}

fn page(app: &App, asked: &Asked, bytes: Bytes) -> Response {
    let extra = headers::of_pages(&app.config);
    let page = Page::new("text/html; charset=utf-8", bytes, Keep::Revalidate, &extra);
    page.answer(&asked.method, &asked.headers)
}
