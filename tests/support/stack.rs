//! Where a test's server keeps its things: embedded, or on PostgreSQL when there is one.

use super::{
    postgres,
    server::{self, Server},
};
use tempfile::TempDir;

/// A stack to run a journey on: the flags that choose its database.
pub(crate) struct Stack {
    pub(crate) name: &'static str,
    folder: TempDir,
    flags: Vec<String>,
}

impl Stack {
    pub(crate) fn embedded() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { name: "SQLite", folder, flags: Vec::new() }
    }

    pub(crate) fn postgres(test: &str) -> Option<Self> {
        Some(Self::at(postgres::database(test)?))
    }

    /// On an empty database.
    pub(crate) fn at(url: String) -> Self {
        let flags = vec!["--database-url".to_owned(), url];
        Self { name: "PostgreSQL", folder: tempfile::tempdir().expect("a folder"), flags }
    }

    /// `None`: embedded.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.flags.get(1).map(String::as_str)
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// A place for files of the test beside the data folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments with this stack's flags behind them.
    pub(crate) fn with<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        arguments.iter().copied().chain(self.flags.iter().map(String::as_str)).collect()
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Server {
        Server::start(&self.data(), &self.with(arguments))
    }

    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        server::succeed(&self.data(), &self.with(arguments))
    }
}

/// Runs a journey on every stack there is.
pub(crate) fn on_every_stack(test: &str, journey: impl Fn(&Stack)) {
    journey(&Stack::embedded());
    if let Some(stack) = Stack::postgres(test) {
        journey(&stack);
    }
}
