//! Configuration: flag over environment over file over default, each value with its origin.
//!
//! `config/default.toml` is compiled in and names every key there is; a key it doesn't have is
//! refused wherever it comes from, with the nearest one that exists. A value is checked once, here;
//! after [`load`] everything is typed and nobody looks anything up.

mod layers;

use crate::{
    actors::{
        keepers::{accounts::AccountsConfig, orders::OrdersConfig, sessions::SessionsConfig},
        workers::jobs::JobsConfig,
    },
    adapters::{payments::PaymentsConfig, webhooks::WebhooksConfig},
    boot::{MailConfig, StoreConfig},
    domain::{money::Currency, scope::Locale, tax::TaxMode},
    http::HttpConfig,
    logging::LogConfig,
    tree::PoolConfig,
};
use layers::Layers;
pub(crate) use layers::{Origin, Setting};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf};

const DEFAULTS: &str = include_str!("../config/default.toml");

/// Everything that can be set, one struct a section; each lives beside what it configures.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) shop: ShopConfig,
    pub(crate) store: StoreConfig,
    pub(crate) http: HttpConfig,
    pub(crate) sessions: SessionsConfig,
    pub(crate) orders: OrdersConfig,
    pub(crate) payments: PaymentsConfig,
    pub(crate) accounts: AccountsConfig,
    pub(crate) mail: MailConfig,
    pub(crate) webhooks: WebhooksConfig,
    pub(crate) jobs: JobsConfig,
    pub(crate) pools: BTreeMap<String, PoolConfig>,
    pub(crate) log: LogConfig,
}

impl Config {
    /// A pool's numbers; every pool of the tree has a section in the defaults.
    pub(crate) fn pool(&self, name: &str) -> PoolConfig {
        self.pools.get(name).copied().unwrap_or(PoolConfig {
            workers: 1,
            bound: 64,
            autoscale: None,
        })
    }
}

/// What the shop calls itself and speaks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShopConfig {
    pub(crate) name: String,
    pub(crate) public_url: String,
    pub(crate) currency: Currency,
    pub(crate) locale: Locale,
    pub(crate) prices_include_tax: bool,
}

impl ShopConfig {
    /// Of products' own prices; a price list says it for its own.
    pub(crate) fn base_tax(&self) -> TaxMode {
        match self.prices_include_tax {
            true => TaxMode::Inclusive,
            false => TaxMode::Exclusive,
        }
    }
}

/// What is wrong with the configuration, with the place it is wrong at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("can't read the configuration file {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{origin} is not valid TOML: {message}")]
    Syntax { origin: Origin, message: String },
    #[error("unknown key `{key}` in {origin}{hint}; `stoa config show` lists every key")]
    UnknownKey { key: String, origin: Origin, hint: String },
    #[error("`{key}` in {origin} must be {expected}, not `{found}`")]
    WrongType { key: String, origin: Origin, expected: &'static str, found: String },
    #[error("`{key}` in {origin} {reason}")]
    BadValue { key: String, origin: Origin, reason: String },
}

/// Where values come from, beside the defaults.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) file: Option<PathBuf>,
    /// `STOA_…` variables, as the process was given them.
    pub(crate) environment: Vec<(String, String)>,
    /// `key=value` from flags, with the flag's name.
    pub(crate) flags: Vec<(&'static str, String, String)>,
}

/// The typed configuration and every setting with its origin, for `stoa config show`.
pub(crate) fn load(sources: &Sources) -> Result<(Config, Vec<Setting>), ConfigError> {
    let mut layers = Layers::of_defaults(DEFAULTS)?;
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        layers.add_file(path, &text)?;
    }
    layers.add_environment(&sources.environment)?;
    for (flag, key, value) in &sources.flags {
        layers.add_flag(flag, key, value)?;
    }
    let config = layers.typed()?;
    validate(&config, &layers)?;
    Ok((config, layers.settings()))
}

