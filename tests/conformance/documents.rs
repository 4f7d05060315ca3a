//! What `ports::documents` promises, asked of every adapter.

use bytes::Bytes;
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};
use stoa::{
    adapters::documents::RedbDocuments,
    domain::{
        category::{Category, CategoryTree},
        document::ProductDocument,
        event::Position,
        id::{CategoryId, ProductId},
        product::ProductStatus,
        scope::{Locale, Scope, Site},
        sku::Sku,
        stock::StockBand,
        tax::TaxCategory,
        time::Micros,
    },
    ports::documents::{DocumentChange, Documents, DocumentsError, StoredDocument},
};
use uuid::Uuid;

/// Each adapter: how it is opened in a folder, by a version of this form.
type Open = fn(&Path, &str) -> Result<Box<dyn Documents>, DocumentsError>;

const ADAPTERS: &[(&str, Open)] = &[("redb", |folder, form| {
    Ok(Box::new(RedbDocuments::open(&folder.join("documents.redb"), form)?))
})];

fn on_each(promise: impl Fn(&dyn Fn(&str) -> Box<dyn Documents>)) {
    for (name, open) in ADAPTERS {
        let folder = tempfile::tempdir().unwrap();
        promise(&|form| {
            open(folder.path(), form).unwrap_or_else(|error| panic!("{name}: {error}"))
        });
    }
}

const EPOCH: Uuid = Uuid::from_u128(7);

fn at(offset: i64) -> Option<Position> {
    Some(Position { epoch: EPOCH, offset })
}

fn id(n: u8) -> ProductId {
    ProductId(Uuid::from_u128(u128::from(n) << 64))
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn stored(n: u8, sku_text: &str, slug: &str, popularity: i64) -> StoredDocument {
    let document = ProductDocument {
        id: id(n),
        sku: sku(sku_text),
        slug: slug.to_owned(),
        name: format!("Product {n}"),
        brand: None,
        short_description: None,
        description: Some("Ä \"quoted\" thing ".repeat(usize::from(n) * 20)),
        status: ProductStatus::Active,
        price: None,
        tax_category: TaxCategory::default(),
        stock: StockBand::InStock,
        unit: "each".to_owned(),
        precision: 0,
        categories: Vec::new(),
        images: Vec::new(),
        attributes: BTreeMap::new(),
        options: BTreeMap::new(),
        parent: None,
        variants: Vec::new(),
        popularity,
        created_at: Micros(1),
        updated_at: Micros(popularity),
    };
    StoredDocument {
        json: Bytes::from(format!("{{\"json\":\"{n} {popularity}\"}}")),
        card: Bytes::from(format!("<article>{n} {popularity}</article>").repeat(usize::from(n))),
        document,
    }
}

fn put(stored: StoredDocument) -> DocumentChange {
    DocumentChange::Put(Box::new(stored))
}

fn tree(names: &[&str]) -> CategoryTree {
    let nodes = names.iter().enumerate().map(|(i, name)| Category {
        id: CategoryId(Uuid::from_u128(i as u128)),
        parent: None,
        slug: name.to_lowercase(),
        name: (*name).to_owned(),
        position: 0,
    });
    CategoryTree::new(nodes.collect())
}

/// What the documents must equal: whole products, each with its own SKU and slug.
#[derive(Debug, Clone, Default)]
struct Model {
    products: BTreeMap<ProductId, StoredDocument>,
    position: Option<Position>,
    categories: CategoryTree,
}

#[derive(Debug, Clone)]
enum Step {
    /// Product, name and version; the name goes to it from whoever has it.
    Put(u8, u8, i64),
    Remove(u8),
    Categories(u8),
    Commit {
        positioned: bool,
        reversed: bool,
    },
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u8..12, 0u8..8, 0i64..5).prop_map(|(n, name, v)| Step::Put(n, name, v)),
        2 => (1u8..12).prop_map(Step::Remove),
        1 => (0u8..3).prop_map(Step::Categories),
        3 => any::<(bool, bool)>()
            .prop_map(|(positioned, reversed)| Step::Commit { positioned, reversed }),
        1 => Just(Step::Reopen),
    ]
}

