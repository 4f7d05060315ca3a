//! A small shop with names as awkward as real ones.

use crate::domain::{
    category::{Category, CategoryTree},
    document::{ProductDocument, VariantRef},
    id::{CategoryId, ProductId},
    money::{Currency, Money},
    product::ProductStatus,
    search::{Facets, PriceBucket},
    sku::Sku,
    stock::StockBand,
    tax::TaxCategory,
    time::Micros,
};
use crate::views::{
    CategoryPage, DocsPage, ErrorPage, HomePage, ListAddress, Listing, ProductPage,
    SearchResultsPage, Shell, ShellOptions, category, docs_page, error_page, home, product,
    product_card, search,
};
use bytes::Bytes;
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const HOSTILE: &str = "\"><script>alert('x')</script> & <b style=\"x\">Größe™</b>";

pub(super) fn tree() -> CategoryTree {
    let node = |id: u128, parent: Option<u128>, slug: &str, name: &str| Category {
        id: CategoryId(Uuid::from_u128(id)),
        parent: parent.map(|p| CategoryId(Uuid::from_u128(p))),
        slug: slug.into(),
        name: name.into(),
        position: 0,
    };
    CategoryTree::new(vec![
        node(1, None, "tools", "Tools"),
        node(2, Some(1), "drills", "Drills & drivers"),
        node(3, Some(1), "hostile", HOSTILE),
        node(4, None, "safety", "Safety"),
    ])
}

pub(super) fn shell() -> Shell {
    let options = ShellOptions {
        name: "Bits & Bolts".into(),
        url: "https://shop.example/".into(),
        locale: "en".into(),
        currency: Currency::USD,
        image_hosts: vec![],
    };
    Shell::new(options, &tree())
}

pub(super) fn usd(minor: i64) -> Option<Money> {
    Some(Money { minor, currency: Currency::USD })
}

pub(super) fn document(name: &str, price: Option<Money>, stock: StockBand) -> ProductDocument {
    ProductDocument {
        id: ProductId(Uuid::from_u128(7)),
        sku: Sku::new("A/1&\"2").unwrap(),
        slug: "a-product".into(),
        name: name.into(),
        brand: Some("Keller & Søn".into()),
        short_description: None,
        description: Some(format!("First line.\n\nSecond </script> line of {name}.")),
        status: ProductStatus::Active,
        price,
        tax_category: TaxCategory::default(),
        stock,
        unit: "m".into(),
        precision: 2,
        categories: tree().path(CategoryId(Uuid::from_u128(2))),
        images: vec!["https://cdn.example.com/a.jpg".into()],
        attributes: BTreeMap::from([(HOSTILE.into(), HOSTILE.into())]),
        options: BTreeMap::new(),
        parent: None,
        variants: vec![],
        popularity: 3,
        created_at: Micros(1_700_000_000_000_000),
        updated_at: Micros(1_700_000_000_500_000),
    }
}

pub(super) fn variant(slug: &str, size: &str, colour: &str, stock: StockBand) -> VariantRef {
    VariantRef {
        sku: Sku::new(slug).unwrap(),
        slug: slug.into(),
        name: format!("{size} {colour}"),
        options: BTreeMap::from([
            ("Size".to_owned(), size.to_owned()),
            ("Colour".to_owned(), colour.to_owned()),
        ]),
        price: usd(1000),
        stock,
    }
}

pub(super) fn facets() -> Facets {
    let id = |n| CategoryId(Uuid::from_u128(n));
    let brands = (0..12).map(|n| (format!("Brand {n}"), 40 - n));
    Facets {
        categories: [(id(1), 1200), (id(2), 40), (id(3), 2)].into(),
        brands: brands.chain([(HOSTILE.to_owned(), 1)]).collect(),
        prices: vec![
            PriceBucket { from: 0, to: Some(2_500), count: 7 },
            PriceBucket { from: 2_500, to: Some(5_000), count: 1234 },
            PriceBucket { from: 250_000, to: None, count: 0 },
        ],
        in_stock: 31,
        without_price: 0,
    }
}

