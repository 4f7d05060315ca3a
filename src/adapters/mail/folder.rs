//! Mail as files in a folder, for a shop that is tried out: open one to see what would be sent.

use super::{Origin, compose};
use crate::ports::mail::{Letter, MailError, Mailer};
use async_trait::async_trait;
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// Writes `DAY-ID.eml`. Sent twice a mail is one file.
#[derive(Debug, Clone)]
pub struct FolderMailer {
    folder: PathBuf,
    origin: Origin,
}

impl FolderMailer {
    /// The folder must be there.
    pub fn new(folder: impl Into<PathBuf>, origin: Origin) -> Self {
        Self { folder: folder.into(), origin }
    }
}

#[async_trait]
impl Mailer for FolderMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let name = format!("{}-{}.eml", letter.created_at.day(), letter.id);
        let (path, text) = (self.folder.join(name), compose(&self.origin, letter));
        let written = tokio::task::spawn_blocking(move || write(&path, text.as_bytes())).await;
        let later = |error: std::io::Error| MailError::Later(format!("the mail folder: {error}"));
        written.map_err(|error| MailError::Later(error.to_string()))?.map_err(later)
    }
}

/// Whole or not at all, and for the folder's owner alone, as a mail may hold a token.
fn write(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let aside = path.with_extension("new");
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&aside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{id::MailId, time::Micros},
        ports::mail::MailBody,
    };
    use std::os::unix::fs::PermissionsExt;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_mail_sent_twice_is_one_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::read("shop@localhost").unwrap();
        let mailer = FolderMailer::new(folder.path(), origin);
        let letter = Letter {
            id: MailId(Uuid::from_u128(7)),
            recipient: "ada@example.com".into(),
            subject: "Hello".into(),
            text: MailBody("Hello.\n".into()),
            html: None,
            created_at: Micros(1_700_000_000_000_000),
        };
        for _ in 0..2 {
            mailer.send(&letter).await.unwrap();
        }
        let files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        assert!(files[0].ends_with("2023-11-14-00000000-0000-0000-0000-000000000007.eml"));
        assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(matches!(mailer.send(&letter).await, Err(MailError::Later(_))));
    }
}
