//! Settings by dotted key, each with the value that won and where it came from.

use super::{Config, ConfigError};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Variables that are ours but no settings: they name places for commands and scripts.
const NOT_SETTINGS: &[&str] = &[
    "STOA_DATA",
    "STOA_CONFIG",
    "STOA_URL",
    "STOA_TOKEN",
    "STOA_CACHE",
    "STOA_SERVICES",
    "STOA_PEERS",
    "STOA_FAULTS",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(PathBuf),
    Environment(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One setting as an operator sees it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) key: String,
    /// As TOML, with any password left out.
    pub(crate) shown: String,
    pub(crate) origin: Origin,
}

pub(super) struct Layers {
    values: BTreeMap<String, (Value, Origin)>,
}

impl Layers {
    pub(super) fn of_defaults(text: &str) -> Result<Self, ConfigError> {
        let mut values = BTreeMap::new();
        for (key, value) in flat(&parse(text, &Origin::Default)?) {
            values.insert(key, (value, Origin::Default));
        }
        Ok(Self { values })
    }

    pub(super) fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let origin = Origin::File(path.to_owned());
        for (key, value) in flat(&parse(text, &origin)?) {
            self.set(key, value, origin.clone())?;
        }
        Ok(())
    }

    pub(super) fn add_environment(&mut self, all: &[(String, String)]) -> Result<(), ConfigError> {
        let names: BTreeMap<String, String> =
            self.values.keys().map(|key| (variable(key), key.clone())).collect();
        for (name, text) in all {
            if NOT_SETTINGS.contains(&name.as_str()) || name.starts_with("STOA_TEST_") {
                continue;
            }
            let origin = Origin::Environment(name.clone());
            let Some(key) = names.get(name) else {
                let hint = nearest(name, names.keys().map(String::as_str));
                return Err(ConfigError::UnknownKey { key: name.clone(), origin, hint });
            };
            self.set_text(key.clone(), text, origin)?;
        }
        Ok(())
    }

    pub(super) fn add_flag(
        &mut self,
        flag: &'static str,
        key: &str,
        text: &str,
    ) -> Result<(), ConfigError> {
        self.set_text(key.to_owned(), text, Origin::Flag(flag))
    }

    pub(super) fn typed(&self) -> Result<Config, ConfigError> {
        let mut root = Table::new();
        for (key, (value, _)) in &self.values {
            let mut at = &mut root;
            let mut parts = key.split('.').peekable();
            while let Some(part) = parts.next() {
                if parts.peek().is_none() {
                    at.insert(part.to_owned(), value.clone());
                    break;
                }
                let Value::Table(below) =
                    at.entry(part).or_insert_with(|| Value::Table(Table::new()))
                else {
                    break;
                };
                at = below;
            }
        }
        // Types were compared with the defaults' as each value came in, so what fails here is a
        // value that its type refuses: find it by trying each changed key alone.
        Config::deserialize_table(root).map_err(|message| {
            let guilty = self
                .values
                .iter()
                .filter(|(_, (_, origin))| *origin != Origin::Default)
                .find(|(key, _)| message.contains(key.rsplit('.').next().unwrap_or_default()))
                .map_or_else(|| "configuration".to_owned(), |(key, _)| key.clone());
            self.bad_value(&guilty, format!("is refused: {message}"))
        })
    }

    pub(super) fn bad_value(&self, key: &str, reason: String) -> ConfigError {
        let origin = self.values.get(key).map_or(Origin::Default, |(_, origin)| origin.clone());
        ConfigError::BadValue { key: key.to_owned(), origin, reason }
    }

    pub(super) fn settings(&self) -> Vec<Setting> {
        let shown = |key: &str, value: &Value| match value.as_str() {
            Some(url) if key == "store.database_url" => Value::from(redacted(url)).to_string(),
            Some(password) if key.ends_with(".password") && !password.is_empty() => "\"…\"".into(),
            _ => value.to_string(),
        };
        self.values
            .iter()
            .map(|(key, (value, origin))| Setting {
                key: key.clone(),
                shown: shown(key, value),
                origin: origin.clone(),
            })
            .collect()
    }

    fn set_text(&mut self, key: String, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let Some((like, _)) = self.values.get(&key) else {
            return Err(self.unknown(key, origin));
        };
        let value = match like {
            Value::Integer(_) => text.parse().ok().map(Value::Integer),
            Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
            Value::Array(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(Value::Array(parts.map(Value::from).collect()))
            }
            _ => Some(Value::from(text)),
        };
        match value {
            Some(value) => self.set(key, value, origin),
            None => {
                let expected = kind(like);
                Err(ConfigError::WrongType { key, origin, expected, found: text.to_owned() })
            }
        }
    }

    fn set(&mut self, key: String, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let Some((like, _)) = self.values.get(&key) else {
            return Err(self.unknown(key, origin));
        };
        if !like.same_type(&value) {
            let (expected, found) = (kind(like), value.to_string());
            return Err(ConfigError::WrongType { key, origin, expected, found });
        }
        self.values.insert(key, (value, origin));
        Ok(())
    }

    fn unknown(&self, key: String, origin: Origin) -> ConfigError {
        let hint = nearest(&key, self.values.keys().map(String::as_str));
        ConfigError::UnknownKey { key, origin, hint }
    }
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, String> {
        table.try_into().map_err(|error: toml::de::Error| error.to_string().trim().to_owned())
    }
}

fn parse(text: &str, origin: &Origin) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Syntax {
        origin: origin.clone(),
        message: error.to_string().trim().to_owned(),
    })
}

/// The variable that sets a key: `http.listen` → `STOA_HTTP_LISTEN`.
fn variable(key: &str) -> String {
    format!("STOA_{}", key.replace('.', "_").to_uppercase())
}

fn flat(table: &Table) -> Vec<(String, Value)> {
    fn walk(prefix: &str, table: &Table, into: &mut Vec<(String, Value)>) {
        for (name, value) in table {
            let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Table(below) => walk(&key, below, into),
                leaf => into.push((key, leaf.clone())),
            }
        }
    }
    let mut leaves = Vec::new();
    walk("", table, &mut leaves);
    leaves
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        _ => "a text",
    }
}

/// `; did you mean …?` for the closest name there is, or nothing when none is close.
pub(crate) fn nearest<'a>(to: &str, among: impl Iterator<Item = &'a str>) -> String {
    among
        .map(|name| (strsim::damerau_levenshtein(to, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((login, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    match login.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:…@{host}"),
        None => url.to_owned(),
    }
}
