use super::shop::*;
use crate::domain::{money::Currency, search::Sort, stock::StockBand, time::Micros};
use crate::views::*;
use crate::views::{ListAddress, product};
use bytes::Bytes;

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Every start tag of a page, `<` to `>`.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag)
}

/// The names of a start tag's attributes, whose values are all in double quotes.
fn attributes(tag: &str) -> impl Iterator<Item = &str> {
    let outside = tag.split('"').step_by(2).flat_map(str::split_whitespace);
    outside.map(|name| name.trim_end_matches('=')).skip(1)
}

#[test]
fn no_page_holds_an_inline_script_or_style() {
    for (name, page) in every_page() {
        for tag in tags(&page) {
            let inline = |name: &str| name == "style" || name.starts_with("on");
            assert!(!attributes(tag).any(inline), "{name}: <{tag}>");
            assert!(!tag.starts_with("style"), "{name}: <{tag}>");
            assert!(!tag.contains("=\"javascript:"), "{name}: <{tag}>");
            let data = tag.contains("type=\"application/ld+json\"");
            assert!(!tag.starts_with("script") || data || tag.contains(" src="), "{name}: <{tag}>");
        }
    }
    let bad: Vec<_> = attributes("a href=\"style\" onclick=\"x\" hidden").collect();
    assert_eq!(bad, ["href", "onclick", "hidden"]);
}

#[test]
fn what_a_merchant_or_shopper_writes_stays_text() {
    for (name, page) in every_page() {
        assert!(!page.contains("<script>alert"), "{name}");
        assert!(!page.contains("<b style"), "{name}");
        assert!(!page.contains("\"\">"), "{name}");
    }
}

#[test]
fn every_picture_says_its_size_and_every_page_its_place_in_the_log() {
    for (name, page) in every_page() {
        for tag in tags(&page).filter(|tag| tag.starts_with("img ")) {
            for part in [" width=\"", " height=\"", " alt=\""] {
                assert!(tag.contains(part), "{name}: <{tag}> lacks{part}");
            }
            assert!(tag.contains("src=\"/"), "{name}: <{tag}> leads elsewhere");
        }
        assert!(page.contains("<body data-offset=\"42\">"), "{name}");
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\">"), "{name}");
    }
}

