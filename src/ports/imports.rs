//! Import runs as rows: what was asked for, how far it is, how it ended.

use super::StoreError;
use crate::domain::{id::ImportId, time::Micros};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    Pending,
    Running,
    Succeeded,
    /// Could not go on; `message` says why. It may be resumed.
    Failed,
    Cancelled,
}

impl ImportState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing more will come, unless somebody resumes it.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFormat {
    JsonLines,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// How a source is to be read; part of the import's row, so a resumed run reads it the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOptions {
    pub format: RowFormat,
    pub compression: Compression,
    /// Field of a product → column of the file, where they differ.
    pub map: BTreeMap<String, String>,
    /// Of prices that name none.
    pub currency: crate::domain::money::Currency,
    pub dry_run: bool,
}

/// Rows so far. `read = created + updated + unchanged + rejected`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportCounts {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub rejected: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    /// What the user called it: a file's name.
    pub name: String,
    /// Where the rows are: a file's path on this machine, or a file in the data folder.
    pub source: String,
    /// SHA-256 of the source as stored, hex: a resume on other content is refused.
    pub source_hash: String,
    /// Bytes of the source as stored.
    pub source_bytes: u64,
    pub options: ImportOptions,
    pub state: ImportState,
    pub counts: ImportCounts,
    /// Rows of the source that are done with; a resume passes over as many.
    pub rows_done: u64,
    /// Compressed bytes those rows took, for the progress bar.
    pub bytes_done: u64,
    pub message: Option<String>,
    pub created_at: Micros,
    pub updated_at: Micros,
}

#[async_trait]
pub trait Imports: Send + Sync {
    async fn get(&self, id: ImportId) -> Result<Option<Import>, StoreError>;
    /// Newest first.
    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, StoreError>;
    /// The oldest that is pending, or running though nobody runs it (its process died).
    async fn next_unfinished(&self) -> Result<Option<Import>, StoreError>;
    /// The newest unfinished or failed run of a source with this hash.
    async fn resumable(&self, source_hash: &str) -> Result<Option<Import>, StoreError>;
}
