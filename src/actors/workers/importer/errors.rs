//! The file of a run's bad rows, one JSON object a line.
//!
//! It is on disk before the commit that counts its rows, and a resumed run first drops what
//! belongs to rows that aren't counted: so each bad row is in it once, however the run was cut.

use crate::domain::import::RowError;
use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};

#[derive(Debug)]
pub(super) struct ErrorFile {
    path: PathBuf,
    /// Opened at the first error: a clean run leaves no file.
    file: Option<File>,
}

impl ErrorFile {
    /// Keeps what is told of lines before `first`, all of it when there is no such line.
    pub(super) async fn open(path: PathBuf, first: Option<u64>) -> io::Result<Self> {
        let cut = path.clone();
        tokio::task::spawn_blocking(move || keep_before(&cut, first.unwrap_or(u64::MAX)))
            .await
            .map_err(io::Error::other)??;
        Ok(Self { path, file: None })
    }

    /// On disk when this returns.
    pub(super) async fn append(&mut self, errors: &[&RowError]) -> io::Result<()> {
        if errors.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for error in errors {
            text.push_str(&serde_json::to_string(error)?);
            text.push('\n');
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = OpenOptions::new().create(true).append(true).open(&self.path).await?;
                none.insert(file)
            }
        };
        file.write_all(text.as_bytes()).await?;
        file.flush().await?;
        file.sync_data().await
    }
}

fn keep_before(path: &Path, first: u64) -> io::Result<()> {
    let Some(file) = opened(path)? else { return Ok(()) };
    let rest = path.with_extension("cut");
    let mut kept = io::BufWriter::new(std::fs::File::create(&rest)?);
    let mut count = 0;
    for line in io::BufReader::new(file).split(b'\n') {
        let line = line?;
        // A line that can't be read was being written when the run was cut.
        if serde_json::from_slice::<RowError>(&line).is_ok_and(|error| error.line < first) {
            io::Write::write_all(&mut kept, &line)?;
            io::Write::write_all(&mut kept, b"\n")?;
            count += 1;
        }
    }
    kept.into_inner()?.sync_all()?;
    if count == 0 {
        std::fs::remove_file(&rest)?;
        return std::fs::remove_file(path);
    }
    std::fs::rename(&rest, path)
}

fn opened(path: &Path) -> io::Result<Option<std::fs::File>> {
    match std::fs::File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Up to `limit` errors behind the first `after`.
pub(super) async fn page(path: PathBuf, after: usize, limit: usize) -> io::Result<Vec<RowError>> {
    tokio::task::spawn_blocking(move || {
        let Some(file) = opened(&path)? else { return Ok(Vec::new()) };
        let mut page = Vec::new();
        for line in io::BufReader::new(file).split(b'\n').skip(after).take(limit) {
            // The last line may be half written at this moment.
            if let Ok(error) = serde_json::from_slice(&line?) {
                page.push(error);
            }
        }
        Ok(page)
    })
    .await
    .map_err(io::Error::other)?
}