fn validate(config: &Config, layers: &Layers) -> Result<(), ConfigError> {
    let bad = |key: &str, reason: &str| Err(layers.bad_value(key, reason.to_owned()));
    if config.shop.name.trim().is_empty() {
        return bad("shop.name", "must not be empty");
    }
    let begins = |text: &str, with: &[&str]| with.iter().any(|begin| text.starts_with(begin));
    let url = &config.shop.public_url;
    if !url.is_empty() && !begins(url, &["http://", "https://"]) {
        return bad("shop.public_url", "must begin with http:// or https://");
    }
    let database = &config.store.database_url;
    if !database.is_empty() && !begins(database, &["postgres://", "postgresql://"]) {
        return bad("store.database_url", "must be empty or begin with postgres://");
    }
    if config.store.check_hours == 0 {
        return bad("store.check_hours", "must be at least 1");
    }
    if let Some(wish) = wish_for_tls(database) {
        let reason = format!(
            "has {wish}, but connections to PostgreSQL can't be encrypted yet; leave it out where \
             the database is on the same machine or in a network you trust"
        );
        return bad("store.database_url", &reason);
    }
    for (name, pool) in &config.pools {
        if !(1..=crate::tree::MOST_WORKERS).contains(&pool.workers) {
            let reason = format!("must be 1 to {}", crate::tree::MOST_WORKERS);
            return bad(&format!("pools.{name}.workers"), &reason);
        }
        if pool.bound == 0 {
            return bad(&format!("pools.{name}.bound"), "must be at least 1");
        }
        let bounds = pool.autoscale.map(|autoscale| autoscale.bounds());
        if let Some(Err((key, reason))) = bounds.map(|it| it.check(crate::tree::MOST_WORKERS)) {
            return bad(&format!("pools.{name}.autoscale.{key}"), &reason);
        }
    }
    if let Err(reason) = config.http.validate() {
        // The sentence begins with its key.
        let (key, rest) = reason.split_once(' ').unwrap_or(("http", &reason));
        return bad(key, rest);
    }
    if let Err((key, reason)) = config.orders.validate() {
        return bad(&format!("orders.{key}"), reason);
    }
    if let Err((key, reason)) = config.accounts.validate() {
        return bad(&format!("accounts.{key}"), reason);
    }
    if let Err((key, reason)) = config.mail.validate() {
        return bad(&format!("mail.{key}"), &reason);
    }
    if !(1..=10_000).contains(&config.jobs.keep_hours) {
        return bad("jobs.keep_hours", "must be 1 to 10000");
    }
    if !(1..=3_650).contains(&config.jobs.keep_days) {
        return bad("jobs.keep_days", "must be 1 to 3650");
    }
    if let Err((key, reason)) = config.sessions.validate() {
        return bad(&format!("sessions.{key}"), reason);
    }
    if let Err(error) = crate::logging::filter(&config.log.level) {
        return bad("log.level", &error);
    }
    Ok(())
}

