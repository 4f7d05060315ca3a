//! One commit as readers see it: its tables, opened once, and what is held in memory.
//!
//! A view is made after each commit and shared by all readers until the next, so a read begins no
//! transaction and opens no table. The commit it shows stays in the file while somebody reads it.

use super::{
    error::Trouble,
    record::{self, Id, Named, Record},
};
use crate::{
    domain::{
        category::CategoryTree,
        document::ProductDocument,
        event::Position,
        id::ProductId,
        scope::{Locale, Scope, Site},
    },
    ports::documents::StoredDocument,
};
use bytes::Bytes;
use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    ReadableTableMetadata,
};
use std::{collections::HashMap, ops::Bound, sync::Arc};

pub(super) type Trees = HashMap<Scope, Arc<CategoryTree>>;

pub(super) struct View {
    documents: ReadOnlyTable<Id, &'static [u8]>,
    json: ReadOnlyTable<Id, &'static [u8]>,
    cards: ReadOnlyTable<Id, &'static [u8]>,
    slugs: ReadOnlyTable<Named, u128>,
    skus: ReadOnlyTable<Named, u128>,
    scopes: Vec<(Scope, u16)>,
    categories: Arc<Trees>,
    position: Option<Position>,
    /// Whether everything in here was made by a version like ours.
    present_form: bool,
}

impl View {
    /// The newest commit. `trees`: those of the view before, when the commit left them alone.
    pub(super) fn open(
        database: &Database,
        form: &str,
        trees: Option<Arc<Trees>>,
    ) -> Result<Self, Trouble> {
        let txn = database.begin_read()?;
        let scopes = scopes(&txn)?;
        let categories = match trees {
            Some(trees) => trees,
            None => Arc::new(load_trees(&txn, &scopes)?),
        };
        let meta = txn.open_table(record::META)?;
        let present_form = meta.get("form")?.is_some_and(|v| v.value() == form.as_bytes());
        let position = match meta.get("position")? {
            Some(value) => Some(record::read_position(value.value()).ok_or_else(|| {
                Trouble::Damaged("the place in the log is not one we wrote".to_owned())
            })?),
            None => None,
        };
        Ok(Self {
            documents: txn.open_table(record::DOCUMENTS)?,
            json: txn.open_table(record::JSON)?,
            cards: txn.open_table(record::CARDS)?,
            slugs: txn.open_table(record::SLUGS)?,
            skus: txn.open_table(record::SKUS)?,
            scopes,
            categories,
            position,
            present_form,
        })
    }

    /// Absent until something was put there.
    pub(super) fn scope(&self, scope: &Scope) -> Option<u16> {
        self.scopes.iter().find(|(known, _)| known == scope).map(|(_, number)| *number)
    }

    pub(super) fn position(&self) -> Option<Position> {
        self.position.filter(|_| self.present_form)
    }

    pub(super) fn trees(&self) -> &Arc<Trees> {
        &self.categories
    }

    pub(super) fn count(&self) -> Result<u64, Trouble> {
        Ok(self.documents.len()?)
    }

    pub(super) fn by_slug(
        &self,
        scope: u16,
        slug: &str,
    ) -> Result<Option<StoredDocument>, Trouble> {
        match self.slugs.get((scope, slug))? {
            Some(id) => self.whole((scope, id.value())),
            None => Ok(None),
        }
    }

    pub(super) fn by_sku(&self, scope: u16, sku: &str) -> Result<Option<StoredDocument>, Trouble> {
        match self.skus.get((scope, sku))? {
            Some(id) => self.whole((scope, id.value())),
            None => Ok(None),
        }
    }

    pub(super) fn whole(&self, id: (u16, u128)) -> Result<Option<StoredDocument>, Trouble> {
        let Some(document) = self.document(id)? else { return Ok(None) };
        let (Some(json), Some(card)) = (self.json(id)?, self.card(id)?) else {
            return Err(lost(id));
        };
        Ok(Some(StoredDocument { document, json, card }))
    }

