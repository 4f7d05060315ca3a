//! The local documents in one redb file (why: `docs/decisions/0002-local-documents-in-redb.md`).
//!
//! Promise: a reader sees whole commits, on its own thread, without waiting for the writer; the
//! position never runs ahead of the documents, also through a crash at any moment. A full disk
//! fails the write and leaves what is readable readable: the file is opened anew and the next
//! write may succeed. Damage that redb notices is [`DocumentsError::Corrupt`] from then on, until
//! [`Documents::clear`] sets the file aside. Nothing here is lost that the database doesn't have.

mod error;
mod record;
mod view;
mod write;

#[cfg(test)]
mod figures;
#[cfg(test)]
mod tests;

use crate::{
    domain::{
        category::CategoryTree, document::ProductDocument, event::Position, id::ProductId,
        scope::Scope, sku::Sku,
    },
    ports::documents::{DocumentChange, Documents, DocumentsError, StoredDocument, Touched},
};
use bytes::Bytes;
use error::Trouble;
use redb::{Builder, Database, DatabaseError, ReadableDatabase};
use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};
use view::View;
use write::Batch;

/// Pages of the file kept in memory; the rest is in the system's cache, a copy away.
const CACHE_BYTES: usize = 32 << 20;

type Open = dyn Fn(&Path) -> Result<Database, DatabaseError> + Send + Sync;

/// See the module.
pub struct RedbDocuments {
    path: PathBuf,
    form: String,
    open: Box<Open>,
    /// One writer at a time. `None` while the file could not be opened again.
    writer: Mutex<Option<Database>>,
    view: RwLock<Arc<View>>,
    damaged: AtomicBool,
}

impl RedbDocuments {
    /// Opens or makes the file. `form` names the version of what is put in (of views' templates,
    /// say): documents of another form stay readable where they parse, but have no position.
    pub fn open(path: &Path, form: &str) -> Result<Self, DocumentsError> {
        Self::open_by(path, form, Box::new(open_file))
    }

    /// Like [`Self::open`]; a file that is damaged is set aside as `….broken` and a new one begun,
    /// which the follower fills. Fails when there is no room, or another process has the file.
    pub fn open_or_rebuild(path: &Path, form: &str) -> Result<Self, DocumentsError> {
        match Self::open(path, form) {
            Err(DocumentsError::Corrupt(why)) => {
                let aside = set_aside(path)?;
                tracing::warn!(
                    documents.reason = why,
                    documents.set_aside = %aside.display(),
                    "local documents are damaged and are built anew",
                );
                Self::open(path, form)
            }
            opened => opened,
        }
    }

