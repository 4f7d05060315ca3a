//! What is counted of requests, with every series made beforehand: a request only adds.
//!
//! Names follow OpenTelemetry's conventions; labels are categories, never addresses.

use http::StatusCode;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

const DURATION: &str = "http.server.request.duration";

/// Seconds. From a cached page's tens of microseconds to a stuck request.
const BUCKETS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];

/// Installs the process's recorder. To be called once, at boot, before anything counts.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), BUCKETS)?
        .install_recorder()
}

/// What kind of thing was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    Product,
    List,
    Page,
    Asset,
    Api,
    Ops,
    Health,
    Unknown,
}

impl Category {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Product, "product"),
        (Self::List, "list"),
        (Self::Page, "page"),
        (Self::Asset, "asset"),
        (Self::Api, "api"),
        (Self::Ops, "ops"),
        (Self::Health, "health"),
        (Self::Unknown, "unknown"),
    ];

    /// By the address's first segment.
    pub(crate) fn of(segment: &str) -> Self {
        match segment {
            "p" => Self::Product,
            "" | "c" | "search" => Self::List,
            "account" | "admin" | "cart" | "login" | "logout" | "register" | "forgot" | "reset" => {
                Self::Page
            }
            "docs" | "openapi.json" | "robots.txt" | "sitemap.xml" | "sitemap" => Self::Page,
            "assets" | "media" => Self::Asset,
            "api" => Self::Api,
            "ops" | "metrics" => Self::Ops,
            "livez" | "readyz" | "startupz" => Self::Health,
            _ => Self::Unknown,
        }
    }
}

/// Every series of the edge.
pub(crate) struct Meters {
    durations: [[Histogram; 5]; Category::ALL.len()],
    pub(crate) hits: Counter,
    pub(crate) misses: Counter,
    pub(crate) connections: Gauge,
    pub(crate) refused: Counter,
    pub(crate) cache_bytes: Gauge,
}

impl Meters {
    pub(crate) fn new() -> Self {
        let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        let durations = Category::ALL.map(|(_, route)| {
            classes.map(|class| {
                histogram!(DURATION, "http.route" => route, "http.response.status_class" => class)
            })
        });
        Self {
            durations,
            hits: counter!("stoa.page_cache.hits"),
            misses: counter!("stoa.page_cache.misses"),
            connections: gauge!("http.server.open_connections"),
            refused: counter!("http.server.refused_connections"),
            cache_bytes: gauge!("stoa.page_cache.bytes"),
        }
    }

    pub(crate) fn record(&self, category: Category, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.durations[category as usize][class].record(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_stand_in_the_order_of_their_numbers() {
        for (i, (category, _)) in Category::ALL.into_iter().enumerate() {
            assert_eq!(category as usize, i);
        }
    }

    #[test]
    fn a_request_is_counted_under_its_category_and_class() {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), BUCKETS)
            .unwrap()
            .build_recorder();
        metrics::with_local_recorder(&recorder, || {
            Meters::new().record(
                Category::Product,
                StatusCode::NOT_FOUND,
                Duration::from_millis(2),
            );
        });
        let text = recorder.handle().render();
        assert!(
            text.contains(
                "http_server_request_duration_count{http_route=\"product\",\
                 http_response_status_class=\"4xx\"} 1"
            ),
            "{text}"
        );
    }
}