#[test]
fn every_id_is_there_once_and_every_label_finds_its_field() {
    for (name, page) in every_page() {
        let part = |tag: &str, key: &str| {
            let (_, rest) = tag.split_once(&format!(" {key}=\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let mut ids: Vec<_> = tags(&page).filter_map(|tag| part(tag, "id")).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "{name}: an id is there twice");
        for key in ["for", "aria-labelledby", "form"] {
            for wanted in tags(&page).filter_map(|tag| part(tag, key)) {
                assert!(ids.contains(&wanted), "{name}: {key}={wanted} finds nothing");
            }
        }
    }
}

#[test]
fn structured_data_is_json_that_cannot_leave_its_element() {
    for (name, page) in every_page() {
        for rest in page.split("<script type=\"application/ld+json\">").skip(1) {
            let data = rest.split("</script>").next().unwrap();
            let value: serde_json::Value = serde_json::from_str(data).expect(&name);
            assert_eq!(value["@context"], "https://schema.org", "{name}");
        }
    }
    let doc = document("Drill </script>", usd(4999), StockBand::FewLeft);
    let page = ProductPage {
        shell: &shell(),
        offset: 1,
        doc: &doc,
        variants: &[],
        related: &[],
        tiers: &[],
        visitor: None,
    };
    let page = product(&page);
    let (_, data) = text(&page).split_once("ld+json\">").unwrap();
    let data = data.split("</script>").next().unwrap();
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    let [product, crumbs] = [&value["@graph"][0], &value["@graph"][1]];
    assert_eq!(product["name"], "Drill </script>");
    assert_eq!(product["offers"]["price"], "49.99");
    assert_eq!(product["offers"]["availability"], "https://schema.org/LimitedAvailability");
    assert_eq!(product["image"][0], "https://shop.example/media/placeholder/A%2F1%26%222.svg");
    assert_eq!(crumbs["itemListElement"][2]["item"], "https://shop.example/c/drills");
    assert_eq!(crumbs["itemListElement"][3]["position"], 4);
}

#[test]
fn only_lasting_addresses_ask_to_be_indexed() {
    for (name, page) in every_page() {
        let canonical = page.contains("<link rel=\"canonical\" href=\"https://shop.example/");
        let lasting = name.starts_with("home") || name.contains("product") || name == "parent";
        assert_eq!(canonical, lasting, "{name}");
        assert_ne!(canonical, page.contains("content=\"noindex"), "{name}");
    }
    let (shell, tree, facets) = (shell(), tree(), facets());
    let address = ListAddress::new("/c/tools", Currency::USD);
    let list = listing(&shell, &tree, Some(&facets), &[], address);
    let category = category(&CategoryPage { category: tree.by_slug("tools").unwrap(), list });
    assert!(
        text(&category).contains("<link rel=\"canonical\" href=\"https://shop.example/c/tools\">")
    );
}

#[test]
fn a_card_says_price_and_stock_in_words() {
    let card = |price, stock| {
        let doc = document("Nut & bolt", price, stock);
        text(&product_card(&doc)).to_owned()
    };
    let priced = card(usd(123_456), StockBand::FewLeft);
    assert!(priced.contains("<p class=\"price\">$1,234.56</p>"), "{priced}");
    assert!(priced.contains("Only a few left") && priced.contains("Nut &#38; bolt"), "{priced}");
    assert!(card(None, StockBand::SoldOut).contains("Price on request"));
    let mut parent = document("Gloves", None, StockBand::InStock);
    parent.variants = vec![variant("g", "S", "Red", StockBand::InStock)];
    assert!(text(&product_card(&parent)).contains("From</span> $10.00"));
}

#[test]
fn the_chooser_keeps_the_other_options() {
    let variants = [
        variant("s-red", "S", "Red", StockBand::InStock),
        variant("m-red", "M", "Red", StockBand::SoldOut),
        variant("s-blue", "S", "Blue", StockBand::InStock),
        variant("m-blue", "M", "Blue", StockBand::InStock),
    ];
    let mut doc = document("Glove", usd(1000), StockBand::SoldOut);
    doc.slug = "m-red".into();
    doc.options = variants[1].options.clone();
    let page = ProductPage {
        shell: &shell(),
        offset: 1,
        doc: &doc,
        variants: &variants,
        related: &[],
        tiers: &[],
        visitor: None,
    };
    let page = product(&page);
    let page = text(&page);
    let link = |name: &str| {
        let (_, chooser) = page.split_once("<section class=\"axis\"").unwrap();
        let links = chooser.split("<a ").skip(1).map(|link| link.split("</a>").next().unwrap());
        let mut found = links.filter(|link| link.split('>').nth(1).unwrap().starts_with(name));
        found.next().unwrap().to_owned()
    };
    assert!(link("Blue").contains("href=\"/p/m-blue\""), "{}", link("Blue"));
    assert!(link("S").contains("href=\"/p/s-red\""), "{}", link("S"));
    assert!(link("M").contains("aria-current=\"true\""), "{}", link("M"));
    assert!(
        link("M").contains("pill-out")
            && page.contains("M<span class=\"visually-hidden\"> (Sold out)")
    );
}

#[test]
fn filters_are_links_and_fields_that_work_without_script() {
    let (shell, tree, facets) = (shell(), tree(), facets());
    let cards = [product_card(&document("Drill", usd(2500), StockBand::InStock))];
    let brands = ["Gone & lost".to_owned()];
    let address = ListAddress {
        brands: &brands,
        price_from: Some(2_500),
        price_to: Some(4_999),
        in_stock: true,
        sort: Sort::Newest,
        text: "drill",
        ..ListAddress::new("/search", Currency::USD)
    };
    let list = Listing {
        total: 1234,
        next: Some("c+1"),
        ..listing(&shell, &tree, Some(&facets), &cards, address)
    };
    let page = search(&SearchResultsPage { corrected: false, list });
    let page = text(&page);
    for wanted in [
        // A chosen brand stays to be taken back although nothing of it is left.
        "name=\"brand\" value=\"Gone &#38; lost\" checked",
        "<span class=\"figure\">1,234</span> products",
        "href=\"/search?q=drill&amp;brand=Gone%20%26%20lost&amp;price_from=25&amp;price_to=49.99&amp;in_stock=true&amp;sort=newest&amp;after=c%2B1\"",
        // The chosen range leads out of itself, the other one into itself.
        "href=\"/search?q=drill&amp;brand=Gone%20%26%20lost&amp;in_stock=true&amp;sort=newest\" aria-current=\"true\"><span>$25 to $50</span>",
        "price_to=24.99&amp;in_stock=true&amp;sort=newest\"><span>Under $25</span>",
        "name=\"price_from\" inputmode=\"decimal\"",
        "<option value=\"newest\" selected>",
        "6 more brands",
        "href=\"/search?q=drill&amp;sort=newest\">Clear all",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert!(!page.contains("$2,500 and up"), "a range without products is no choice");
}

#[test]
fn states_say_what_to_do() {
    let pages: std::collections::BTreeMap<_, _> = every_page().into_iter().collect();
    for (name, words) in [
        ("home of 0", "stoa serve --demo"),
        ("filtered category without hits", "clear them all"),
        ("empty category", "Nothing here yet"),
        ("category while search is away", "Search is resting"),
        ("search while it is away", "Shop by category"),
        ("search without hits", "Try fewer or more general words"),
        ("corrected search", "Showing results near it"),
        ("error 404", "Search for it"),
        ("error 503", "Wait a few seconds"),
        ("hostile product", "Ask for a quote"),
        ("docs", "<noscript>"),
    ] {
        assert!(pages[name].contains(words), "{name} lacks: {words}");
    }
    assert!(!pages["search while it is away"].contains("id=\"facets\""));
}

#[test]
fn the_api_s_product_keeps_its_form() {
    let json = product_json(&document("Drill", usd(4999), StockBand::InStock));
    let json = text(&json);
    assert!(json.contains(
        "\"price\":{\"amount\":\"49.99\",\"currency\":\"USD\",\"minor\":4999,\"formatted\":\"$49.99\"},\
         \"price_on_request\":false,\"tax_category\":\"standard\",\"stock\":{\"band\":\"in_stock\",\"words\":\"In stock\"}"
    ));
    let order = [
        "id",
        "sku",
        "slug",
        "name",
        "brand",
        "short_description",
        "description",
        "status",
        "price",
        "price_on_request",
        "tax_category",
        "stock",
        "unit",
        "precision",
        "categories",
        "images",
        "attributes",
        "options",
        "parent",
        "variants",
        "popularity",
        "created_at",
        "updated_at",
    ];
    let at: Vec<_> = order.iter().map(|key| json.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(at.is_sorted(), "{json}");
    let view: ProductView = serde_json::from_str(json).unwrap();
    assert_eq!(view.updated_at, "2023-11-14T22:13:20.5Z");
    let asked = product_json(&document("Drill", None, StockBand::InStock));
    assert!(text(&asked).contains("\"price\":null,\"price_on_request\":true"));
}

#[test]
fn the_sitemap_and_robots_name_the_shop() {
    let entry =
        SitemapEntry { path: "/p/a&b".into(), changed: Some(Micros(1_700_000_000_000_000)) };
    let map = sitemap(&shell(), std::slice::from_ref(&entry));
    assert!(text(&map).contains(
        "<url><loc>https://shop.example/p/a&amp;b</loc><lastmod>2023-11-14</lastmod></url>"
    ));
    assert!(
        text(&sitemap_index(&shell(), &[entry])).contains("<sitemap><loc>https://shop.example/")
    );
    assert!(text(&robots_txt(&shell())).contains("Sitemap: https://shop.example/sitemap.xml"));
}

#[test]
fn suggestions_are_options_with_their_addresses() {
    let doc = document(HOSTILE, usd(4999), StockBand::InStock);
    let view = SuggestionsView { products: vec![(&doc).into()], brands: vec!["A & B".into()] };
    let html = suggestions_html(&view);
    assert!(text(&html).contains("href=\"/search?brand=A%20%26%20B\""));
    assert!(text(&html).contains("href=\"/p/a-product\"") && text(&html).contains("$49.99"));
    assert_eq!(text(&html).matches("role=\"option\"").count(), 2);
    assert!(!text(&html).contains("<script"));
    assert!(text(&suggestions_json(&view)).starts_with("{\"products\":[{\"sku\":\"A/1&\\\"2\""));
    let none = SuggestionsView { products: vec![], brands: vec![] };
    assert!(text(&suggestions_html(&none)).trim().is_empty());
}