    fn open_by(path: &Path, form: &str, open: Box<Open>) -> Result<Self, DocumentsError> {
        let (database, view) = unpanicked(|| begin(&open, path, form))?;
        Ok(Self {
            path: path.to_owned(),
            form: form.to_owned(),
            open,
            writer: Mutex::new(Some(database)),
            view: RwLock::new(Arc::new(view)),
            damaged: AtomicBool::new(false),
        })
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn show(&self, view: View) {
        *self.view.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
    }

    fn writer(&self) -> MutexGuard<'_, Option<Database>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One look at the newest commit.
    fn read<T>(&self, look: impl Fn(&View) -> Result<T, Trouble>) -> Result<T, DocumentsError> {
        let view = self.view();
        match unpanicked(|| look(&view)) {
            // A write has failed and spent the handle that this view reads through.
            Err(trouble) if trouble.spends_the_handle() => {
                self.open_again(&mut self.writer(), Some(&view))?;
                let view = self.view();
                unpanicked(|| look(&view)).map_err(|t| self.noted(t))
            }
            looked => looked.map_err(|t| self.noted(t)),
        }
    }

    fn read_in<T: Default>(
        &self,
        scope: &Scope,
        look: impl Fn(&View, u16) -> Result<T, Trouble>,
    ) -> Result<T, DocumentsError> {
        self.read(|view| match view.scope(scope) {
            Some(number) => look(view, number),
            None => Ok(T::default()),
        })
    }

    fn each<T>(
        &self,
        scope: &Scope,
        ids: &[ProductId],
        part: impl Fn(&View, (u16, u128)) -> Result<Option<T>, Trouble>,
    ) -> Result<Vec<Option<T>>, DocumentsError> {
        self.read(|view| match view.scope(scope) {
            Some(number) => ids.iter().map(|id| part(view, record::id(number, *id))).collect(),
            None => Ok(ids.iter().map(|_| None).collect()),
        })
    }

    /// One transaction and the view of it. When it fails, the file is opened anew if it must be,
    /// so that the next attempt finds a handle that works.
    fn write<T>(
        &self,
        change: impl FnOnce(&Database) -> Result<T, Trouble>,
        keep_trees: bool,
    ) -> Result<T, DocumentsError> {
        let mut writer = self.writer();
        if writer.is_none() {
            self.open_again(&mut writer, None)?;
        }
        let done = unpanicked(|| {
            let Some(database) = writer.as_ref() else {
                return Err(redb::StorageError::DatabaseClosed.into());
            };
            let done = change(database)?;
            let trees = keep_trees.then(|| Arc::clone(self.view().trees()));
            Ok((done, View::open(database, &self.form, trees)?))
        });
        match done {
            Ok((done, view)) => {
                self.show(view);
                Ok(done)
            }
            Err(trouble) => {
                if trouble.spends_the_handle()
                    && let Err(error) = self.open_again(&mut writer, None)
                {
                    tracing::error!(%error, "local documents can't be opened again");
                }
                Err(self.noted(trouble))
            }
        }
    }

    /// Closes the file and opens it again. A reader passes the view that failed it: when another
    /// has opened the file meanwhile, there is nothing left to do.
    fn open_again(
        &self,
        writer: &mut Option<Database>,
        failed: Option<&Arc<View>>,
    ) -> Result<(), DocumentsError> {
        if failed.is_some_and(|view| !Arc::ptr_eq(view, &self.view())) {
            return Ok(());
        }
        // Closed before it is opened again: a file has one owner. What could not be flushed is
        // not in it; whoever wanted it there has been told.
        close(writer);
        let (database, view) =
            unpanicked(|| begin(&self.open, &self.path, &self.form)).map_err(|t| self.noted(t))?;
        *writer = Some(database);
        self.show(view);
        Ok(())
    }

    /// Damage is remembered, so that the follower learns what a reader met.
    fn noted(&self, trouble: Trouble) -> DocumentsError {
        let error = DocumentsError::from(trouble);
        if matches!(error, DocumentsError::Corrupt(_)) {
            self.damaged.store(true, Ordering::Relaxed);
        }
        error
    }

    fn empty(database: &Database) -> Result<(), Trouble> {
        let txn = write::begin(database, true)?;
        make_tables(&txn, true)?;
        txn.commit()?;
        Ok(())
    }
}

impl Drop for RedbDocuments {
    fn drop(&mut self) {
        close(self.writer.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Documents for RedbDocuments {
    fn by_slug(&self, scope: &Scope, slug: &str) -> Result<Option<StoredDocument>, DocumentsError> {
        self.read_in(scope, |view, scope| view.by_slug(scope, slug))
    }

    fn by_sku(&self, scope: &Scope, sku: &Sku) -> Result<Option<StoredDocument>, DocumentsError> {
        self.read_in(scope, |view, scope| view.by_sku(scope, sku.as_str()))
    }

    fn by_ids(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<StoredDocument>>, DocumentsError> {
        self.each(scope, ids, View::whole)
    }

    fn documents(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<ProductDocument>>, DocumentsError> {
        self.each(scope, ids, View::document)
    }

    fn cards(
        &self,
        scope: &Scope,
        ids: &[ProductId],
    ) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        self.each(scope, ids, View::card)
    }

    fn json(&self, scope: &Scope, ids: &[ProductId]) -> Result<Vec<Option<Bytes>>, DocumentsError> {
        self.each(scope, ids, View::json)
    }

    fn page_by_sku(
        &self,
        scope: &Scope,
        after: Option<&Sku>,
        limit: usize,
    ) -> Result<Vec<StoredDocument>, DocumentsError> {
        self.read_in(scope, |view, scope| view.page_by_sku(scope, after.map(Sku::as_str), limit))
    }

    fn page_by_id(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductDocument>, DocumentsError> {
        self.read_in(scope, |view, scope| view.page_by_id(scope, after, limit))
    }

    fn ids(
        &self,
        scope: &Scope,
        after: Option<ProductId>,
        limit: usize,
    ) -> Result<Vec<ProductId>, DocumentsError> {
        self.read_in(scope, |view, scope| view.ids(scope, after, limit))
    }

    fn categories(&self, scope: &Scope) -> Arc<CategoryTree> {
        self.view().trees().get(scope).cloned().unwrap_or_default()
    }

    fn count(&self) -> Result<u64, DocumentsError> {
        self.read(View::count)
    }

    fn position(&self) -> Result<Option<Position>, DocumentsError> {
        if self.damaged.load(Ordering::Relaxed) {
            return Err(DocumentsError::Corrupt("damage was found while reading".to_owned()));
        }
        Ok(self.view().position())
    }

    fn apply(
        &self,
        scope: &Scope,
        changes: Vec<DocumentChange>,
        categories: Option<CategoryTree>,
        position: Option<Position>,
    ) -> Result<Touched, DocumentsError> {
        let keep_trees = categories.is_none();
        let categories = categories.as_ref();
        let batch = Batch { scope, changes, categories, position, form: &self.form };
        self.write(|database| batch.commit(database), keep_trees)
    }

    fn forget_position(&self) -> Result<(), DocumentsError> {
        let forget = |database: &Database| {
            let txn = write::begin(database, true)?;
            txn.open_table(record::META)?.remove("position")?;
            txn.commit()?;
            Ok(())
        };
        self.write(forget, true)
    }

    fn clear(&self) -> Result<(), DocumentsError> {
        if !self.damaged.load(Ordering::Relaxed) {
            match self.write(Self::empty, false) {
                Err(DocumentsError::Corrupt(_)) => {}
                cleared => return cleared,
            }
        }
        let mut writer = self.writer();
        close(&mut writer);
        set_aside(&self.path)?;
        self.open_again(&mut writer, None)?;
        self.damaged.store(false, Ordering::Relaxed);
        Ok(())
    }
}

fn open_file(path: &Path) -> Result<Database, DatabaseError> {
    Builder::new().set_cache_size(CACHE_BYTES).create(path)
}

fn begin(open: &Open, path: &Path, form: &str) -> Result<(Database, View), Trouble> {
    let database = open(path)?;
    let layout = {
        let txn = database.begin_read()?;
        match txn.open_table(record::META) {
            Ok(meta) => meta.get("layout")?.map(|v| v.value().to_vec()),
            Err(redb::TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(error.into()),
        }
    };
    let ours = record::LAYOUT.to_le_bytes();
    if layout.as_deref() != Some(ours.as_slice()) {
        let txn = write::begin(&database, true)?;
        make_tables(&txn, layout.is_some())?;
        txn.commit()?;
    }
    let view = View::open(&database, form, None)?;
    Ok((database, view))
}

/// Every table, empty; `anew` when there may be something in them.
fn make_tables(txn: &redb::WriteTransaction, anew: bool) -> Result<(), Trouble> {
    if anew {
        let tables: Vec<_> = txn.list_tables()?.collect();
        for table in tables {
            txn.delete_table(table)?;
        }
    }
    txn.open_table(record::SCOPES)?;
    txn.open_table(record::CATEGORIES)?;
    txn.open_table(record::DOCUMENTS)?;
    txn.open_table(record::JSON)?;
    txn.open_table(record::CARDS)?;
    txn.open_table(record::SLUGS)?;
    txn.open_table(record::SKUS)?;
    txn.open_table(record::META)?.insert("layout", record::LAYOUT.to_le_bytes().as_slice())?;
    Ok(())
}

/// What waits to be durable becomes so, if it can.
fn close(writer: &mut Option<Database>) {
    let closed = unpanicked(|| match writer.take() {
        Some(database) => Ok(database.close()?),
        None => Ok(()),
    });
    if let Err(trouble) = closed {
        let error = DocumentsError::from(trouble);
        tracing::warn!(%error, "local documents were not closed as they should be");
    }
}

/// On a file that was altered from outside redb may panic where it promises an error.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Trouble::Damaged("reading it ended in a panic, so it is not as it was written".into()))
    })
}

/// One broken file is kept, the newest.
fn set_aside(path: &Path) -> Result<PathBuf, DocumentsError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    let aside = PathBuf::from(aside);
    match fs::rename(path, &aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DocumentsError::Unavailable(
            format!("{} can't be renamed: {error}", path.display()),
        )),
        _ => Ok(aside),
    }
}
