//! `/api/v1/search`: the index, by words and filters, and what it offers while typing.

use super::{fresh, fresh_bytes, link_next, products, write_value};
use crate::{
    domain::{
        document::ProductDocument,
        search::{Hit, SearchPage},
    },
    http::{
        access::Access,
        app::App,
        error::Problem,
        extract::{Param, Takes},
        openapi::{Doc, json},
        question::{self, Question},
        resource::{Asked, Operation, Resource},
    },
    views::{PriceView, SuggestedProduct, SuggestionsView},
};
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use std::{cmp::Reverse, sync::Arc};
use utoipa::ToSchema;
use warp::reply::Response;

const SEARCH: &[Param] = &[
    question::TEXT,
    question::CATEGORY,
    question::BRAND,
    question::PRICE_FROM,
    question::PRICE_TO,
    question::IN_STOCK,
    question::SORT,
    question::AFTER,
    Param::new("limit", Takes::Integer { least: 1, most: 100, default: 24 }, "Products at most."),
    Param::new("facets", Takes::Flag, "Whether to count what the filters would leave."),
    products::FIELDS_PARAM,
];
const SUGGEST: &[Param] = &[
    Param::new("q", Takes::Text { most: question::MOST_TEXT }, "What has been typed so far.")
        .required(),
    Param::new("limit", Takes::Integer { least: 1, most: 20, default: 8 }, "Products at most."),
];

/// What was found.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description: the answer is put together from ready parts")]
struct SearchAnswer {
    /// Best first, or as `sort` says.
    items: Vec<SearchItem>,
    /// How many there are in all.
    total: u64,
    /// True when nothing held the words as typed and near spellings were taken.
    corrected: bool,
    /// Only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<FacetsView>,
    /// Hand it back as `after` for the next ones; `null` at the end.
    #[schema(required)]
    next: Option<String>,
}

/// One product that was found, and where.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a description: the answer is put together from ready parts")]
struct SearchItem {
    product: products::SparseProduct,
    highlights: Highlights,
}

/// Which parts of the texts matched, as ranges of bytes: from, and the first one behind.
#[derive(Serialize, ToSchema)]
struct Highlights {
    /// In the product's name.
    name: Vec<[usize; 2]>,
    #[schema(required)]
    snippet: Option<Snippet>,
}

/// A piece of the description.
#[derive(Serialize, ToSchema)]
struct Snippet {
    text: String,
    matches: Vec<[usize; 2]>,
}

/// What each further filter would leave. A facet's counts leave out its own filter.
#[derive(Serialize, ToSchema)]
struct FacetsView {
    /// Most products first.
    categories: Vec<CategoryCount>,
    brands: Vec<BrandCount>,
    prices: Vec<PriceCount>,
    in_stock: u64,
    without_price: u64,
}

#[derive(Serialize, ToSchema)]
struct CategoryCount {
    slug: String,
    name: String,
    count: u64,
}

#[derive(Serialize, ToSchema)]
struct BrandCount {
    name: String,
    count: u64,
}

/// `from` is included, `to` is not; `null` is open.
#[derive(Serialize, ToSchema)]
struct PriceCount {
    from: PriceView,
    #[schema(required)]
    to: Option<PriceView>,
    count: u64,
}

pub(super) fn resources() -> Vec<Resource> {
    let search = Doc::new("search_products", "search", "Find products")
        .about("Takes near spellings when nothing holds the words as typed.")
        .answer(200, "What was found.", json::<SearchAnswer>());
    let suggest = Doc::new("suggest", "search", "What to offer while somebody types").answer(
        200,
        "Products and brands.",
        json::<SuggestionsView>(),
    );
    let anyone = |params, run| Operation::new(Method::GET, Access::Anyone, params, run);
    vec![
        Resource::new("/api/v1/search", [anyone(SEARCH, |a, b| Box::pin(show(a, b))).doc(search)]),
        Resource::new(
            "/api/v1/search/suggestions",
            [anyone(SUGGEST, |a, b| Box::pin(show_suggestions(a, b))).doc(suggest)],
        ),
    ]
}

