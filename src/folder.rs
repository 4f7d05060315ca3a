//! The data folder: where everything of one node lives, and who is using it.
//!
//! One process at a time owns the folder, by a lock on `run/lock` that the kernel drops with the
//! process, however it dies. The lock's file says how to reach its owner, so a second command on
//! the same folder talks to the server instead of opening the files under it.

use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The folders inside, made at the first start.
const INSIDE: &[&str] = &["index", "documents", "files/public", "files/private", "imports", "mail"];

/// Of these, what a backup takes along beside the database: all that can't be made again from it.
pub(crate) const BACKED_UP: &[&str] = &["files", "imports", "mail"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("can't use the data folder {}: {source}; choose another with --data", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error(
        "the data folder {} is in use by `{}` (process {}); stop it first, or choose another with --data",
        path.display(), owner.command, owner.process
    )]
    InUse { path: PathBuf, owner: Owner },
    #[error(
        "the data folder {} belongs to another database; choose another folder with --data, or the \
         database it was made with",
        path.display()
    )]
    OtherDatabase { path: PathBuf },
}

/// Who holds the folder, as written into the lock's file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Owner {
    pub(crate) process: u32,
    /// `stoa serve`, `stoa import` …
    pub(crate) command: String,
    /// Where its API answers; `None` while it has none.
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// Held for as long as this value lives.
#[derive(Debug)]
pub(crate) struct FolderLock {
    file: File,
}

impl Folder {
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("stoa.db")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.path.join("index")
    }

    pub(crate) fn documents(&self) -> PathBuf {
        self.path.join("documents/documents.redb")
    }

    /// What everybody may have.
    pub(crate) fn files_public(&self) -> PathBuf {
        self.path.join("files/public")
    }

    /// What a network for play money knows; it is no part of the shop's books.
    pub(crate) fn test_cards(&self) -> PathBuf {
        self.path.join("payments-test-cards.jsonl")
    }

    /// What was mailed, where no server takes it on.
    pub(crate) fn mail(&self) -> PathBuf {
        self.path.join("mail")
    }

    pub(crate) fn imports(&self) -> PathBuf {
        self.path.join("imports")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path.join("run/stoa.sock")
    }

    fn lock_file(&self) -> PathBuf {
        self.path.join("run/lock")
    }

    /// Makes the folder and its parts where they are missing, proves that it can be written, and
    /// takes it for this process.
    pub(crate) fn take(&self, command: &str) -> Result<FolderLock, FolderError> {
        let unusable = |source| FolderError::Unusable { path: self.path.clone(), source };
        self.make().map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.lock_file())
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let owner = read_owner(&mut file).unwrap_or_else(|| Owner {
                    process: 0,
                    command: "another process".into(),
                    url: None,
                });
                return Err(FolderError::InUse { path: self.path.clone(), owner });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let mut lock = FolderLock { file };
        lock.announce(command, None).map_err(unusable)?;
        Ok(lock)
    }

    /// The process that holds the folder now, if one does.
    pub(crate) fn owner(&self) -> Option<Owner> {
        let mut file = OpenOptions::new().read(true).write(true).open(self.lock_file()).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => read_owner(&mut file),
            _ => None,
        }
    }

    /// Keeps the link with which somebody becomes the shop's owner, for the folder's owner alone.
    pub(crate) fn put_setup_link(&self, link: &str) -> Result<PathBuf, FolderError> {
        let path = self.setup_link();
        private_file(&path, &format!("{link}\n"))
            .map_err(|source| FolderError::Unusable { path: path.clone(), source })?;
        Ok(path)
    }

    /// Somebody did; or it never was there.
    pub(crate) fn withdraw_setup_link(&self) {
        let _gone_already = fs::remove_file(self.setup_link());
    }

    fn setup_link(&self) -> PathBuf {
        self.path.join("run/setup.link")
    }

    /// The operator's token of this folder: `fresh` at the first call and that one ever after.
    /// Readable by the folder's owner only.
    pub(crate) fn admin_token(&self, fresh: String) -> Result<String, FolderError> {
        let path = self.path.join("run/admin.token");
        let unusable = |source| FolderError::Unusable { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(token) if token.trim().len() >= 32 => return Ok(token.trim().to_owned()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
            _ => {}
        }
        private_file(&path, &fresh).map_err(unusable)?;
        Ok(fresh)
    }

    /// The token if there is one, for a command that talks to the server.
    pub(crate) fn known_token(&self) -> Option<String> {
        let token = fs::read_to_string(self.path.join("run/admin.token")).ok()?;
        Some(token.trim().to_owned()).filter(|token| !token.is_empty())
    }

    /// Ties the folder to its database at the first call and refuses another one later: its
    /// documents and index would speak of things that aren't there.
    pub(crate) fn belong_to(&self, database: uuid::Uuid) -> Result<(), FolderError> {
        let path = self.path.join("database.id");
        let unusable = |source| FolderError::Unusable { path: path.clone(), source };
        match fs::read_to_string(&path) {
            Ok(known) if known.trim() == database.to_string() => Ok(()),
            Ok(known) if !known.trim().is_empty() => {
                Err(FolderError::OtherDatabase { path: self.path.clone() })
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unusable(error)),
            _ => fs::write(&path, format!("{database}\n")).map_err(unusable),
        }
    }

    fn make(&self) -> io::Result<()> {
        if !self.path.is_dir() {
            fs::DirBuilder::new().recursive(true).mode(0o750).create(&self.path)?;
        }
        for inside in INSIDE {
            fs::create_dir_all(self.path.join(inside))?;
        }
        let run = self.path.join("run");
        fs::create_dir_all(&run)?;
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700))
    }
}

impl FolderLock {
    /// Tells later commands how to reach this process.
    pub(crate) fn announce(&mut self, command: &str, url: Option<String>) -> io::Result<()> {
        let owner = Owner { process: std::process::id(), command: command.to_owned(), url };
        let text = serde_json::to_vec(&owner)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.sync_data()
    }
}

/// Readable by its owner only.
fn private_file(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read_owner(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_who_says_how_to_reach_it() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path().join("data"));
        assert!(folder.owner().is_none());
        let mut lock = folder.take("stoa serve").unwrap();
        lock.announce("stoa serve", Some("http://127.0.0.1:1".into())).unwrap();
        assert_eq!(folder.owner().unwrap().url.as_deref(), Some("http://127.0.0.1:1"));
        let refused = folder.take("stoa import").unwrap_err().to_string();
        assert!(refused.contains("in use by `stoa serve`"), "{refused}");
        drop(lock);
        assert!(folder.owner().is_none());
        assert!(folder.take("stoa import").is_ok());
    }

    #[test]
    fn a_folder_that_is_a_file_is_refused_with_what_to_do() {
        let place = tempfile::NamedTempFile::new().unwrap();
        let refused = Folder::at(place.path()).take("stoa serve").unwrap_err().to_string();
        assert!(refused.contains("choose another with --data"), "{refused}");
    }

    #[test]
    fn the_token_stays_and_is_private() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        let _lock = folder.take("stoa serve").unwrap();
        let first = folder.admin_token("7".repeat(64)).unwrap();
        assert_eq!(folder.admin_token("8".repeat(64)).unwrap(), first);
        let mode = fs::metadata(place.path().join("run/admin.token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
