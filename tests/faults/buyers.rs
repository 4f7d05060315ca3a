//! A shop for buyers, and buyers for a shop.

use crate::support::{
    client::{Answer, exchange},
    server::{Server, stoa, until},
    stack::Stack,
};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

/// A server that takes play money, always at the same address.
pub(crate) struct Shop<'a> {
    pub(crate) stack: &'a Stack,
    pub(crate) address: SocketAddr,
    config: String,
}

impl<'a> Shop<'a> {
    pub(crate) fn on(stack: &'a Stack) -> Self {
        Self::with(stack, "")
    }

    /// One with more in its configuration.
    pub(crate) fn with(stack: &'a Stack, more: &str) -> Self {
        // Free now, and ours while nobody else asks for it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = stack.path("stoa.toml");
        std::fs::write(&config, format!("[payments]\ntest_cards = true\n{more}")).unwrap();
        Self { stack, address, config: config.to_str().unwrap().to_owned() }
    }

    pub(crate) fn serve(&self) -> Server {
        let listen = self.address.to_string();
        let arguments = ["serve", "--listen", &listen, "--config", &self.config];
        let arguments = self.stack.with(&arguments);
        let data = self.stack.data();
        // The one before may have been killed a moment ago.
        until("the server to start", || Server::launch(stoa(&data, &arguments), &data).ok())
    }

    /// Products by SKU with so many in stock, at 10.00 each.
    pub(crate) fn stock(&self, server: &Server, products: &[(String, u64)]) {
        let mut rows = "sku,name,status,price,currency,unit,precision,stock\n".to_owned();
        for (sku, stock) in products {
            writeln!(rows, "{sku},Thing {sku},active,10.00,USD,each,0,{stock}").unwrap();
        }
        let file = self.stack.path("products.csv");
        std::fs::write(&file, rows).unwrap();
        self.stack.succeed(&["import", "products", file.to_str().unwrap()]);
        let (last, _) = products.last().unwrap();
        until("the products to be read", || {
            let path = format!("/api/v1/products/{last}");
            (server.get(&path).status == 200).then_some(())
        });
    }
}

/// What is ordered, as a body for reviews and orders.
pub(crate) fn checkout(lines: &[(&str, u64)]) -> Value {
    let lines: Vec<_> = lines
        .iter()
        .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity.to_string()}))
        .collect();
    json!({
        "lines": lines,
        "email": "ada@example.com",
        "ship_to": {
            "name": "Ada", "street": "Way 1", "city": "Berlin", "postcode": "10115", "country": "DE",
        },
    })
}

/// A guest with a session of their own.
pub(crate) struct Buyer {
    address: SocketAddr,
    bearer: String,
}

impl Buyer {
    /// `None`: the server is away.
    pub(crate) fn begin(address: SocketAddr) -> Option<Self> {
        let json = [("content-type", "application/json")];
        let begun = exchange(address, "POST", "/api/v1/sessions", &json, b"{}").ok()?;
        if begun.status != 201 {
            return None;
        }
        let bearer = format!("Bearer {}", begun.json()["token"].as_str()?);
        Some(Self { address, bearer })
    }

    pub(crate) fn ask(
        &self,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> std::io::Result<Answer> {
        let mut headers =
            vec![("authorization", self.bearer.as_str()), ("content-type", "application/json")];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        exchange(self.address, "POST", path, &headers, &serde_json::to_vec(body).unwrap())
    }

    /// What an order of this would be, as an order's body.
    pub(crate) fn review(&self, checkout: &Value) -> Option<Value> {
        let reviewed = self.ask("/api/v1/checkout/review", None, checkout).ok()?;
        (reviewed.status == 200).then(|| {
            json!({
                "checkout": checkout,
                "review": reviewed.json()["hash"],
                "payment": {"provider": "test-cards", "token": "test-card:good"},
            })
        })
    }

    pub(crate) fn place(&self, key: &str, order: &Value) -> std::io::Result<Answer> {
        self.ask("/api/v1/orders", Some(key), order)
    }
}

/// Asks until there is an answer that counts; whoever may come back does, with the same key.
pub(crate) fn persist(mut ask: impl FnMut() -> std::io::Result<Answer>) -> Answer {
    loop {
        match ask() {
            Ok(answer) if answer.status != 503 && !is_at_work(&answer) => return answer,
            Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn is_at_work(answer: &Answer) -> bool {
    answer.status == 409 && answer.json()["type"] == "/docs/problems/key-in-flight"
}
