//! A question to the search index as an address asks it: the same names and rules for the API and
//! the shop's lists.

use crate::{
    domain::{
        category::{Category, CategoryTree},
        search::{MOST_OFFSET, SearchPage, SearchQuery, Sort},
    },
    http::{
        app::App,
        cursor::{self, IntoHits},
        error::Problem,
        extract::{Param, Query, Takes, nearest},
    },
    views::param,
};

/// Characters of the words searched for.
pub(crate) const MOST_TEXT: usize = 200;

const SORTS: &[&str] =
    &["relevance", "popularity", "price_ascending", "price_descending", "name", "newest"];

pub(crate) const TEXT: Param =
    Param::new(param::TEXT, Takes::Text { most: MOST_TEXT }, "Words to search for.");
pub(crate) const CATEGORY: Param = Param::new(
    param::CATEGORY,
    Takes::Text { most: 200 },
    "A category's slug: it and all below it.",
);
pub(crate) const BRAND: Param =
    Param::new(param::BRAND, Takes::Text { most: 200 }, "A brand; any of those given.").many(20);
pub(crate) const PRICE_FROM: Param =
    Param::new(param::PRICE_FROM, Takes::Amount, "The least price, included: `49.99`.");
pub(crate) const PRICE_TO: Param =
    Param::new(param::PRICE_TO, Takes::Amount, "The highest price, included: `49.99`.");
pub(crate) const IN_STOCK: Param =
    Param::new(param::IN_STOCK, Takes::Flag, "Only what can be bought.");
pub(crate) const SORT: Param = Param::new(param::SORT, Takes::OneOf(SORTS), "The order.");
pub(crate) const AFTER: Param = Param::new(
    param::AFTER,
    Takes::Formed { most: cursor::MOST, pattern: cursor::PATTERN },
    "Where to go on: `next` of the answer before.",
);

/// Words, filters and order, without a place in the answer.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    asked: SearchQuery,
    offset: usize,
}

impl Question {
    /// Reads a whole question; names what can't be one.
    pub(crate) fn read(app: &App, tree: &CategoryTree, query: &Query) -> Result<Self, Problem> {
        let category = match query.optional(param::CATEGORY) {
            Some(slug) => Some(tree.by_slug(slug).ok_or_else(|| no_category(tree, slug))?),
            None => None,
        };
        Self::of(app, category, query)
    }

    /// As [`Self::read`], in a category that the path names.
    pub(crate) fn of(
        app: &App,
        category: Option<&Category>,
        query: &Query,
    ) -> Result<Self, Problem> {
        let price_from = query.amount(param::PRICE_FROM, app.config.currency)?;
        let price_to = query.amount(param::PRICE_TO, app.config.currency)?;
        if let (Some(from), Some(to)) = (price_from, price_to)
            && from > to
        {
            return Err(Problem::parameter(param::PRICE_TO, "is below price_from"));
        }
        let mut brands: Vec<String> = query.all(param::BRAND).map(str::to_owned).collect();
        brands.sort_unstable();
        brands.dedup();
        let mut asked = SearchQuery {
            text: query.optional(param::TEXT).unwrap_or_default().trim().to_owned(),
            category: category.map(|category| category.id),
            brands,
            price_from,
            price_to,
            in_stock: query.optional(param::IN_STOCK) == Some("true"),
            sort: query.optional(param::SORT).and_then(sort).unwrap_or_default(),
            ..SearchQuery::everything((*app.scope).clone())
        };
        // The fingerprint is of the question alone: neither place nor length belong to it.
        (asked.offset, asked.limit) = (0, 0);
        let offset = match query.optional(param::AFTER) {
            None => 0,
            Some(text) => {
                let place = cursor::read::<IntoHits>(param::AFTER, text)?;
                if place.question != cursor::fingerprint(&asked) || place.offset > MOST_OFFSET {
                    let told = "belongs to another search; leave it out to begin again";
                    return Err(Problem::of_parameter(
                        crate::http::error::Code::BadCursor,
                        param::AFTER,
                        told.to_owned(),
                    ));
                }
                place.offset
            }
        };
        Ok(Self { asked, offset })
    }

    /// To be asked.
    pub(crate) fn query(&self, limit: usize, facets: bool) -> SearchQuery {
        SearchQuery { offset: self.offset, limit, facets, ..self.asked.clone() }
    }

    pub(crate) fn asked(&self) -> &SearchQuery {
        &self.asked
    }

    /// Whether a cursor led here.
    pub(crate) fn is_continued(&self) -> bool {
        self.offset > 0
    }

    /// The cursor behind an answer, if there is more that can be reached.
    pub(crate) fn next(&self, limit: usize, found: &SearchPage) -> Option<String> {
        let offset = self.offset + limit;
        let more = (offset as u64) < found.total && offset <= MOST_OFFSET;
        let question = cursor::fingerprint(&self.asked);
        more.then(|| cursor::write(IntoHits { offset, question }))
    }
}

fn sort(name: &str) -> Option<Sort> {
    Some(match name {
        "relevance" => Sort::Relevance,
        "popularity" => Sort::Popularity,
        "price_ascending" => Sort::PriceAscending,
        "price_descending" => Sort::PriceDescending,
        "name" => Sort::Name,
        "newest" => Sort::Newest,
        _ => return None,
    })
}

fn no_category(tree: &CategoryTree, slug: &str) -> Problem {
    let near = nearest(slug, tree.all().iter().map(|category| category.slug.as_str()));
    let told = match near {
        Some(near) => format!("there is no such category; did you mean {near}?"),
        None => "there is no such category".to_owned(),
    };
    Problem::parameter(param::CATEGORY, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_a_name() {
        for name in SORTS {
            let sort = sort(name).unwrap();
            assert_eq!(serde_json::to_value(sort).unwrap(), *name);
        }
    }
}
