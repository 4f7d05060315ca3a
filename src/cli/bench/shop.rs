//! What to ask a shop for: its own products, their categories, and searches a person might type.

use super::draws::Chance;
use crate::cli::{
    Failure,
    client::{Client, escaped},
};
use serde::Deserialize;
use std::collections::HashSet;

/// Rows of one page of the API's list.
const PAGE: usize = 100;
/// Words shorter than this have too many neighbours for a typo to be one.
const LEAST_WORD: usize = 5;
/// Orders of a list beside the first one.
const SORTS: &[&str] = &["price_ascending", "price_descending", "name", "newest"];

/// A product as far as it is needed to ask for it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Product {
    sku: String,
    slug: String,
    name: String,
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Debug, Clone, Deserialize)]
struct Category {
    slug: String,
}

/// A list's answer, as far as it is needed to ask for others like it.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct List {
    next: Option<String>,
    #[serde(default)]
    facets: Filters,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Filters {
    brands: Vec<Brand>,
}

#[derive(Debug, Clone, Deserialize)]
struct Brand {
    name: String,
}

/// A category's lists by what sells best, and in another order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    slug: String,
    popular: List,
    sort: &'static str,
    sorted: List,
}

#[derive(Debug, Deserialize)]
struct Found {
    product: Product,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Found>,
    next: Option<String>,
}

/// The shop's most popular products, at most so many: those that shoppers look at.
pub(crate) async fn products(server: &Client, most: usize) -> Result<Vec<Product>, Failure> {
    let mut products = Vec::new();
    let mut after: Option<String> = None;
    while products.len() < most {
        let mut path = format!("/api/v1/search?sort=popularity&limit={PAGE}");
        if let Some(after) = &after {
            path.push_str(&format!("&after={}", escaped(after)));
        }
        let page: Page = server.get(&path).await?;
        products.extend(page.items.into_iter().map(|found| found.product));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    products.truncate(most);
    Ok(products)
}

pub(crate) fn product_pages(products: &[Product]) -> Vec<String> {
    products.iter().map(|product| format!("/p/{}", escaped(&product.slug))).collect()
}

pub(crate) fn product_resources(products: &[Product]) -> Vec<String> {
    products.iter().map(|product| format!("/api/v1/products/{}", escaped(&product.sku))).collect()
}

/// The first pages of the lists that these products stand in, each once.
pub(crate) fn list_pages(products: &[Product]) -> Vec<String> {
    slugs(products).map(|slug| format!("/c/{}", escaped(slug))).collect()
}

fn slugs(products: &[Product]) -> impl Iterator<Item = &str> {
    let mut seen = HashSet::new();
    let slugs = products.iter().flat_map(|product| &product.categories);
    slugs.map(|category| category.slug.as_str()).filter(move |slug| seen.insert(*slug))
}

/// What there is to choose in the categories of these products: further pages and brands.
pub(crate) async fn lists(server: &Client, products: &[Product]) -> Result<Vec<Lists>, Failure> {
    let mut lists = Vec::new();
    for (slug, sort) in slugs(products).zip(SORTS.iter().cycle()) {
        let path = format!("/api/v1/search?category={}&facets=true", escaped(slug));
        lists.push(Lists {
            slug: slug.to_owned(),
            popular: server.get(&path).await?,
            sort,
            sorted: server.get(&format!("{path}&sort={sort}")).await?,
        });
    }
    Ok(lists)
}

/// Of each category: first and second page, by what sells best and in another order, and narrowed
/// by a brand, by a range of prices, and by what is in stock. The last three are the filters.
pub(crate) fn list_walk(lists: &[Lists], seed: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let mut paths = Vec::new();
    for list in lists {
        let (path, sort) = (format!("/c/{}", escaped(&list.slug)), list.sort);
        paths.push(path.clone());
        paths.push(format!("{path}?sort={sort}"));
        if let Some(next) = &list.popular.next {
            paths.push(format!("{path}?after={}", escaped(next)));
        }
        if let Some(next) = &list.sorted.next {
            paths.push(format!("{path}?sort={sort}&after={}", escaped(next)));
        }
        let brands = &list.popular.facets.brands;
        if !brands.is_empty() {
            let brand = &brands[chance.below(brands.len())].name;
            paths.push(format!("{path}?brand={}", escaped(brand)));
        }
        let from = chance.below(100);
        let to = from + 1 + chance.below(400);
        paths.push(format!("{path}?price_from={from}&price_to={to}"));
        paths.push(format!("{path}?in_stock=true&sort={sort}"));
    }
    paths
}

/// Two words of each product's name, one of them mistyped where it is long enough.
pub(crate) fn searches(products: &[Product], seed: u64) -> Vec<String> {
    let mut chance = Chance::new(seed);
    let searches = products.iter().filter_map(|product| {
        let mut words: Vec<&str> = product
            .name
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 2)
            .collect();
        while words.len() > 2 {
            words.remove(chance.below(words.len()));
        }
        let typed: Vec<String> = match words.iter().position(|word| can_be_mistyped(word)) {
            None => words.iter().map(|word| (*word).to_lowercase()).collect(),
            Some(wrong) => words
                .iter()
                .enumerate()
                .map(|(place, word)| match place == wrong {
                    true => mistyped(&word.to_lowercase(), &mut chance),
                    false => word.to_lowercase(),
                })
                .collect(),
        };
        (!typed.is_empty()).then(|| typed.join(" "))
    });
    searches.collect()
}