    pub(super) fn document(&self, id: (u16, u128)) -> Result<Option<ProductDocument>, Trouble> {
        match self.documents.get(id)? {
            Some(value) => self.parse(id, value.value()),
            None => Ok(None),
        }
    }

    pub(super) fn json(&self, id: (u16, u128)) -> Result<Option<Bytes>, Trouble> {
        Ok(self.json.get(id)?.map(|v| Bytes::copy_from_slice(v.value())))
    }

    pub(super) fn card(&self, id: (u16, u128)) -> Result<Option<Bytes>, Trouble> {
        Ok(self.cards.get(id)?.map(|v| Bytes::copy_from_slice(v.value())))
    }

    pub(super) fn page_by_sku(
        &self,
        scope: u16,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, Trouble> {
        let from = match after {
            Some(sku) => Bound::Excluded((scope, sku)),
            None => Bound::Included((scope, "")),
        };
        let mut page = Vec::with_capacity(limit.min(1024));
        for row in self.skus.range::<(u16, &str)>((from, Bound::Unbounded))? {
            let (key, id) = row?;
            if page.len() == limit || key.value().0 != scope {
                break;
            }
            page.extend(self.whole((scope, id.value()))?);
        }
        Ok(page)
    }

    pub(super) fn page_by_id(
        &self,
        scope: u16,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, Trouble> {
        let mut page = Vec::with_capacity(limit.min(1024));
        for row in self.documents.range::<Id>(behind(scope, after))? {
            let (id, value) = row?;
            if page.len() == limit {
                break;
            }
            page.extend(self.parse(id.value(), value.value())?);
        }
        Ok(page)
    }

    /// Of the cards' table, whose pages hold the most ids.
    pub(super) fn ids(
        &self,
        scope: u16,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductId>, Trouble> {
        let rows = self.cards.range::<Id>(behind(scope, after))?;
        rows.take(limit).map(|row| Ok(record::product(row?.0.value()))).collect()
    }

    /// `None` for what an older version wrote and this one can't read: its rebuild is under way.
    fn parse(&self, id: (u16, u128), value: &[u8]) -> Result<Option<ProductDocument>, Trouble> {
        let parsed = Record::read(value).map(|r| serde_json::from_slice(r.json));
        match parsed {
            Some(Ok(document)) => Ok(Some(document)),
            _ if !self.present_form => Ok(None),
            _ => Err(lost(id)),
        }
    }
}

fn behind(scope: u16, after: Option<ProductId>) -> (Bound<Id>, Bound<Id>) {
    let from = match after {
        Some(id) => Bound::Excluded(record::id(scope, id)),
        None => Bound::Included((scope, 0)),
    };
    (from, Bound::Included((scope, u128::MAX)))
}

fn lost(id: (u16, u128)) -> Trouble {
    Trouble::Damaged(format!("the document of product {} is damaged", record::product(id)))
}

fn scopes(txn: &ReadTransaction) -> Result<Vec<(Scope, u16)>, Trouble> {
    let mut scopes = Vec::new();
    for row in txn.open_table(record::SCOPES)?.iter()? {
        let (key, number) = row?;
        let (site, locale) = key
            .value()
            .split_once('\u{1f}')
            .ok_or_else(|| Trouble::Damaged("a scope's name is damaged".to_owned()))?;
        let scope = Scope { site: Site(site.to_owned()), locale: Locale(locale.to_owned()) };
        scopes.push((scope, number.value()));
    }
    Ok(scopes)
}

/// A tree that can't be read comes from an older version; its rebuild brings a new one.
fn load_trees(txn: &ReadTransaction, scopes: &[(Scope, u16)]) -> Result<Trees, Trouble> {
    let table = txn.open_table(record::CATEGORIES)?;
    let mut trees = Trees::new();
    for (scope, number) in scopes {
        if let Some(value) = table.get(number)?
            && let Ok(tree) = serde_json::from_slice::<CategoryTree>(value.value())
        {
            trees.insert(scope.clone(), Arc::new(tree));
        }
    }
    Ok(trees)
}