pub(super) fn listing<'a>(
    shell: &'a Shell,
    tree: &'a CategoryTree,
    facets: Option<&'a Facets>,
    cards: &'a [Bytes],
    address: ListAddress<'a>,
) -> Listing<'a> {
    Listing {
        shell,
        offset: 42,
        tree,
        address,
        total: cards.len() as u64,
        cards,
        facets,
        next: None,
        continued: false,
        visitor: None,
    }
}

/// Every kind of page in every state, by a name.
pub(super) fn every_page() -> Vec<(String, String)> {
    let (shell, tree, facets) = (shell(), tree(), facets());
    let plain = document("Plain drill", usd(4999), StockBand::InStock);
    let hostile = document(HOSTILE, None, StockBand::SoldOut);
    let cards = [product_card(&plain), product_card(&hostile)];
    let mut pages = vec![];
    let mut add = |name: &str, page: Bytes| {
        pages.push((name.to_owned(), String::from_utf8(page.to_vec()).unwrap()));
    };
    for products in [0, 1, 49_447] {
        let shown: &[Bytes] = if products == 0 { &[] } else { &cards };
        let page = HomePage {
            shell: &shell,
            offset: 42,
            products,
            popular: shown,
            newest: &[],
            visitor: None,
        };
        add(&format!("home of {products}"), home(&page));
    }
    let brands = [HOSTILE.to_owned(), "Gone".to_owned()];
    let here = ListAddress::new("/c/tools", Currency::USD);
    let filtered = ListAddress {
        brands: &brands,
        price_from: Some(2_500),
        price_to: Some(4_999),
        in_stock: true,
        ..here
    };
    let known = Some(&facets);
    let category_node = &tree.all().iter().find(|c| c.slug == "tools").unwrap();
    for (name, known, cards, address) in [
        ("category", known, &cards[..], here),
        ("filtered category", known, &cards[..1], filtered),
        ("filtered category without hits", known, &[], filtered),
        ("empty category", known, &[], here),
        ("category while search is away", None, &cards[..], here),
    ] {
        let list = Listing {
            next: Some("cursor="),
            continued: true,
            ..listing(&shell, &tree, known, cards, address)
        };
        add(name, category(&CategoryPage { category: category_node, list }));
    }
    let search_at = ListAddress { path: "/search", text: HOSTILE, ..here };
    let narrowed = ListAddress { category: Some("tools"), ..search_at };
    for (name, known, cards, address, corrected) in [
        ("search", known, &cards[..], search_at, false),
        ("narrowed search", known, &cards[..], narrowed, false),
        ("corrected search", known, &cards[..], search_at, true),
        ("search without hits", known, &[], search_at, false),
        ("search while it is away", None, &[], search_at, false),
    ] {
        let list = listing(&shell, &tree, known, cards, address);
        add(name, search(&SearchResultsPage { corrected, list }));
    }
    let mut parent = document("Gloves", None, StockBand::InStock);
    parent.variants = vec![
        variant("g-s", "S", "Red", StockBand::InStock),
        variant("g-m", "M", "Red", StockBand::SoldOut),
    ];
    parent.images = vec!["/media/a.svg".into(), "/media/b.svg".into()];
    for (name, doc) in [("product", &plain), ("hostile product", &hostile), ("parent", &parent)] {
        let page = ProductPage {
            shell: &shell,
            offset: 42,
            doc,
            variants: &[],
            related: &cards,
            tiers: &[],
            visitor: None,
        };
        add(name, product(&page));
    }
    for status in [400, 404, 405, 418, 500, 503] {
        let page = ErrorPage {
            shell: &shell,
            offset: 42,
            status,
            closed: false,
            detail: Some(HOSTILE),
            request_id: HOSTILE,
        };
        add(&format!("error {status}"), error_page(&page));
        if status == 503 {
            add("closed", error_page(&ErrorPage { closed: true, ..page }));
        }
    }
    add("docs", docs_page(&DocsPage { shell: &shell, offset: 42 }));
    for (name, page) in super::carts::every_page().into_iter().chain(super::accounts::every_page())
    {
        add(&name, page);
    }
    pages
}
