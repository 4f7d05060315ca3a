//! Against a store of a few maps: whatever the rows and however they are cut, the end is the same.

use super::*;
use crate::domain::{
    product::{ProductStatus, StockDraft},
    tax::TaxCategory,
};
use proptest::prelude::*;

/// What a store would keep, ids aside.
#[derive(Debug, Default, Clone)]
struct Model {
    products: BTreeMap<String, (StoredProduct, Option<CategoryId>)>,
    categories: Vec<StoredCategory>,
    stock: BTreeMap<(ProductId, String), i64>,
    ids: u128,
}

impl Model {
    fn put(&mut self, drafts: &[ProductDraft]) -> BatchCounts {
        self.put_behind(drafts, &[])
    }

    fn put_behind(
        &mut self,
        drafts: &[ProductDraft],
        supposed: &[(Sku, ContentHash)],
    ) -> BatchCounts {
        let mut planner = Planner::new(&Scope::default(), drafts);
        let skus = planner.skus();
        let stored = skus.iter().filter_map(|sku| self.products.get(*sku)).map(|(p, _)| p.clone());
        let names = planner.category_names();
        let known = self.categories.iter().filter(|c| names.contains(&c.name.as_str())).cloned();
        planner.stored(stored.collect(), known.collect());
        let ids = &mut self.ids;
        planner.suppose(supposed, &mut || {
            *ids += 1;
            Uuid::from_u128(*ids)
        });
        let plan = loop {
            let mut next_id = || {
                *ids += 1;
                Uuid::from_u128(*ids)
            };
            let plan = planner.plan(&mut next_id);
            let Err(mut unknown) = plan else { break plan.unwrap() };
            let slugs: HashSet<_> =
                self.products.values().filter_map(|(p, _)| p.slug.clone()).collect();
            unknown.product_slugs.retain(|slug| slugs.contains(slug));
            unknown.category_slugs.retain(|s| self.categories.iter().any(|c| c.slug == *s));
            planner.slugs(unknown.product_slugs, unknown.category_slugs);
        };
        for category in plan.categories {
            assert!(
                category.parent.is_none_or(|id| self.categories.iter().any(|c| c.id == id)),
                "parents come first"
            );
            self.categories.push(StoredCategory {
                id: category.id,
                parent: category.parent,
                slug: category.slug,
                name: category.name.to_owned(),
            });
        }
        for product in plan.products {
            let sku = product.draft.sku.as_str().to_owned();
            assert!(!supposed.is_empty() || product.is_new != self.products.contains_key(&sku));
            let stored = StoredProduct {
                id: product.id,
                sku: sku.clone(),
                hash: Some(product.hash),
                variant_of: product.variant_of.map(|sku| sku.as_str().to_owned()),
                slug: Some(product.slug),
            };
            self.products.insert(sku, (stored, product.category));
        }
        for level in plan.levels {
            self.stock.insert((level.product, level.warehouse.to_owned()), level.on_hand);
        }
        plan.counts
    }

    /// Everything by name, so that two models' ids don't matter.
    fn picture(&self) -> Vec<String> {
        let category = |id: CategoryId| self.categories.iter().find(|c| c.id == id).unwrap();
        let products = self.products.values().map(|(p, c)| {
            let slug = c.map(|id| category(id).slug.clone());
            let stock = self.stock.iter().filter(|((id, _), _)| *id == p.id);
            let stock: Vec<_> = stock.map(|((_, warehouse), n)| (warehouse, n)).collect();
            format!("{} {:?} {:?} {:?} {slug:?} {stock:?}", p.sku, p.slug, p.hash, p.variant_of)
        });
        let categories = self.categories.iter().map(|c| {
            let parent = c.parent.map(|id| category(id).slug.clone());
            format!("{} {} {parent:?}", c.slug, c.name)
        });
        products.chain(categories).collect()
    }
}

fn drafts() -> impl Strategy<Value = Vec<ProductDraft>> {
    let name = prop::sample::select(vec!["Cable", "cable 2", "Cable-2-2", "Ü", "§", "Tools"]);
    let sku = prop::sample::select(vec!["1", "2", "2-2", "a/b", "A-B", "§", "tools"]);
    let names = prop::sample::select(vec!["Tools", "tools", "Tools tools", "!", "Cable"]);
    let row = (
        sku.clone(),
        name,
        prop::collection::vec(names, 0..3),
        prop::option::of(sku),
        prop::option::of(prop::collection::vec((0..2u8, 0..3i64), 0..3)),
        prop::option::of(prop::sample::select(vec!["cable", "cable-2", "x"])),
    );
    prop::collection::vec(row, 0..30).prop_map(|rows| {
        let draft = |(sku, name, path, variant_of, stock, slug): (
            _,
            _,
            Vec<_>,
            Option<_>,
            Option<Vec<_>>,
            Option<_>,
        )| {
            let level = |(n, quantity)| StockDraft { warehouse: format!("w{n}"), quantity };
            ProductDraft {
                sku: Sku::new(sku).unwrap(),
                name: str::to_owned(name),
                slug: slug.map(str::to_owned),
                brand: None,
                short_description: None,
                description: None,
                status: ProductStatus::Active,
                price: None,
                tax_category: TaxCategory::default(),
                categories: path.into_iter().map(str::to_owned).collect(),
                images: Vec::new(),
                attributes: BTreeMap::new(),
                unit: "each".into(),
                precision: 0,
                stock: stock.map(|levels| levels.into_iter().map(level).collect()),
                variant_of: variant_of.map(|sku| Sku::new(sku).unwrap()),
                options: BTreeMap::new(),
                popularity: 0,
            }
        };
        rows.into_iter().map(draft).collect()
    })
}

