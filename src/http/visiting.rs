//! The sessions' handle, as the edge asks it.

use crate::{
    actors::keepers::sessions::{Opened, Opening, Sessions, SessionsError, Whence},
    domain::{
        id::{SessionId, UserId},
        secret::Secret,
        session::{Session, Via, Who},
    },
    http::{error::Problem, handles::Visiting},
};
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl Visiting for Sessions {
    async fn find(&self, token: &Secret, via: &[Via]) -> Result<Option<Arc<Session>>, Problem> {
        Ok(Self::find(self, token, via).await?)
    }

    fn is_known_guest(&self, token: &Secret) -> bool {
        Self::is_known_guest(self, token)
    }

    async fn open_guest(&self, via: Via, whence: Whence) -> Result<Opened, Problem> {
        let opening = Opening { who: Who::Guest, via, scopes: None, whence, ends_at: None };
        Ok(Self::open(self, opening).await?)
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, Problem> {
        Ok(Self::list(self, user).await?)
    }

    async fn end(&self, id: SessionId, user: Option<UserId>) -> Result<bool, Problem> {
        Ok(Self::end(self, id, user).await?)
    }

    async fn end_others(&self, user: UserId, but: SessionId) -> Result<(), Problem> {
        Ok(Self::end_all(self, user, Some(but)).await.map(drop)?)
    }
}

impl From<SessionsError> for Problem {
    fn from(error: SessionsError) -> Self {
        match error {
            SessionsError::Read(error) => error.into(),
            SessionsError::Write(error) => error.into(),
        }
    }
}
