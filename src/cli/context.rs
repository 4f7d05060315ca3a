//! What every command knows: its data folder, its configuration, and whether a server runs there.

use super::{Failure, Global, client::Client};
use crate::{
    boot::{Inherited, Offline},
    config::{Config, ConfigError, Setting, Sources},
    domain::time::Micros,
    folder::Folder,
    logging::LogConfig,
};
use std::time::Duration;

/// What lies further ahead is refused wherever it is asked for.
const MOST_LATER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

pub(crate) struct Context {
    pub(crate) folder: Folder,
    pub(crate) json: bool,
    global: Global,
    environment: Vec<(String, String)>,
}

impl Context {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("STOA_"))
            .collect();
        let folder = Folder::at(&global.data);
        Ok(Self { folder, json: global.json, global, environment })
    }

    /// The listening sockets this process was given. To be asked for before it has a second thread.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub(crate) fn sockets(&self) -> Result<Option<Inherited>, Failure> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        Inherited::take(&names).map_err(Failure::Usage)
    }

    /// The `--set`s of this command, for a server of its own.
    pub(crate) fn set_flags(&self) -> Vec<&str> {
        self.global.set.iter().flat_map(|pair| ["--set", pair]).collect()
    }

    /// The configuration, with more flags than the global ones put on top.
    pub(crate) fn config(
        &self,
        more: &[(&'static str, &str, Option<String>)],
    ) -> Result<(Config, Vec<Setting>), Failure> {
        let mut flags = Vec::new();
        for pair in &self.global.set {
            let Some((key, value)) = pair.split_once('=') else {
                let message = format!("--set takes KEY=VALUE, not `{pair}`");
                return Err(Failure::Usage(message));
            };
            flags.push(("--set", key.trim().to_owned(), value.to_owned()));
        }
        let database = self.global.database_url.clone();
        let named = [("--database-url", "store.database_url", database)];
        for (flag, key, value) in named.iter().chain(more) {
            if let Some(value) = value {
                flags.push((flag, (*key).to_owned(), value.clone()));
            }
        }
        let environment = self.environment.clone();
        let sources = Sources { file: self.global.config.clone(), environment, flags };
        crate::config::load(&sources)
            .map_err(|error: ConfigError| Failure::Usage(error.to_string()))
    }

    /// The server to talk to: the one named by `--url`, else whoever holds the data folder.
    pub(crate) fn server(&self) -> Result<Option<Client>, Failure> {
        let token = || self.global.token.clone().or_else(|| self.folder.known_token());
        if let Some(url) = &self.global.url {
            return Client::to_url(url, token()).map(Some);
        }
        match self.folder.owner() {
            None => Ok(None),
            Some(owner) => match owner.url {
                Some(url) if self.folder.socket().exists() => {
                    Ok(Some(Client::to_socket(self.folder.socket(), &url, token())?))
                }
                Some(url) => Client::to_url(&url, token()).map(Some),
                None => Err(Failure::Temporary(format!(
                    "the data folder {} is in use by `{}` (process {}), which doesn't answer \
                     requests yet; try again",
                    self.folder.path().display(),
                    owner.command,
                    owner.process
                ))),
            },
        }
    }

    /// Opens the data folder for this command alone. Talks only when something is wrong.
    pub(crate) async fn offline(&self, command: &'static str) -> Result<Offline, Failure> {
        let (config, _) = self.config(&[])?;
        let quiet = LogConfig { level: "warn".into(), ..config.log.clone() };
        crate::logging::start(&quiet);
        let failed = |error: crate::boot::BootError| Failure::Failed(error.to_string());
        Offline::start(&config, &self.folder, command).await.map_err(failed)
    }

    /// The time in so many minutes, RFC 3339.
    pub(crate) fn later(&self, minutes: u32) -> String {
        self.after(Duration::from_secs(u64::from(minutes) * 60))
    }

    /// The time so much later, RFC 3339; ten years at most.
    #[expect(clippy::disallowed_methods, reason = "a command has no clock of its own")]
    pub(crate) fn after(&self, length: Duration) -> String {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = Micros(i64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(i64::MAX));
        now.plus(length.min(MOST_LATER)).rfc3339()
    }

    /// The server, or a sentence on how to have one.
    pub(crate) fn running_server(&self) -> Result<Client, Failure> {
        self.server()?.ok_or_else(|| {
            Failure::Failed(format!(
                "no server is running on {}; start one with `stoa serve --data {0}`, or name one \
                 with --url",
                self.folder.path().display()
            ))
        })
    }
}