pub(crate) fn search_resource(text: &str) -> String {
    format!("/api/v1/search?q={}&limit=24&facets=true", escaped(text))
}

/// A model's number with another digit is another model, so only words of letters.
fn can_be_mistyped(word: &str) -> bool {
    word.chars().count() >= LEAST_WORD && word.chars().all(char::is_alphabetic)
}

/// One letter left out, doubled, or changed places with the next one; never the first, which
/// people get right.
fn mistyped(word: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let place = 1 + chance.below(letters.len() - 2);
    match chance.below(3) {
        0 => drop(letters.remove(place)),
        1 if letters[place] != letters[place + 1] => letters.swap(place, place + 1),
        _ => letters.insert(place, letters[place]),
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(slug: &str, name: &str, categories: &[&str]) -> Product {
        Product {
            sku: slug.to_uppercase(),
            slug: slug.to_owned(),
            name: name.to_owned(),
            categories: categories.iter().map(|slug| Category { slug: (*slug).into() }).collect(),
        }
    }

    #[test]
    fn addresses_are_those_of_the_shop() {
        let products = [
            product("a/1", "Cordless drill", &["tools", "drills"]),
            product("b", "Café table", &["furniture", "tools"]),
        ];
        assert_eq!(product_pages(&products), ["/p/a%2F1", "/p/b"]);
        assert_eq!(product_resources(&products), ["/api/v1/products/A%2F1", "/api/v1/products/B"]);
        assert_eq!(list_pages(&products), ["/c/tools", "/c/drills", "/c/furniture"]);
        assert!(search_resource("café 5").starts_with("/api/v1/search?q=caf%C3%A9%205&"));
    }

    #[test]
    fn lists_are_walked_in_pages_orders_and_filters() {
        let brand = |name: &str| Brand { name: name.into() };
        let list = |next: Option<&str>, brands: &[&str]| List {
            next: next.map(str::to_owned),
            facets: Filters { brands: brands.iter().map(|name| brand(name)).collect() },
        };
        let long = Lists {
            slug: "drills".into(),
            popular: list(Some("a="), &["A&B"]),
            sort: "name",
            sorted: list(Some("b"), &[]),
        };
        let short = Lists { slug: "saws".into(), sort: "newest", ..Lists::default() };
        let walk = list_walk(&[long, short], 1);
        let (prices, others): (Vec<&String>, Vec<&String>) =
            walk.iter().partition(|path| path.contains("price_from"));
        assert_eq!(prices.len(), 2, "{walk:?}");
        assert_eq!(
            others,
            [
                "/c/drills",
                "/c/drills?sort=name",
                "/c/drills?after=a%3D",
                "/c/drills?sort=name&after=b",
                "/c/drills?brand=A%26B",
                "/c/drills?in_stock=true&sort=name",
                "/c/saws",
                "/c/saws?sort=newest",
                "/c/saws?in_stock=true&sort=newest",
            ]
        );
        assert_eq!(walk.iter().collect::<HashSet<_>>().len(), walk.len(), "{walk:?}");
    }

    #[test]
    fn the_orders_are_those_of_the_shop() {
        for sort in SORTS {
            let json = serde_json::Value::from(*sort);
            serde_json::from_value::<crate::domain::search::Sort>(json).unwrap();
        }
    }

    #[test]
    fn searches_are_words_of_the_names_and_one_is_mistyped() {
        let products = [
            product("a", "Samsung Galaxy S21 (128 GB)", &[]),
            product("b", "X1 42", &[]),
            product("c", "USB hub", &[]),
        ];
        let searches = searches(&products, 1);
        assert_eq!(searches.len(), 2, "{searches:?}");
        let names = ["samsung", "galaxy", "s21", "128"];
        let strange = searches[0].split(' ').filter(|word| !names.contains(word)).count();
        assert_eq!((searches[0].split(' ').count(), strange), (2, 1), "{searches:?}");
        assert_eq!(searches[1], "usb hub");
    }

    proptest! {
        #[test]
        fn a_typo_keeps_the_first_letter_and_is_one_step_away(word in "\\PC{5,12}", seed: u64) {
            let typed = mistyped(&word, &mut Chance::new(seed));
            prop_assert_eq!(word.chars().next(), typed.chars().next());
            prop_assert_eq!(strsim::damerau_levenshtein(&word, &typed), 1);
        }
    }
}
