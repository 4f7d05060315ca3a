//! Who is meant by the names in a history.

use crate::{domain::id::UserId, http::app::App};
use std::collections::HashMap;

/// People of one page that are looked up; more are told by their ids.
const MOST: usize = 20;

/// Names by how the audit log writes a user. Somebody who is gone, or can't be looked up now, is
/// told by their id.
pub(super) struct People(HashMap<String, String>);

impl People {
    pub(super) async fn of(app: &App, all: impl Iterator<Item = &str>) -> Self {
        let mut names = HashMap::new();
        for by in all {
            let user = by.strip_prefix("user:").and_then(|id| id.parse::<UserId>().ok());
            let Some(user) = user.filter(|_| !names.contains_key(by)) else { continue };
            if names.len() == MOST {
                break;
            }
            if let Ok(account) = app.accounts.account(user).await {
                names.insert(by.to_owned(), account.name);
            }
        }
        Self(names)
    }

    pub(super) fn name(&self, by: &str) -> String {
        match by {
            "system" => "the shop".to_owned(),
            "import" => "an import".to_owned(),
            by if by.starts_with("guest:") => "a guest".to_owned(),
            by => self.0.get(by).cloned().unwrap_or_else(|| by.to_owned()),
        }
    }
}
