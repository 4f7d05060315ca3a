//! The importer's handle, as the edge asks it.

use crate::{
    actors::workers::importer::Imports,
    domain::{id::ImportId, import::RowError},
    http::{
        error::{Code, Problem},
        handles::{Importing, Rows},
    },
    ports::imports::{Import, ImportOptions, ImportState},
};
use async_trait::async_trait;

#[async_trait]
impl Importing for Imports {
    async fn submit(
        &self,
        name: String,
        options: ImportOptions,
        rows: Rows,
    ) -> Result<Import, Problem> {
        let id = self.submit_stream(&name, options, rows).await?;
        let made = Self::get(self, id).await?;
        made.ok_or_else(|| Problem::internal("an import that was just made is gone"))
    }

    async fn get(&self, id: ImportId) -> Result<Option<Import>, Problem> {
        Ok(Self::get(self, id).await?)
    }

    async fn list(&self, before: Option<ImportId>, limit: u32) -> Result<Vec<Import>, Problem> {
        Ok(Self::list(self, before, limit).await?)
    }

    async fn errors(
        &self,
        id: ImportId,
        after: usize,
        limit: usize,
    ) -> Result<Vec<RowError>, Problem> {
        Ok(Self::errors(self, id, after, limit).await?)
    }

    async fn cancel(&self, id: ImportId) -> Result<Option<Import>, Problem> {
        match Self::cancel(self, id).await? {
            None => Ok(None),
            Some(state @ (ImportState::Succeeded | ImportState::Failed)) => Err(Problem::new(
                Code::Conflict,
                format!("the import has {} already", state.as_str()),
            )),
            Some(_) => Ok(Self::get(self, id).await?),
        }
    }

    async fn resume(&self, id: ImportId) -> Result<Option<Import>, Problem> {
        match Self::resume(self, id).await? {
            true => Ok(Self::get(self, id).await?),
            false => Ok(None),
        }
    }
}