proptest! {
    #[test]
    fn where_a_file_is_cut_does_not_matter(rows in drafts(), size in 1usize..31) {
        let (mut whole, mut cut, mut single) = (Model::default(), Model::default(), Model::default());
        let total = |counts: Vec<BatchCounts>| counts.iter().fold([0; 3], |sum, c| {
            [sum[0] + c.created, sum[1] + c.updated, sum[2] + c.unchanged]
        });
        let counts = total(vec![whole.put(&rows)]);
        prop_assert_eq!(counts.iter().sum::<u64>(), rows.len() as u64);
        prop_assert_eq!(counts[0], whole.products.len() as u64);
        prop_assert_eq!(total(rows.chunks(size).map(|part| cut.put(part)).collect()), counts);
        prop_assert_eq!(total(rows.chunks(1).map(|part| single.put(part)).collect()), counts);
        prop_assert_eq!(whole.picture(), single.picture());
        prop_assert_eq!(cut.picture(), single.picture());
    }

    #[test]
    fn parts_that_are_only_tried_count_as_the_whole(
        there in drafts(),
        rows in drafts(),
        size in 1usize..31,
    ) {
        let mut model = Model::default();
        model.put(&there);
        let mut tried: BTreeMap<Sku, ContentHash> = BTreeMap::new();
        let mut sum = BatchCounts::default();
        for part in rows.chunks(size) {
            let before: Vec<_> = part
                .iter()
                .filter_map(|row| Some((row.sku.clone(), *tried.get(&row.sku)?)))
                .collect();
            let counts = model.clone().put_behind(part, &before);
            sum.created += counts.created;
            sum.updated += counts.updated;
            sum.unchanged += counts.unchanged;
            let hash = |row| ContentHash::of(&Scope::default(), row);
            tried.extend(part.iter().map(|row| (row.sku.clone(), hash(row))));
        }
        prop_assert_eq!(sum, model.put(&rows));
    }

    #[test]
    fn a_wanted_slug_is_had_by_the_first_and_changes_nothing_later(mut rows in drafts()) {
        let mut model = Model::default();
        model.put(&rows);
        let picture = model.picture();
        let last: BTreeMap<_, _> = rows.drain(..).map(|row| (row.sku.clone(), row)).collect();
        let mut last: Vec<_> = last.into_values().collect();
        for row in &mut last {
            row.slug = Some("another".into());
        }
        let counts = model.put(&last);
        prop_assert_eq!((counts.created, counts.updated), (0, 0));
        prop_assert_eq!(model.picture(), picture);
        // Elsewhere they are what they were here, in whatever order they come.
        for row in &mut last {
            row.slug.clone_from(&model.products[row.sku.as_str()].0.slug);
        }
        last.reverse();
        let mut elsewhere = Model::default();
        elsewhere.put(&last);
        let slugs = |model: &Model| {
            model.products.values().map(|(p, _)| p.slug.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(slugs(&elsewhere), slugs(&model));
    }

    #[test]
    fn slugs_are_there_and_unique(rows in drafts()) {
        let mut model = Model::default();
        model.put(&rows);
        let products: HashSet<_> = model.products.values().map(|(p, _)| p.slug.clone()).collect();
        prop_assert_eq!(products.len(), model.products.len());
        let categories: HashSet<_> = model.categories.iter().map(|c| c.slug.clone()).collect();
        prop_assert_eq!(categories.len(), model.categories.len());
        prop_assert!(products.iter().flatten().chain(&categories).all(|slug| !slug.is_empty()));
    }

    #[test]
    fn the_last_of_each_sku_again_changes_nothing(rows in drafts()) {
        let mut model = Model::default();
        model.put(&rows);
        let picture = model.picture();
        let last: BTreeMap<_, _> = rows.into_iter().map(|row| (row.sku.clone(), row)).collect();
        let last: Vec<_> = last.into_values().collect();
        let counts = model.put(&last);
        prop_assert_eq!((counts.created, counts.updated), (0, 0));
        prop_assert_eq!(model.picture(), picture);
    }
}
