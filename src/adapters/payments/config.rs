//! Which ways to pay a shop offers.

use serde::Deserialize;
use std::net::IpAddr;

/// The section `[payments]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentsConfig {
    /// Takes play money from whoever knows a test card's number. Off by default, as a shop that
    /// ships goods for it would be robbed.
    pub test_cards: bool,
}

impl PaymentsConfig {
    /// Whether test cards are taken: when the key says so, and in a demo that only this machine
    /// can reach. `origin` is the address that shoppers type.
    pub fn takes_test_cards(&self, demo: bool, origin: &str) -> bool {
        self.test_cards || (demo && is_loopback(origin))
    }
}

fn is_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        // RFC 6761, 6.3: these names stay on the machine.
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_are_taken_in_a_local_demo_or_when_somebody_said_so() {
        let taken =
            |test_cards, demo, origin| PaymentsConfig { test_cards }.takes_test_cards(demo, origin);
        for local in [
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:8080",
            "https://localhost/",
            "http://shop.localhost:80",
        ] {
            assert!(taken(false, true, local), "{local}");
            assert!(!taken(false, false, local), "{local} without --demo");
        }
        for public in [
            "https://shop.example.com",
            "http://0.0.0.0:8080",
            "http://192.168.1.4",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://user@localhost",
            "",
        ] {
            assert!(!taken(false, true, public), "{public}");
            assert!(taken(true, false, public), "{public}, as somebody said so");
        }
    }

    #[test]
    fn they_are_off_by_default() {
        assert!(!PaymentsConfig::default().test_cards);
    }
}
