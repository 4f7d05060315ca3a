//! One batch as one transaction.

use super::{
    error::Trouble,
    record::{self, Id, Named, Record},
};
use crate::{
    domain::{category::CategoryTree, event::Position, id::ProductId, scope::Scope},
    ports::documents::{DocumentChange, StoredDocument, Touched},
};
use redb::{Database, Durability, ReadableTable, Table, WriteTransaction};

/// What one `apply` brings.
pub(super) struct Batch<'a> {
    pub(super) scope: &'a Scope,
    pub(super) changes: Vec<DocumentChange>,
    pub(super) categories: Option<&'a CategoryTree>,
    pub(super) position: Option<Position>,
    pub(super) form: &'a str,
}

impl Batch<'_> {
    pub(super) fn commit(mut self, database: &Database) -> Result<Touched, Trouble> {
        let txn = begin(database, self.position.is_some())?;
        let scope = scope_number(&txn, self.scope)?;
        // Neighbours in the tree are written together, and the later of two changes comes last.
        self.changes.sort_by_key(changed);
        let mut touched = Touched::with_capacity(self.changes.len());
        {
            let mut tables = Tables::open(&txn, scope)?;
            let mut changes = self.changes.into_iter().peekable();
            while let Some(change) = changes.next() {
                if changes.peek().is_some_and(|next| changed(next) == changed(&change)) {
                    continue;
                }
                match change {
                    DocumentChange::Put(stored) => tables.put(*stored, &mut touched)?,
                    DocumentChange::Remove(id) => tables.remove(id, &mut touched)?,
                }
            }
        }
        if let Some(tree) = self.categories {
            let bytes = serde_json::to_vec(tree).map_err(unwritable)?;
            txn.open_table(record::CATEGORIES)?.insert(scope, bytes.as_slice())?;
        }
        if let Some(position) = self.position {
            let mut meta = txn.open_table(record::META)?;
            meta.insert("position", record::write_position(position).as_slice())?;
            meta.insert("form", self.form.as_bytes())?;
        }
        txn.commit()?;
        Ok(touched)
    }
}

/// A transaction that outlives a crash when `durable`; otherwise the next durable one brings it
/// along. Quick repair costs a second flush and makes opening after a crash take no time.
pub(super) fn begin(database: &Database, durable: bool) -> Result<WriteTransaction, Trouble> {
    let mut txn = database.begin_write()?;
    txn.set_durability(if durable { Durability::Immediate } else { Durability::None })?;
    txn.set_quick_repair(durable);
    Ok(txn)
}

fn changed(change: &DocumentChange) -> ProductId {
    match change {
        DocumentChange::Put(stored) => stored.document.id,
        DocumentChange::Remove(id) => *id,
    }
}

fn scope_number(txn: &WriteTransaction, scope: &Scope) -> Result<u16, Trouble> {
    let mut scopes = txn.open_table(record::SCOPES)?;
    let key = record::scope_key(scope);
    if let Some(number) = scopes.get(key.as_str())? {
        return Ok(number.value());
    }
    let mut number = 0;
    for row in scopes.iter()? {
        number = number.max(row?.1.value() + 1);
    }
    scopes.insert(key.as_str(), number)?;
    Ok(number)
}

struct Tables<'txn> {
    scope: u16,
    documents: Table<'txn, Id, &'static [u8]>,
    json: Table<'txn, Id, &'static [u8]>,
    cards: Table<'txn, Id, &'static [u8]>,
    slugs: Table<'txn, Named, u128>,
    skus: Table<'txn, Named, u128>,
    buffer: Vec<u8>,
}

impl<'txn> Tables<'txn> {
    fn open(txn: &'txn WriteTransaction, scope: u16) -> Result<Self, Trouble> {
        Ok(Self {
            scope,
            documents: txn.open_table(record::DOCUMENTS)?,
            json: txn.open_table(record::JSON)?,
            cards: txn.open_table(record::CARDS)?,
            slugs: txn.open_table(record::SLUGS)?,
            skus: txn.open_table(record::SKUS)?,
            buffer: Vec::new(),
        })
    }

    fn put(&mut self, stored: StoredDocument, touched: &mut Touched) -> Result<(), Trouble> {
        let document = stored.document;
        let key = record::id(self.scope, document.id);
        Record::write(&document, &mut self.buffer).map_err(unwritable)?;
        let before = match self.documents.insert(key, self.buffer.as_slice())? {
            Some(value) => Some(names(value.value(), document.id)?),
            None => None,
        };
        self.json.insert(key, &*stored.json)?;
        self.cards.insert(key, &*stored.card)?;
        let (mut sku_is_there, mut slug_is_there) = (false, false);
        if let Some((sku, slug)) = before {
            sku_is_there = sku == document.sku.as_str();
            if !sku_is_there {
                unname(&mut self.skus, (self.scope, &sku), key.1)?;
            }
            slug_is_there = slug == document.slug;
            if !slug_is_there {
                unname(&mut self.slugs, (self.scope, &slug), key.1)?;
                touched.push((document.id, slug));
            }
        }
        name(&mut self.skus, (self.scope, document.sku.as_str()), key.1, sku_is_there)?;
        name(&mut self.slugs, (self.scope, &document.slug), key.1, slug_is_there)?;
        touched.push((document.id, document.slug));
        Ok(())
    }

    fn remove(&mut self, id: ProductId, touched: &mut Touched) -> Result<(), Trouble> {
        let key = record::id(self.scope, id);
        let (sku, slug) = match self.documents.remove(key)? {
            Some(value) => names(value.value(), id)?,
            None => return Ok(()),
        };
        self.json.remove(key)?;
        self.cards.remove(key)?;
        unname(&mut self.skus, (self.scope, &sku), key.1)?;
        unname(&mut self.slugs, (self.scope, &slug), key.1)?;
        touched.push((id, slug));
        Ok(())
    }
}

/// SKU and slug as they were.
fn names(value: &[u8], id: ProductId) -> Result<(String, String), Trouble> {
    let record = Record::read(value)
        .ok_or_else(|| Trouble::Damaged(format!("the document of product {id} is damaged")))?;
    Ok((record.sku.to_owned(), record.slug.to_owned()))
}

/// `kept`: the product had this name before, though another may have got it meanwhile.
fn name(
    table: &mut Table<'_, Named, u128>,
    key: (u16, &str),
    id: u128,
    kept: bool,
) -> Result<(), Trouble> {
    // A look is cheaper than a write, and worth it where it is likely to spare one.
    if !kept || table.get(key)?.is_none_or(|v| v.value() != id) {
        table.insert(key, id)?;
    }
    Ok(())
}

/// Takes a name back unless another product has got it meanwhile: two may swap theirs, and
/// either may come first.
fn unname(table: &mut Table<'_, Named, u128>, key: (u16, &str), id: u128) -> Result<(), Trouble> {
    let ours = table.get(key)?.is_some_and(|v| v.value() == id);
    if ours {
        table.remove(key)?;
    }
    Ok(())
}

fn unwritable(error: serde_json::Error) -> Trouble {
    Trouble::Damaged(format!("a document can't be written as JSON: {error}"))
}
