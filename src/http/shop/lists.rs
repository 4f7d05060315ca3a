//! Pages that ask the search index: home, categories, search, and what the search field offers.
//!
//! A list whose answer the index has ready is made on the request's own thread, like a product's
//! page. The others are made in the render pool, which refuses when it is full. Home and category
//! pages are kept under the index's generation; answers to words typed are not, as nearly every
//! one is asked once.

use super::{
    HTML, html, key,
    own::{self, Own},
};
use crate::{
    domain::{
        category::Category,
        id::ProductId,
        search::{SearchPage, SearchQuery, Sort},
    },
    http::{
        api,
        app::App,
        cache::Built,
        error::{Code, Problem},
        extract::{Param, Takes},
        headers,
        page::{Keep, Page},
        question::{self, Question},
        resource::{Asked, Operation, Resource},
    },
    views::{self, CategoryPage, HomePage, ListAddress, Listing, SearchResultsPage},
};
use bytes::Bytes;
use std::sync::Arc;
use warp::reply::Response;

/// Products of a page.
const LENGTH: usize = 24;
/// Products of each strip on the home page.
const STRIP: usize = 12;
const SUGGESTIONS: usize = 6;

const CATEGORY: &[Param] = &[
    question::TEXT,
    question::BRAND,
    question::PRICE_FROM,
    question::PRICE_TO,
    question::IN_STOCK,
    question::SORT,
    question::AFTER,
];
const SEARCH: &[Param] = &[
    question::TEXT,
    question::CATEGORY,
    question::BRAND,
    question::PRICE_FROM,
    question::PRICE_TO,
    question::IN_STOCK,
    question::SORT,
    question::AFTER,
];
const SUGGEST: &[Param] =
    &[Param::new("q", Takes::Text { most: question::MOST_TEXT }, "What has been typed so far.")];

pub(super) fn resources() -> Vec<Resource> {
    vec![
        Resource::new("/", [Operation::shop_page(&[], |a, b| Box::pin(show_home(a, b)))]),
        Resource::new(
            "/c/{slug}",
            [Operation::shop_page(CATEGORY, |a, b| Box::pin(show_category(a, b)))],
        ),
        Resource::new(
            "/search",
            [Operation::shop_page(SEARCH, |a, b| Box::pin(show_search(a, b)))],
        ),
        Resource::new(
            "/search/suggest",
            [Operation::shop_page(SUGGEST, |a, b| Box::pin(show_suggestions(a, b)))],
        ),
    ]
}

async fn show_home(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let app_ = Arc::clone(&app);
    if let Some(own) = Own::of(&app, &asked).await {
        let page = async move { home(&app_, Some(&own)).await };
        return Ok(own::answer(&app.render.page(page).await?, &asked));
    }
    let key = key(&app, app.search.generation(), "/".into());
    let page = async move { home(&app_, Own::of_everybody(&app_).as_ref()).await };
    let build = || app.render.page(page);
    Ok(app.cache.get_or_build(key, build).await?.answer(&asked))
}

async fn home(app: &App, own: Option<&Own>) -> Result<Built, Problem> {
    let offset = app.offset();
    let (_, shell) = app.shell();
    let popular = strip(app, own, Sort::Popularity).await;
    let newest = strip(app, own, Sort::Newest).await;
    let keep = popular.is_ok() && newest.is_ok();
    let (popular_ids, popular) = popular.unwrap_or_default();
    let (newest_ids, newest) = newest.unwrap_or_default();
    let page = HomePage {
        shell: &shell,
        offset,
        products: app.documents.count()?,
        popular: &popular,
        newest: &newest,
        visitor: own.and_then(|own| own.visitor),
    };
    let products = popular_ids.into_iter().chain(newest_ids).collect();
    Ok(Built { page: html(app, views::home(&page)), products, keep })
}

/// The first products in an order, with their cards.
async fn strip(
    app: &App,
    own: Option<&Own>,
    sort: Sort,
) -> Result<(Vec<ProductId>, Vec<Bytes>), Problem> {
    let everything = SearchQuery::everything((*app.scope).clone());
    let query = SearchQuery { sort, limit: STRIP, ..everything };
    let found = app.search.search(query).await?;
    cards(app, own, found.hits.iter().map(|hit| hit.product))
}

/// Products with their cards; one that is gone from the documents is left out.
fn cards(
    app: &App,
    own: Option<&Own>,
    ids: impl Iterator<Item = ProductId>,
) -> Result<(Vec<ProductId>, Vec<Bytes>), Problem> {
    let ids: Vec<_> = ids.collect();
    let cards = match own {
        Some(own) => own.cards(app, &ids)?,
        None => app.documents.cards(&app.scope, &ids)?.into_iter().flatten().collect(),
    };
    Ok((ids, cards))
}

