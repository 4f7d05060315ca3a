//! `ports::blobs` on a local folder, through OpenDAL.
//!
//! A file is written below `.writing`, synced, and renamed to its place; then the folders on the
//! way are synced, which OpenDAL leaves out. `.writing` lies inside the folder it serves, so that
//! the rename never crosses file systems, whatever is mounted there. What a crash leaves in it is
//! under no key and is swept away by the next write.
//!
//! One value owns a folder: its writes go one after the other, as OpenDAL looks for a file and
//! renames over it in two steps. People may add files by hand while it runs.

mod failure;
mod key;

use crate::ports::blobs::{BlobError, Blobs};
use async_trait::async_trait;
use bytes::Bytes;
use failure::{failed, failed_io, is_absent};
use opendal::{ErrorKind, Operator, services::Fs};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};
use tokio::{sync::Mutex, task::spawn_blocking};

const WRITING: &str = ".writing";

/// Files in a folder.
#[derive(Debug)]
pub struct OpendalBlobs {
    operator: Operator,
    root: PathBuf,
    /// Held through a change.
    changes: Mutex<()>,
}

impl OpendalBlobs {
    /// Makes the folder where it is missing.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let writing = root.join(WRITING);
        fs::create_dir_all(&writing).map_err(|error| failed_io(&error))?;
        let (Some(path), Some(writing)) = (root.to_str(), writing.to_str()) else {
            let told = format!("the folder's name is not UTF-8: {}", root.display());
            return Err(BlobError::Unavailable(told));
        };
        let fs = Fs::default().root(path).atomic_write_dir(writing);
        let operator = Operator::new(fs).map_err(|error| failed(&error))?;
        Ok(Self { operator, root: root.to_owned(), changes: Mutex::default() })
    }

    /// Whether there is something under the key, and if a file, its length.
    async fn found(&self, key: &str) -> Result<Found, BlobError> {
        match self.operator.stat(key).await {
            Ok(about) if about.is_file() => Ok(Found::File(about.content_length())),
            Ok(_) => Ok(Found::Folder),
            Err(error) if is_absent(&error) => Ok(Found::Nothing),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn read(&self, key: &str, length: u64) -> Result<Option<Bytes>, BlobError> {
        if length == 0 {
            return Ok(Some(Bytes::new()));
        }
        match self.operator.read_with(key).range(0..length).await {
            Ok(content) => Ok(Some(content.to_bytes())),
            // Removed since it was found.
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Does something to the folder where waiting for the disk holds nobody up.
    async fn on_disk(
        &self,
        what: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
    ) -> Result<(), BlobError> {
        let root = self.root.clone();
        let done = spawn_blocking(move || what(&root)).await;
        done.map_err(io::Error::from).flatten().map_err(|error| failed_io(&error))
    }
}

enum Found {
    Nothing,
    Folder,
    File(u64),
}

#[async_trait]
impl Blobs for OpendalBlobs {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), BlobError> {
        key::check(key)?;
        let taken = || BlobError::Taken(key.to_owned());
        let _alone = self.changes.lock().await;
        let same = match self.found(key).await? {
            Found::Folder => return Err(taken()),
            Found::File(length) if length != content.len() as u64 => return Err(taken()),
            Found::File(length) => match self.read(key, length).await? {
                Some(there) if there != content => return Err(taken()),
                there => there.is_some(),
            },
            Found::Nothing => false,
        };
        if !same {
            self.on_disk(sweep).await?;
            if let Err(error) = self.operator.write(key, content).await {
                // A half file would hold the room that others need.
                self.on_disk(sweep).await?;
                return Err(match error.kind() {
                    ErrorKind::AlreadyExists | ErrorKind::NotADirectory => taken(),
                    _ if is_absent(&error) => taken(),
                    _ => failed(&error),
                });
            }
        }
        // Also for what was there: its writer may have died before this step.
        let key = key.to_owned();
        self.on_disk(move |root| sync_folders(root, &key)).await
    }

    async fn get(&self, key: &str, most: u64) -> Result<Option<Bytes>, BlobError> {
        key::check(key)?;
        match self.found(key).await? {
            Found::File(length) if length > most => {
                Err(BlobError::TooLarge { key: key.to_owned(), most })
            }
            Found::File(length) => self.read(key, length).await,
            Found::Folder | Found::Nothing => Ok(None),
        }
    }

    async fn remove(&self, key: &str) -> Result<(), BlobError> {
        key::check(key)?;
        let _alone = self.changes.lock().await;
        // A folder is no file: it has no key of its own.
        let Found::File(_) = self.found(key).await? else { return Ok(()) };
        self.operator.delete(key).await.map_err(|error| failed(&error))?;
        let key = key.to_owned();
        self.on_disk(move |root| sync_folders(root, &key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BlobError> {
        let folder = match prefix.rsplit_once('/') {
            Some((folder, _)) => {
                key::check(folder)?;
                format!("{folder}/")
            }
            None => String::new(),
        };
        let entries = match self.operator.list_with(&folder).recursive(true).await {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
        let mut keys: Vec<String> = files
            .map(|entry| entry.path().to_owned())
            // What has no key (`.writing`, a hidden file of somebody's) can't be asked for.
            .filter(|key| key.starts_with(prefix) && key::check(key).is_ok())
            .collect();
        keys.sort();
        Ok(keys)
    }
}

/// Removes what writes that didn't end have left.
fn sweep(root: &Path) -> io::Result<()> {
    for left in fs::read_dir(root.join(WRITING))? {
        match fs::remove_file(left?.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Makes lasting what is in the folders from the file's up to the root: any of them may be new.
fn sync_folders(root: &Path, key: &str) -> io::Result<()> {
    let mut folder = Path::new(key);
    while let Some(above) = folder.parent() {
        File::open(root.join(above))?.sync_all()?;
        folder = above;
    }
    Ok(())
}
