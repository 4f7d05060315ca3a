//! `/api/v1/categories`: the category tree, whole or one node of it.

use super::JSON;
use crate::{
    domain::category::{Category, CategoryTree},
    http::{
        access::Access,
        app::App,
        cache::{Built, Key},
        error::Problem,
        extract::{Param, Takes, encode},
        headers,
        openapi::{Doc, json},
        page::{Keep, Page},
        resource::{Asked, Operation, Resource},
    },
    views::CategoryView,
};
use http::Method;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use warp::reply::Response;

const LIST: &[Param] = &[Param::new(
    "form",
    Takes::OneOf(&["tree", "flat"]),
    "`tree` (the default): roots with their children; `flat`: all in one list.",
)];
const SLUG: Param = Param::new("slug", Takes::Text { most: 200 }, "The category's slug.");
/// Below this depth the tree is cut: a loop in the data must not be one here.
const MOST_DEPTH: usize = 32;

/// Categories in the order they are shown.
#[derive(Serialize, ToSchema)]
struct CategoryList {
    items: Vec<CategoryNode>,
}

/// One category.
#[derive(Serialize, ToSchema)]
struct CategoryNode {
    id: Uuid,
    slug: String,
    name: String,
    /// The slug of the one above; `null` for a root.
    #[schema(required)]
    parent: Option<String>,
    position: i32,
    /// Those below it; only in the form `tree` and of a single category.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    children: Option<Vec<CategoryNode>>,
}

/// One category with the way to it and those below it.
#[derive(Serialize, ToSchema)]
struct CategoryDetail {
    id: Uuid,
    slug: String,
    name: String,
    /// From the root down, itself included.
    path: Vec<CategoryView>,
    children: Vec<CategoryNode>,
}

pub(super) fn resources() -> Vec<Resource> {
    let list = Doc::new("list_categories", "catalogue", "The category tree")
        .answer(200, "All categories.", json::<CategoryList>())
        .bare(304, "Nothing has changed.");
    let one = Doc::new("get_category", "catalogue", "One category")
        .place(SLUG)
        .answer(200, "The category.", json::<CategoryDetail>())
        .bare(304, "Nothing has changed.");
    let anyone = |params, run| Operation::new(Method::GET, Access::Anyone, params, run);
    vec![
        Resource::new(
            "/api/v1/categories",
            [anyone(LIST, |a, b| Box::pin(show_list(a, b))).doc(list)],
        ),
        Resource::new(
            "/api/v1/categories/{slug}",
            [anyone(&[], |a, b| Box::pin(show_one(a, b))).doc(one)],
        ),
    ]
}

async fn show_list(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let flat = asked.query.text("form") == Some("flat");
    let address = if flat { "/api/v1/categories?form=flat" } else { "/api/v1/categories" };
    cached(&app, &asked, address.into(), |tree| {
        let items = if flat {
            tree.all().iter().map(|one| CategoryNode::of(tree, one, None)).collect()
        } else {
            tree.roots().map(|root| CategoryNode::with_children(tree, root, 0)).collect()
        };
        Ok(serde_json::to_vec(&CategoryList { items }).unwrap_or_default())
    })
    .await
}

async fn show_one(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let slug = &asked.path[0];
    let address = format!("/api/v1/categories/{}", encode(slug));
    cached(&app, &asked, address.into(), |tree| {
        let one = tree.by_slug(slug).ok_or_else(Problem::not_found)?;
        let children = tree.children(one.id).map(|child| CategoryNode::of(tree, child, None));
        let detail = CategoryDetail {
            id: one.id.0,
            slug: one.slug.clone(),
            name: one.name.clone(),
            path: tree.path(one.id).iter().map(CategoryView::from).collect(),
            children: children.collect(),
        };
        Ok(serde_json::to_vec(&detail).unwrap_or_default())
    })
    .await
}

/// What only the tree decides: kept until the tree changes.
async fn cached(
    app: &App,
    asked: &Asked,
    address: Box<str>,
    write: impl FnOnce(&CategoryTree) -> Result<Vec<u8>, Problem>,
) -> Result<Response, Problem> {
    let key = Key { scope: Arc::clone(&app.scope), generation: 0, prices: 0, address };
    let build = || async {
        let json = write(&app.documents.categories(&app.scope))?;
        let extra = headers::of_data(&app.config);
        let page = Page::new(JSON, json.into(), Keep::Revalidate, &extra);
        Ok(Built { page, products: Vec::new(), keep: true })
    };
    Ok(app.cache.get_or_build(key, build).await?.answer(asked))
}

impl CategoryNode {
    fn of(tree: &CategoryTree, one: &Category, children: Option<Vec<Self>>) -> Self {
        Self {
            id: one.id.0,
            slug: one.slug.clone(),
            name: one.name.clone(),
            parent: one.parent.and_then(|id| tree.by_id(id)).map(|parent| parent.slug.clone()),
            position: one.position,
            children,
        }
    }

    fn with_children(tree: &CategoryTree, one: &Category, depth: usize) -> Self {
        let children = match depth {
            MOST_DEPTH.. => Vec::new(),
            _ => tree
                .children(one.id)
                .map(|child| Self::with_children(tree, child, depth + 1))
                .collect(),
        };
        Self::of(tree, one, Some(children))
    }
}