fn equals(model: &Model, documents: &dyn Documents, scope: &Scope) {
    assert_eq!(documents.count().unwrap(), model.products.len() as u64);
    assert_eq!(documents.position().unwrap(), model.position);
    assert_eq!(*documents.categories(scope), model.categories);
    let ids: Vec<_> = (0..16).map(id).collect();
    let whole: Vec<_> = ids.iter().map(|id| model.products.get(id).cloned()).collect();
    assert_eq!(documents.by_ids(scope, &ids).unwrap(), whole);
    let alone: Vec<_> = whole.iter().map(|one| one.as_ref().map(|s| s.document.clone())).collect();
    assert_eq!(documents.documents(scope, &ids).unwrap(), alone);
    let part = |of: fn(&StoredDocument) -> &Bytes| -> Vec<_> {
        whole.iter().map(|stored| stored.as_ref().map(|s| of(s).clone())).collect()
    };
    assert_eq!(documents.cards(scope, &ids).unwrap(), part(|s| &s.card));
    assert_eq!(documents.json(scope, &ids).unwrap(), part(|s| &s.json));
    for name in 0..8 {
        let slug = format!("slug-{name}");
        let named = model.products.values().find(|s| s.document.slug == slug);
        assert_eq!(documents.by_slug(scope, &slug).unwrap().as_ref(), named, "{slug}");
        let sku = sku(&format!("SKU-{name}"));
        let named = model.products.values().find(|s| s.document.sku == sku);
        assert_eq!(documents.by_sku(scope, &sku).unwrap().as_ref(), named, "{sku}");
    }
    let mut by_sku: Vec<_> = model.products.values().cloned().collect();
    by_sku.sort_by(|a, b| a.document.sku.cmp(&b.document.sku));
    let mut walked = Vec::new();
    loop {
        let last = walked.last().map(|s: &StoredDocument| s.document.sku.clone());
        let page = documents.page_by_sku(scope, last.as_ref(), 3).unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    assert_eq!(walked, by_sku);
    let (mut walked, mut ids) = (Vec::new(), Vec::new());
    loop {
        let page = documents.page_by_id(scope, walked.last().map(|d: &ProductDocument| d.id), 3);
        let page = page.unwrap();
        ids.extend(documents.ids(scope, ids.last().copied(), 3).unwrap());
        if page.is_empty() {
            break;
        }
        walked.extend(page);
    }
    assert_eq!(ids, model.products.keys().copied().collect::<Vec<_>>());
    assert_eq!(walked, model.products.values().map(|s| s.document.clone()).collect::<Vec<_>>());
}

fn run(steps: &[Step], open: &dyn Fn(&str) -> Box<dyn Documents>) {
    let scope = Scope::default();
    let mut documents = open("one");
    let (mut model, mut offset) = (Model::default(), 0);
    let (mut batch, mut categories) = (Vec::new(), None);
    for step in steps.iter().chain([&Step::Commit { positioned: true, reversed: false }]) {
        match step {
            Step::Put(n, name, version) => {
                // Names are unique in the database: who had this one gets the other's, or goes.
                let (sku, slug) = (format!("SKU-{name}"), format!("slug-{name}"));
                let old = model.products.remove(&id(*n));
                let holder = model.products.values().find(|s| s.document.slug == slug).cloned();
                if let Some(mut holder) = holder {
                    if let Some(old) = old {
                        holder.document.sku = old.document.sku;
                        holder.document.slug = old.document.slug;
                        model.products.insert(holder.document.id, holder.clone());
                        batch.push(put(holder));
                    } else {
                        model.products.remove(&holder.document.id);
                        batch.push(DocumentChange::Remove(holder.document.id));
                    }
                }
                let stored = stored(*n, &sku, &slug, *version);
                model.products.insert(id(*n), stored.clone());
                batch.push(put(stored));
            }
            Step::Remove(n) => {
                model.products.remove(&id(*n));
                batch.push(DocumentChange::Remove(id(*n)));
            }
            Step::Categories(n) => {
                let tree = tree(&["Phones", "Films"][..usize::from(*n)]);
                model.categories = tree.clone();
                categories = Some(tree);
            }
            Step::Commit { positioned, reversed } => {
                offset += 1;
                let position = at(offset).filter(|_| *positioned);
                model.position = position.or(model.position);
                let mut changes = std::mem::take(&mut batch);
                // Of two changes of one product the later counts, so only single ones may turn.
                let mut ids: Vec<_> = changes.iter().map(changed).collect();
                ids.sort();
                ids.dedup();
                if *reversed && ids.len() == changes.len() {
                    changes.reverse();
                }
                documents.apply(&scope, changes, categories.take(), position).unwrap();
                equals(&model, &*documents, &scope);
            }
            Step::Reopen => {
                drop(documents);
                documents = open("one");
            }
        }
    }
    drop(documents);
    equals(&model, &*open("one"), &scope);
}

fn changed(change: &DocumentChange) -> ProductId {
    match change {
        DocumentChange::Put(stored) => stored.document.id,
        DocumentChange::Remove(id) => *id,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_puts_renames_and_removes_equal_a_map(steps in prop::collection::vec(step(), 1..60)) {
        on_each(|open| run(&steps, open));
    }
}

#[test]
fn a_new_store_is_empty_and_has_no_position() {
    on_each(|open| equals(&Model::default(), &*open("one"), &Scope::default()));
}

#[test]
fn touched_names_are_told_the_old_ones_too() {
    on_each(|open| {
        let (documents, scope) = (open("one"), Scope::default());
        let apply = |changes| {
            let mut touched = documents.apply(&scope, changes, None, at(1)).unwrap();
            touched.sort();
            touched
        };
        let first = apply(vec![put(stored(1, "A", "a", 0)), put(stored(2, "B", "b", 0))]);
        assert_eq!(first, [(id(1), "a".to_owned()), (id(2), "b".to_owned())]);
        let renamed = apply(vec![put(stored(1, "A", "z", 0)), DocumentChange::Remove(id(2))]);
        let expected = [(id(1), "a".into()), (id(1), "z".into()), (id(2), "b".into())];
        assert_eq!(renamed, expected);
        assert_eq!(apply(vec![DocumentChange::Remove(id(9))]), []);
    });
}

#[test]
fn scopes_do_not_see_each_other() {
    on_each(|open| {
        let documents = open("one");
        let german = Scope { site: Site("main".into()), locale: Locale("de".into()) };
        let english = Scope::default();
        let in_german = stored(1, "A", "telefon", 1);
        documents.apply(&english, vec![put(stored(1, "A", "phone", 1))], None, at(1)).unwrap();
        let tree = tree(&["Telefone"]);
        documents.apply(&german, vec![put(in_german.clone())], Some(tree.clone()), at(1)).unwrap();
        assert_eq!(documents.by_slug(&german, "telefon").unwrap(), Some(in_german.clone()));
        assert_eq!(documents.by_slug(&german, "phone").unwrap(), None);
        assert_eq!(documents.by_slug(&english, "telefon").unwrap(), None);
        assert_eq!(documents.page_by_sku(&german, None, 9).unwrap(), [in_german]);
        assert_eq!(documents.ids(&english, None, 9).unwrap(), [id(1)]);
        assert_eq!(*documents.categories(&german), tree);
        assert_eq!(*documents.categories(&english), CategoryTree::default());
        assert_eq!(documents.count().unwrap(), 2);
    });
}

#[test]
fn another_form_has_no_position_but_can_be_read() {
    on_each(|open| {
        let scope = Scope::default();
        let old = stored(1, "A", "a", 1);
        open("one").apply(&scope, vec![put(old.clone())], None, at(5)).unwrap();
        let documents = open("two");
        assert_eq!(documents.position().unwrap(), None);
        assert_eq!(documents.by_slug(&scope, "a").unwrap(), Some(old));
        // A batch of its rebuild is not the whole of it.
        documents.apply(&scope, vec![put(stored(2, "B", "b", 1))], None, None).unwrap();
        assert_eq!(documents.position().unwrap(), None);
        documents.apply(&scope, Vec::new(), None, at(6)).unwrap();
        assert_eq!(documents.position().unwrap(), at(6));
        drop(documents);
        assert_eq!(open("one").position().unwrap(), None);
    });
}

#[test]
fn a_forgotten_position_stays_forgotten() {
    on_each(|open| {
        let scope = Scope::default();
        let documents = open("one");
        documents.apply(&scope, vec![put(stored(1, "A", "a", 1))], None, at(5)).unwrap();
        documents.forget_position().unwrap();
        assert_eq!(documents.position().unwrap(), None);
        drop(documents);
        let documents = open("one");
        assert_eq!(documents.position().unwrap(), None);
        assert_eq!(documents.count().unwrap(), 1);
    });
}

#[test]
fn cleared_is_as_new() {
    on_each(|open| {
        let scope = Scope::default();
        let documents = open("one");
        let changes = vec![put(stored(1, "A", "a", 1))];
        documents.apply(&scope, changes, Some(tree(&["Films"])), at(5)).unwrap();
        documents.clear().unwrap();
        equals(&Model::default(), &*documents, &scope);
        drop(documents);
        equals(&Model::default(), &*open("one"), &scope);
    });
}

#[test]
fn a_reader_sees_whole_commits() {
    on_each(|open| {
        let documents: Arc<dyn Documents> = Arc::from(open("one"));
        let scope = Scope::default();
        let all: Vec<_> = (1..=8).map(id).collect();
        let write = |round: i64| {
            let name = |n: u8| format!("{}", (i64::from(n) + round) % 8);
            let put = |n| put(stored(n, &name(n), &name(n), round));
            documents.apply(&scope, (1..=8).map(put).collect(), None, at(round)).unwrap();
        };
        write(0);
        let done = AtomicBool::new(false);
        thread::scope(|threads| {
            threads.spawn(|| {
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let seen = documents.by_ids(&scope, &all).unwrap();
                    let rounds: Vec<_> =
                        seen.into_iter().map(|s| s.unwrap().document.popularity).collect();
                    assert!(rounds.iter().all(|r| *r == rounds[0]), "{rounds:?}");
                    assert!(rounds[0] >= last);
                    last = rounds[0];
                    assert!(documents.by_slug(&scope, "3").unwrap().is_some());
                }
            });
            (1..60).for_each(write);
            done.store(true, Ordering::Relaxed);
        });
    });
}

/// Rounds of a process that is killed: half of the products, then the other half with the place
/// that stands for both.
fn write_round(documents: &dyn Documents, scope: &Scope, round: i64) {
    let put = |n: u8| put(stored(n, &format!("{n}"), &format!("{n}-{round}"), round));
    documents.apply(scope, (1..=20).map(put).collect(), None, None).unwrap();
    documents.apply(scope, (21..=40).map(put).collect(), None, at(round)).unwrap();
}

#[test]
#[ignore = "the process that the next test kills"]
fn the_process_that_is_killed() {
    let mut lines = std::io::stdin().lock().lines();
    let (Some(Ok(adapter)), Some(Ok(folder))) = (lines.next(), lines.next()) else { return };
    let (_, open) = ADAPTERS.iter().find(|(name, _)| *name == adapter).unwrap();
    let documents = open(Path::new(&folder), "one").unwrap();
    let from = documents.position().unwrap().map_or(0, |p| p.offset);
    for round in from + 1.. {
        write_round(&*documents, &Scope::default(), round);
        println!("\nround {round}");
    }
}

#[test]
fn a_killed_process_leaves_a_position_that_its_documents_have_reached() {
    for (name, open) in ADAPTERS {
        let folder = tempfile::tempdir().unwrap();
        let mut seen = 0;
        for kill in 0..6 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["documents::the_process_that_is_killed", "--exact", "--ignored"])
                .arg("--nocapture")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut stdin = child.stdin.take().unwrap();
            writeln!(stdin, "{name}\n{}", folder.path().display()).unwrap();
            let rounds = BufReader::new(child.stdout.take().unwrap())
                .lines()
                .map_while(Result::ok)
                .filter_map(|line| line.strip_prefix("round ").and_then(|r| r.parse().ok()));
            seen = rounds.take(1 + kill * 3).last().unwrap_or(seen);
            child.kill().unwrap();
            child.wait().unwrap();

            let documents = open(folder.path(), "one").unwrap();
            let position = documents.position().unwrap().unwrap();
            assert!(position.offset >= seen, "{name}: {position:?} behind {seen}");
            let all: Vec<_> = (1..=40).map(id).collect();
            for stored in documents.by_ids(&Scope::default(), &all).unwrap() {
                let document = stored.unwrap().document;
                assert!(document.popularity >= position.offset, "{name}: {document:?}");
                let named = documents.by_slug(&Scope::default(), &document.slug).unwrap();
                assert_eq!(named.unwrap().document, document);
            }
            assert_eq!(documents.count().unwrap(), 40);
        }
        assert!(seen > 6);
    }
}