async fn show(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let tree = app.documents.categories(&app.scope);
    let question = Question::read(&app, &tree, &asked.query)?;
    let query = question.query(asked.query.size("limit"), asked.query.flag("facets"));
    let (limit, with_facets) = (query.limit, query.facets);
    let found = app.search.search(query).await?;
    let next = question.next(limit, &found);
    let ids: Vec<_> = found.hits.iter().map(|hit| hit.product).collect();
    let products = app.documents.json(&app.scope, &ids)?;
    let wish = products::Wish::of(&asked);

    let mut out = Vec::with_capacity(4_096 * ids.len() + 512);
    out.extend_from_slice(b"{\"items\":[");
    let mut first = true;
    // A product that is gone from the documents is one that the index is about to forget.
    for (hit, json) in found.hits.iter().zip(products).filter_map(|(h, j)| Some((h, j?))) {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_item(&mut out, hit, &wish.pick(&json));
    }
    out.extend_from_slice(b"],\"total\":");
    write_value(&mut out, &found.total);
    out.extend_from_slice(b",\"corrected\":");
    write_value(&mut out, &found.corrected);
    if with_facets {
        out.extend_from_slice(b",\"facets\":");
        write_value(&mut out, &FacetsView::of(&app, &found));
    }
    out.extend_from_slice(b",\"next\":");
    write_value(&mut out, &next);
    out.push(b'}');
    let mut response = fresh_bytes(&app, out);
    link_next(&mut response, "/api/v1/search", &asked.query.address(), next.as_deref());
    Ok(response)
}

fn write_item(out: &mut Vec<u8>, hit: &Hit, product: &Bytes) {
    let ranges = |of: &[(usize, usize)]| of.iter().map(|(from, to)| [*from, *to]).collect();
    let snippet = hit.snippet.as_ref();
    let highlights = Highlights {
        name: ranges(&hit.name_matches),
        snippet: snippet.map(|(text, of)| Snippet { text: text.clone(), matches: ranges(of) }),
    };
    out.extend_from_slice(b"{\"product\":");
    out.extend_from_slice(product);
    out.extend_from_slice(b",\"highlights\":");
    write_value(out, &highlights);
    out.push(b'}');
}

impl FacetsView {
    fn of(app: &App, found: &SearchPage) -> Self {
        let tree = app.documents.categories(&app.scope);
        let facets = &found.facets;
        let currency = app.config.currency;
        let price = |minor| PriceView::from(&crate::domain::money::Money { minor, currency });
        let mut by_count: Vec<_> = facets.categories.iter().collect();
        by_count.sort_by_key(|(id, count)| (Reverse(*count), *id));
        let categories = by_count.into_iter().filter_map(|(id, count)| {
            let one = tree.by_id(*id)?;
            Some(CategoryCount { slug: one.slug.clone(), name: one.name.clone(), count: *count })
        });
        let brands = facets.brands.iter();
        let prices = facets.prices.iter();
        Self {
            categories: categories.collect(),
            brands: brands
                .map(|(name, count)| BrandCount { name: name.clone(), count: *count })
                .collect(),
            prices: prices
                .map(|b| PriceCount { from: price(b.from), to: b.to.map(price), count: b.count })
                .collect(),
            in_stock: facets.in_stock,
            without_price: facets.without_price,
        }
    }
}

async fn show_suggestions(app: Arc<App>, asked: Asked) -> Result<Response, Problem> {
    let typed = asked.query.text("q").unwrap_or_default();
    Ok(fresh(&app, &suggestions(&app, typed, asked.query.size("limit")).await?))
}

/// What to offer for `typed`.
pub(crate) async fn suggestions(
    app: &App,
    typed: &str,
    limit: usize,
) -> Result<SuggestionsView, Problem> {
    suggestions_as(app, typed, limit, |document| Ok(SuggestedProduct::from(document))).await
}

/// The same, each product as `shown` says.
pub(crate) async fn suggestions_as(
    app: &App,
    typed: &str,
    limit: usize,
    shown: impl Fn(&ProductDocument) -> Result<SuggestedProduct, Problem>,
) -> Result<SuggestionsView, Problem> {
    if typed.trim().is_empty() {
        return Ok(SuggestionsView { products: Vec::new(), brands: Vec::new() });
    }
    let found = app.search.suggest((*app.scope).clone(), typed.to_owned(), limit).await?;
    let products = app.documents.by_ids(&app.scope, &found.products)?;
    let products = products.iter().flatten().map(|one| shown(&one.document));
    Ok(SuggestionsView { products: products.collect::<Result<_, _>>()?, brands: found.brands })
}
