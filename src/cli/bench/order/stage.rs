//! The shop that is ordered from: its products and its guests.

use crate::cli::{
    Failure,
    bench::{
        import::import,
        load::{DIGITS, Target},
        stage::{Database, Server},
    },
};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// More than anybody orders while this runs.
const STOCK: u64 = 1_000_000_000;

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
    pub(super) server: Server,
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
        let flags = ["--set", "payments.test_cards=true"];
        Ok(Self { server: Server::start(data, database, &flags).await? })
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
            let begun = self.server.client.change(Method::POST, "/api/v1/sessions", Some(&guest));
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
        let Reviewed { hash } =
            self.server.client.change(Method::POST, path, Some(&checkout)).await?;
        let payment = json!({"provider": "test-cards", "token": "test-card:good"});
        let body = json!({"checkout": checkout, "review": hash, "payment": payment});
        Ok(body.to_string())
    }

    fn target(&self, token: &str, body: &str, number: usize) -> Target {
        let mut request = format!(
            "POST /api/v1/orders HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nidempotency-key: bench-{number}-",
            self.server.client.authority()
        );
        let fresh = request.len();
        request.push_str(&format!(
            "{0:0DIGITS$}\r\ncontent-length: {1}\r\n\r\n{body}",
            0,
            body.len()
        ));
        Target { request: Bytes::from(request), status: 201, length: None, fresh: Some(fresh) }
    }

    /// Units that are set aside for orders.
    pub(super) async fn reserved(&self, skus: &[String]) -> Result<u64, Failure> {
        let mut reserved = 0;
        for sku in skus {
            let stock: Value = self.server.client.get(&format!("/api/v1/stock/{sku}")).await?;
            let levels = stock["levels"].as_array().into_iter().flatten();
            reserved += levels.filter_map(|level| level["reserved"].as_u64()).sum::<u64>();
        }
        Ok(reserved)
    }
}