/// The first parameter of the address that a plain connection would not keep to.
fn wish_for_tls(url: &str) -> Option<&str> {
    let (_, parameters) = url.split_once('?')?;
    parameters.split('&').find(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "sslmode" | "ssl-mode" => !matches!(value, "disable" | "allow" | "prefer"),
            key => key.starts_with("ssl"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)]) -> Result<(Config, Vec<Setting>), ConfigError> {
        let environment =
            environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&Sources { environment, ..Sources::default() })
    }

    #[test]
    fn the_defaults_are_valid() {
        let (config, settings) = with(&[]).unwrap();
        assert_eq!(config.http.listen.port(), 8080);
        assert!(settings.iter().all(|s| s.origin == Origin::Default));
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stoa.toml");
        std::fs::write(&file, "[http]\nlisten = \"127.0.0.1:1\"\nmax_connections = 7\n").unwrap();
        let sources = Sources {
            file: Some(file.clone()),
            environment: vec![
                ("STOA_HTTP_LISTEN".into(), "127.0.0.1:2".into()),
                ("STOA_HTTP_IMAGE_HOSTS".into(), "a.example, b.example".into()),
            ],
            flags: vec![("--listen", "http.listen".into(), "127.0.0.1:3".into())],
        };
        let (config, settings) = load(&sources).unwrap();
        assert_eq!(config.http.listen.port(), 3);
        assert_eq!(config.http.max_connections, 7);
        assert_eq!(config.http.image_hosts, ["a.example", "b.example"]);
        let origin = |key: &str| {
            settings.iter().find(|s| s.key == key).map(|s| s.origin.to_string()).unwrap()
        };
        assert_eq!(origin("http.listen"), "--listen");
        assert_eq!(origin("http.image_hosts"), "STOA_HTTP_IMAGE_HOSTS");
        assert!(origin("http.max_connections").ends_with("stoa.toml"));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let refused = |environment| with(environment).unwrap_err().to_string();
        let unknown = refused(&[("STOA_HTTP_LISTENS", "x")]);
        assert!(unknown.contains("did you mean `STOA_HTTP_LISTEN`"), "{unknown}");
        let wrong = refused(&[("STOA_STORE_OUTBOX_DAYS", "many")]);
        assert!(wrong.contains("store.outbox_days") && wrong.contains("a whole number"), "{wrong}");
        let bad = refused(&[("STOA_HTTP_LISTEN", "here")]);
        assert!(bad.contains("http.listen") && bad.contains("STOA_HTTP_LISTEN"), "{bad}");
        let never = refused(&[("STOA_STORE_CHECK_HOURS", "0")]);
        assert!(never.contains("store.check_hours") && never.contains("at least 1"), "{never}");
        let none = refused(&[("STOA_POOLS_RENDER_WORKERS", "0")]);
        assert!(none.contains("1 to"), "{none}");
        let narrow = refused(&[("STOA_POOLS_MAIL_AUTOSCALE_MIN", "9")]);
        assert!(narrow.contains("pools.mail.autoscale.min") && narrow.contains("1 to"), "{narrow}");
        let no_queue = refused(&[("STOA_POOLS_RENDER_AUTOSCALE_MAX", "9")]);
        assert!(no_queue.contains("unknown key"), "{no_queue}");
    }

    #[test]
    fn the_example_for_production_is_valid_and_on_postgresql() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let file = root.join("config/production.example.toml");
        let sources = Sources { file: Some(file.clone()), ..Sources::default() };
        let (config, settings) = load(&sources).unwrap();
        assert!(config.store.database_url.starts_with("postgres://"));
        assert!(config.shop.public_url.starts_with("https://"));
        let sections = |of: &dyn Fn(&&Setting) -> bool| -> std::collections::BTreeSet<String> {
            let keys = settings.iter().filter(of).map(|setting| setting.key.split('.'));
            keys.filter_map(|mut key| key.next()).map(str::to_owned).collect()
        };
        // A key that is no more fails above; a new section is to be thought of here too.
        let set = sections(&|setting| setting.origin == Origin::File(file.clone()));
        assert_eq!(set, sections(&|_| true), "the example says nothing of a section");
    }

    #[test]
    fn an_address_that_asks_for_encryption_is_refused_rather_than_served_without() {
        let at = |tail: &str| {
            with(&[("STOA_STORE_DATABASE_URL", &format!("postgres://u@h/d{tail}"))])
                .map(drop)
                .map_err(|error| error.to_string())
        };
        for mode in ["require", "verify-ca", "verify-full", "VERIFY-FULL", "sure"] {
            let refused = at(&format!("?application_name=x&sslmode={mode}")).unwrap_err();
            assert!(refused.contains(&format!("sslmode={mode}")), "{refused}");
            assert!(refused.contains("STOA_STORE_DATABASE_URL"), "{refused}");
        }
        assert!(at("?sslrootcert=/etc/ca.pem").is_err());
        for fine in ["", "?sslmode=disable", "?sslmode=prefer", "?application_name=ssl"] {
            assert_eq!(at(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let (_, settings) =
            with(&[("STOA_STORE_DATABASE_URL", "postgres://u:secret@h/d")]).unwrap();
        let shown = settings.iter().map(|s| s.shown.clone()).collect::<String>();
        assert!(!shown.contains("secret") && shown.contains("postgres://u:…@h/d"), "{shown}");
        let mail = [
            ("STOA_MAIL_SMTP_HOST", "localhost"),
            ("STOA_MAIL_SMTP_TLS", "none"),
            ("STOA_MAIL_SMTP_USER", "shop"),
            ("STOA_MAIL_SMTP_PASSWORD", "hunter2"),
        ];
        let (config, settings) = with(&mail).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let password = settings.iter().find(|s| s.key == "mail.smtp.password").unwrap();
        assert_eq!(password.shown, "\"…\"");
        let half = with(&mail[..3]).unwrap_err().to_string();
        assert!(half.contains("mail.smtp.user") && half.contains("belong together"), "{half}");
    }
}