async fn show_category(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let tree = app.documents.categories(&app.scope);
    let nothing = || Problem {
        detail: "there is no category at this address".into(),
        ..Problem::not_found()
    };
    let category = tree.by_slug(&asked.path[0]).ok_or_else(nothing)?.clone();
    let question = Question::of(&app, Some(&category), &asked.query)?;
    let kept = question.asked().text.is_empty();
    let path = views::category_path(&category.slug);
    let address = address(&path, &asked);
    show_list(app, asked, question, Kind::Category(category), address, kept).await
}

async fn show_search(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let tree = app.documents.categories(&app.scope);
    let question = Question::read(&app, &tree, &asked.query)?;
    let chosen = question.asked().category.and_then(|id| tree.by_id(id)).cloned();
    let kept = question.asked().text.is_empty();
    let address = address("/search", &asked);
    show_list(app, asked, question, Kind::Search(chosen), address, kept).await
}

fn address(path: &str, asked: &Asked) -> String {
    match asked.query.address() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// Which page a list is on.
enum Kind {
    Category(Category),
    /// With the category it is narrowed to.
    Search(Option<Category>),
}

async fn show_list(
    app: Arc<App>,
    asked: Asked,
    question: Question,
    kind: Kind,
    address: String,
    kept: bool,
) -> Result<Response, Problem> {
    let key = key(&app, app.search.generation(), address);
    let own = Own::of(&app, &asked).await;
    let is_own = own.is_some();
    let own = own.or_else(|| Own::of_everybody(&app)).map(Arc::new);
    let build = async || {
        let query = question.query(LENGTH, true);
        let offset = app.offset();
        if let Some(found) = app.search.ready(&query) {
            return list(&app, own.as_deref(), offset, &question, &kind, Some(found));
        }
        let (app_, own) = (Arc::clone(&app), own.clone());
        let page = async move {
            let found = match (app_.search.search(query).await, &kind) {
                (Ok(found), _) => Some(found),
                // A category without its products still leads somewhere; a search without does not.
                (Err(problem), Kind::Category(_)) if problem.code == Code::Unavailable => None,
                (Err(problem), _) => return Err(problem),
            };
            list(&app_, own.as_deref(), offset, &question, &kind, found)
        };
        app.render.page(page).await
    };
    if is_own {
        return Ok(own::answer(&build().await?, &asked));
    }
    if kept {
        return Ok(app.cache.get_or_build(key, build).await?.answer(&asked));
    }
    Ok(build().await?.page.answer(&asked.method, &asked.headers))
}

/// `offset` is the log's place before the index was asked.
fn list(
    app: &App,
    own: Option<&Own>,
    offset: i64,
    question: &Question,
    kind: &Kind,
    found: Option<SearchPage>,
) -> Result<Built, Problem> {
    let (tree, shell) = app.shell();
    let hits = found.iter().flat_map(|found| &found.hits).map(|hit| hit.product);
    let (products, cards) = cards(app, own, hits)?;
    let next = found.as_ref().and_then(|found| question.next(LENGTH, found));
    let path = match kind {
        Kind::Category(category) => views::category_path(&category.slug),
        Kind::Search(_) => "/search".to_owned(),
    };
    let chosen = match kind {
        Kind::Search(Some(category)) => Some(category.slug.as_str()),
        _ => None,
    };
    let asked = question.asked();
    let listing = Listing {
        shell: &shell,
        offset,
        tree: &tree,
        address: ListAddress {
            text: &asked.text,
            category: chosen,
            brands: &asked.brands,
            price_from: asked.price_from,
            price_to: asked.price_to,
            in_stock: asked.in_stock,
            sort: asked.sort,
            ..shell.list_at(&path)
        },
        total: found.as_ref().map_or(0, |found| found.total),
        cards: &cards,
        facets: found.as_ref().map(|found| &*found.facets),
        next: next.as_deref(),
        continued: question.is_continued(),
        visitor: own.and_then(|own| own.visitor),
    };
    let bytes = match kind {
        Kind::Category(category) => views::category(&CategoryPage { category, list: listing }),
        Kind::Search(_) => {
            let corrected = found.as_ref().is_some_and(|found| found.corrected);
            views::search(&SearchResultsPage { corrected, list: listing })
        }
    };
    Ok(Built { page: html(app, bytes), products, keep: found.is_some() })
}

async fn show_suggestions(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let typed = asked.query.text("q").unwrap_or_default();
    let own = Own::of(&app, &asked).await;
    let is_own = own.is_some();
    let found = match own.or_else(|| Own::of_everybody(&app)) {
        Some(own) => own.suggestions(&app, typed, SUGGESTIONS).await?,
        None => api::search::suggestions(&app, typed, SUGGESTIONS).await?,
    };
    let bytes = views::suggestions_html(&found);
    if is_own {
        let page = Page::new(HTML, bytes, Keep::Revalidate, &headers::of_data(&app.config));
        return Ok(own::answer(&Built { page, products: Vec::new(), keep: false }, &asked));
    }
    let page = Page::new(HTML, bytes, Keep::Revalidate, &headers::of_data(&app.config));
    Ok(page.answer(&asked.method, &asked.headers))
}
