//! A server on a shop of the bench's own, and the database that lies below it.

use super::{
    process::{self, Minded},
    start::free_address,
};
use crate::{
    boot,
    cli::{Failure, client::Client},
    config::Config,
    folder::Folder,
};
use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// A server that isn't ready by then won't be.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks whether a server is ready, or has nothing more to do.
const LOOK: Duration = Duration::from_millis(100);

/// The database of one side; empty where it lies in the data folder.
pub(super) struct Database {
    name: String,
    pub(super) url: String,
}

impl Database {
    pub(super) async fn make(config: &Config, side: &str) -> Result<Self, Failure> {
        let name = format!("stoa_bench_{}_{side}", std::process::id());
        let url = match config.store.database_url.is_empty() {
            true => String::new(),
            false => boot::bench_database(config, &name)
                .await
                .map_err(|error| Failure::Failed(error.to_string()))?,
        };
        Ok(Self { name, url })
    }

    pub(super) async fn drop(&self, config: &Config) -> Result<(), Failure> {
        match self.url.is_empty() {
            true => Ok(()),
            false => boot::bench_drop_database(config, &self.name)
                .await
                .map_err(|error| Failure::Failed(error.to_string())),
        }
    }
}

/// A running server.
pub(super) struct Server {
    process: Minded,
    pub(super) client: Client,
    pub(super) address: SocketAddr,
}

impl Server {
    /// With these flags beside those of the place.
    pub(super) async fn start(
        data: &Path,
        database: &Database,
        flags: &[&str],
    ) -> Result<Self, Failure> {
        let failed = |what: String| Failure::Failed(format!("the server {what}"));
        let address = free_address().await.map_err(|error| failed(error.to_string()))?;
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut process = Minded::spawn(
            Command::new(program)
                .arg("serve")
                .args(flags)
                .arg("--listen")
                .arg(address.to_string())
                .arg("--data")
                .arg(data)
                // Not among the arguments, which everybody on this machine can read.
                .env("STOA_STORE_DATABASE_URL", &database.url)
                .env_remove("STOA_URL")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
        .map_err(|error| failed(format!("can't be started: {error}")))?;
        let (begun, url) = (Instant::now(), format!("http://{address}"));
        loop {
            let client = Client::to_url(&url, Folder::at(data).known_token())?;
            let ready = client.fetch("/readyz").await;
            if ready.is_ok_and(|answer| answer.status.is_success()) {
                return Ok(Self { process, client, address });
            }
            if let Some(how) = process.ended() {
                return Err(failed(format!("ended before it was ready ({how})")));
            }
            if begun.elapsed() > PATIENCE {
                return Err(failed(format!("wasn't ready within {} s", PATIENCE.as_secs())));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Once the server has nothing left to do of what it was asked for, which it may do for as long
    /// as it takes.
    pub(super) async fn settled(&self) {
        let spent = || process::cpu(self.process()).unwrap_or_default();
        let (mut before, mut quiet, end) = (spent(), 0, Instant::now() + PATIENCE);
        while quiet < 3 && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
            let now = spent();
            // A tick is what timers and looks cost.
            quiet =
                if now.saturating_sub(before) > Duration::from_millis(10) { 0 } else { quiet + 1 };
            before = now;
        }
    }

    pub(super) async fn close(self) {
        self.process.stop().await;
    }
}
