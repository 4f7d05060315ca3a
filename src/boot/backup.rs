//! A whole embedded shop put into one file while it runs, and a shop made of such a file.
//!
//! Promise: a backup is one moment of the database with the files beside it, and is called done
//! only once it has been read again from its first byte to its last. A restore unpacks beside its
//! target and moves the whole into place at the end; one that dies before has changed nothing.

use super::{
    BootError,
    archive::{self, ArchiveError, Manifest},
    parts::location,
};
use crate::{
    adapters::{
        clock::{SystemClock, UuidV7},
        sql::{self, SqlStore},
    },
    config::Config,
    folder::{BACKED_UP, Folder},
    ports::clock::Clock,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokio::sync::watch;

/// What is under way, for a progress bar.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moved {
    pub(crate) bytes: u64,
    pub(crate) of: u64,
}

/// Shows how far it is to whoever looks.
pub(crate) type Watch = watch::Sender<Moved>;

impl From<ArchiveError> for BootError {
    fn from(error: ArchiveError) -> Self {
        Self::Other(error.to_string())
    }
}

/// Backs the folder up into `path`, whether or not a server runs on it.
pub(crate) async fn backup(
    config: &Config,
    folder: &Folder,
    path: &Path,
    watch: Watch,
) -> Result<Manifest, BootError> {
    if !config.store.database_url.is_empty() {
        return Err(BootError::Other(
            "this shop's database is a PostgreSQL, which `pg_dump` backs up; copy the data \
             folder's `files` beside it, all else in it is rebuilt"
                .into(),
        ));
    }
    if !folder.database().exists() {
        let place = folder.path().display();
        return Err(BootError::Other(format!("there is no shop in {place}; name one with --data")));
    }
    let place = |source| unusable(path, source);
    if path.exists() {
        return Err(place(io::ErrorKind::AlreadyExists.into()));
    }
    let (part, copy) = (beside(path, "part"), beside(path, "database"));
    let _litter = Litter(vec![part.clone(), copy.clone()]);
    for old in [&part, &copy] {
        drop(fs::remove_file(old));
    }
    let store = SqlStore::connect(&location(config, folder)).await?;
    let identity = store.identity().await?;
    let mark = store.copy_into(&copy).await;
    store.close().await;
    let Some(mark) = mark? else {
        return Err(BootError::Other("the database is not one in the data folder".into()));
    };
    let now = SystemClock::start().now().rfc3339();
    let manifest = Manifest::new(now, identity.database_id, mark.offset, mark.products);
    let (folder, path) = (folder.clone(), path.to_owned());
    blocking(move || {
        let mut sources = vec![("stoa.db".to_owned(), copy)];
        for inside in BACKED_UP {
            list(folder.path(), Path::new(inside), &mut sources).map_err(|e| unusable(&path, e))?;
        }
        let size = |source: &PathBuf| fs::metadata(source).map_or(0, |data| data.len());
        let of = sources.iter().map(|(_, source)| size(source)).sum();
        let wrote = archive::pack(&part, manifest, sources, &mut counted(&watch, of))?;
        // Read as a restore will: a disk that forgets is found now.
        archive::unpack(&part, None, &mut counted(&watch, wrote.bytes()))?;
        fs::rename(&part, &path).map_err(|e| unusable(&path, e))?;
        sync_parent(&path).map_err(|e| unusable(&path, e))?;
        Ok(wrote)
    })
    .await
}

/// Reads a backup whole and compares it with what it should be.
pub(crate) async fn check_backup(path: &Path, watch: Watch) -> Result<Manifest, BootError> {
    let path = path.to_owned();
    blocking(move || {
        let of = fs::metadata(&path).map_or(0, |data| data.len());
        Ok(archive::unpack(&path, None, &mut counted(&watch, of))?)
    })
    .await
}

/// Makes a shop of a backup, where there is none.
pub(crate) async fn restore(
    folder: &Folder,
    path: &Path,
    watch: Watch,
) -> Result<Manifest, BootError> {
    let target = folder.path();
    let is_free = match fs::read_dir(target) {
        Ok(mut inside) => inside.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(BootError::Other(format!(
            "{} is not empty, and a restore replaces nothing; name another folder with --data, or \
             move this one away",
            target.display()
        )));
    }
    let unpacked = beside(target, "restoring");
    let failed = |source| unusable(&unpacked, source);
    if unpacked.exists() {
        // Of a restore that died.
        fs::remove_dir_all(&unpacked).map_err(failed)?;
    }
    fs::create_dir_all(&unpacked).map_err(failed)?;
    let litter = Litter(vec![unpacked.clone()]);
    let (from, into) = (path.to_owned(), unpacked.clone());
    let manifest = blocking(move || {
        let of = fs::metadata(&from).map_or(0, |data| data.len());
        Ok(archive::unpack(&from, Some(&into), &mut counted(&watch, of))?)
    })
    .await?;
    let database = Folder::at(&unpacked).database();
    let mark = sql::adopt_copy(&database, &UuidV7).await?;
    if (mark.offset, mark.products) != (manifest.mark, manifest.products) {
        let words = "the database in it is not the one its list speaks of";
        return Err(BootError::Other(format!("{}: {words}", path.display())));
    }
    let settled = || -> io::Result<()> {
        fs::File::open(&database)?.sync_all()?;
        fs::File::open(&unpacked)?.sync_all()?;
        if target.exists() {
            fs::remove_dir(target)?;
        }
        fs::rename(&unpacked, target)?;
        sync_parent(target)
    };
    settled().map_err(|source| unusable(target, source))?;
    drop(litter);
    Ok(manifest)
}

fn unusable(path: &Path, source: io::Error) -> BootError {
    let remedy = match source.kind() {
        io::ErrorKind::AlreadyExists => "; it is kept: name another file",
        io::ErrorKind::StorageFull => "; free some room and try again",
        _ => "",
    };
    BootError::Other(format!("{}: {source}{remedy}", path.display()))
}

/// The regular files below `inside`, by their path from `root`. Other things are passed over.
fn list(root: &Path, inside: &Path, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(inside)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, inside.join(entry.file_name()));
        if kind.is_dir() {
            list(root, &name, found)?;
        } else if kind.is_file() {
            let Some(text) = name.to_str() else {
                return Err(io::Error::other(format!("{} is not UTF-8", name.display())));
            };
            found.push((text.to_owned(), entry.path()));
        }
    }
    Ok(())
}

/// A name that nothing else has, in the same folder, so that a rename moves it into place.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    path.with_file_name(name)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    path.parent().map_or(Ok(()), |parent| fs::File::open(parent)?.sync_all())
}

fn counted(watch: &Watch, of: u64) -> impl FnMut(u64) {
    let (watch, mut bytes) = (watch.clone(), 0);
    move |more| {
        bytes += more;
        watch.send_replace(Moved { bytes, of });
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BootError> + Send + 'static,
) -> Result<T, BootError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|died| Err(BootError::Other(format!("it broke off: {died}"))))
}

/// What is not to stay, however this ends.
struct Litter(Vec<PathBuf>);

impl Drop for Litter {
    fn drop(&mut self) {
        for path in &self.0 {
            drop(fs::remove_file(path));
            drop(fs::remove_dir_all(path));
        }
    }
}
