//! The shop that is ordered from: its products, its server, its guests.

use crate::{
    boot,
    cli::{
        Failure,
        bench::{
            import::import,
            load::{DIGITS, Target},
            process::{self, Minded},
            start::free_address,
        },
        client::Client,
    },
    config::Config,
    folder::Folder,
};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// More than anybody orders while this runs.
const STOCK: u64 = 1_000_000_000;
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

/// A file of these products at one price, with more of each than is ever ordered.
pub(super) fn catalogue(folder: &Path, skus: &[String]) -> Result<PathBuf, Failure> {
    let mut rows = "sku,name,status,price,currency,unit,precision,stock\n".to_owned();
    for sku in skus {
        rows.push_str(&format!("{sku},Thing {sku},active,10.00,USD,each,0,{STOCK}\n"));
    }
    let file = folder.join("products.csv");
    std::fs::write(&file, rows)
        .map_err(|error| Failure::Failed(format!("can't write {}: {error}", file.display())))?;
    Ok(file)
}

pub(super) async fn filled(data: &Path, database: &Database, file: &Path) -> Result<(), Failure> {
    import(data, &database.url, file).await.map(drop)
}

/// A running server and what it knows.
pub(super) struct Stage {
    server: Minded,
    client: Client,
    pub(super) address: SocketAddr,
}

#[derive(Deserialize)]
struct Begun {
    token: String,
}

#[derive(Deserialize)]
struct Reviewed {
    hash: String,
}

impl Stage {
    pub(super) async fn open(
        data: &Path,
        database: &Database,
        file: &Path,
    ) -> Result<Self, Failure> {
        filled(data, database, file).await?;
        let failed = |what: String| Failure::Failed(format!("the server {what}"));
        let address = free_address().await.map_err(|error| failed(error.to_string()))?;
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut server = Minded::spawn(
            Command::new(program)
                .args(["serve", "--set", "payments.test_cards=true", "--listen"])
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
                return Ok(Self { server, client, address });
            }
            if let Some(how) = server.ended() {
                return Err(failed(format!("ended before it was ready ({how})")));
            }
            if begun.elapsed() > PATIENCE {
                return Err(failed(format!("wasn't ready within {} s", PATIENCE.as_secs())));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) fn process(&self) -> u32 {
        self.server.id()
    }

    /// Orders by so many guests, of which every product gets its share; `number` tells the keys of
    /// one row from another's.
    pub(super) async fn targets(
        &self,
        skus: &[String],
        guests: usize,
        number: usize,
    ) -> Result<Vec<Target>, Failure> {
        let (mut tokens, guest) = (Vec::with_capacity(guests), json!({}));
        for _ in 0..guests {
            let begun = self.client.change(Method::POST, "/api/v1/sessions", Some(&guest));
            let Begun { token } = begun.await?;
            tokens.push(token);
        }
        let mut bodies = Vec::with_capacity(skus.len());
        for sku in skus {
            bodies.push(self.reviewed(sku).await?);
        }
        let targets = (0..guests.max(skus.len()))
            .map(|at| self.target(&tokens[at % guests], &bodies[at % skus.len()], number));
        Ok(targets.collect())
    }

    /// What an order of one unit is, as an order's body.
    async fn reviewed(&self, sku: &str) -> Result<String, Failure> {
        let checkout = json!({
            "lines": [{"sku": sku, "quantity": "1"}],
            "email": "ada@example.com",
            "ship_to": {
                "name": "Ada", "street": "Way 1", "city": "Berlin", "postcode": "10115",
                "country": "DE",
            },
        });
        let path = "/api/v1/checkout/review";
        let Reviewed { hash } = self.client.change(Method::POST, path, Some(&checkout)).await?;
        let payment = json!({"provider": "test-cards", "token": "test-card:good"});
        let body = json!({"checkout": checkout, "review": hash, "payment": payment});
        Ok(body.to_string())
    }

    fn target(&self, token: &str, body: &str, number: usize) -> Target {
        let mut request = format!(
            "POST /api/v1/orders HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nidempotency-key: bench-{number}-",
            self.client.authority()
        );
        let fresh = request.len();
        request.push_str(&format!(
            "{0:0DIGITS$}\r\ncontent-length: {1}\r\n\r\n{body}",
            0,
            body.len()
        ));
        Target { request: Bytes::from(request), status: 201, length: None, fresh: Some(fresh) }
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

    /// Units that are set aside for orders.
    pub(super) async fn reserved(&self, skus: &[String]) -> Result<u64, Failure> {
        let mut reserved = 0;
        for sku in skus {
            let stock: Value = self.client.get(&format!("/api/v1/stock/{sku}")).await?;
            let levels = stock["levels"].as_array().into_iter().flatten();
            reserved += levels.filter_map(|level| level["reserved"].as_u64()).sum::<u64>();
        }
        Ok(reserved)
    }

    pub(super) async fn close(self) {
        self.server.stop().await;
    }
}
