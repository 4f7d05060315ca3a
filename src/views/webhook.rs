//! What is posted to an endpoint: a CloudEvents 1.0 envelope in JSON.
//!
//! It says what happened to what, and not how things stand now: whoever wants to know asks the API,
//! so that a late or repeated telling says nothing that isn't true any more.

use crate::domain::webhook::Told;
use serde::Serialize;
use uuid::Uuid;

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    /// Unique for each source.
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: Uuid,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
}

/// `source`: where the shop is.
pub fn told_to_webhooks(source: &str, told: &Told) -> Result<Vec<u8>, serde_json::Error> {
    let id = match told.place {
        Some(place) => format!("{}/{}", place.epoch, place.offset),
        None => told.subject.to_string(),
    };
    serde_json::to_vec(&Envelope {
        specversion: "1.0",
        id,
        source,
        kind: &told.kind,
        subject: told.subject,
        time: told.at.rfc3339(),
        epoch: told.place.map(|place| place.epoch),
        offset: told.place.map(|place| place.offset),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{event::Position, time::Micros, webhook::PING};

    fn told(kind: &str, place: Option<Position>) -> String {
        let told = Told {
            kind: kind.into(),
            subject: Uuid::from_u128(7),
            at: Micros(1_800_000_000_000_000),
            place,
        };
        String::from_utf8(told_to_webhooks("https://shop.example", &told).unwrap()).unwrap()
    }

    #[test]
    fn an_event_is_told_with_its_place_and_a_ping_without() {
        let place = Position { epoch: Uuid::from_u128(3), offset: 41 };
        assert_eq!(
            told("order_placed", Some(place)),
            "{\"specversion\":\"1.0\",\"id\":\"00000000-0000-0000-0000-000000000003/41\",\
             \"source\":\"https://shop.example\",\"type\":\"order_placed\",\
             \"subject\":\"00000000-0000-0000-0000-000000000007\",\
             \"time\":\"2027-01-15T08:00:00Z\",\
             \"epoch\":\"00000000-0000-0000-0000-000000000003\",\"offset\":41}"
        );
        let ping = told(PING, None);
        assert!(ping.contains("\"type\":\"ping\"") && !ping.contains("epoch"), "{ping}");
    }
}
