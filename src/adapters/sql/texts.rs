//! How one SQL text serves both databases.

/// A statement, as each database is asked it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// What `LIKE … ESCAPE '!'` finds a text by, anywhere in another; empty for none.
pub(super) fn pattern(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut pattern = String::from("%");
    for letter in text.chars() {
        if ['%', '_', '!'].contains(&letter) {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Declares a module's statements and `ALL`, the list a test prepares on both databases.
///
/// A statement is one text, or its parts; the part `[ids "$1"]` is where the databases differ in
/// taking a list of ids, `[texts "$1"]` one of texts. `{ sqlite: …, postgres: … }` gives two, or
/// only one; the other is empty.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:tt;)*) => {
        $($(#[$doc])* pub(super) const $name: $crate::adapters::sql::texts::Sql = $crate::adapters::sql::texts::statement!($text);)*
        pub(in crate::adapters::sql) const ALL: &[(&str, $crate::adapters::sql::texts::Sql)] = &[$((stringify!($name), $name)),*];
    };
}

macro_rules! statement {
    ({ sqlite: $sqlite:literal, postgres: $postgres:literal $(,)? }) => {
        $crate::adapters::sql::texts::Sql { sqlite: $sqlite, postgres: $postgres }
    };
    ({ sqlite: ($sqlite:expr), postgres: ($postgres:expr) $(,)? }) => {
        $crate::adapters::sql::texts::Sql { sqlite: $sqlite, postgres: $postgres }
    };
    ({ sqlite: ($text:expr) }) => {
        $crate::adapters::sql::texts::Sql { sqlite: $text, postgres: "" }
    };
    ({ sqlite: $text:literal }) => {
        $crate::adapters::sql::texts::Sql { sqlite: $text, postgres: "" }
    };
    ({ postgres: $text:literal }) => {
        $crate::adapters::sql::texts::Sql { sqlite: "", postgres: $text }
    };
    ([$($part:tt),+ $(,)?]) => {
        $crate::adapters::sql::texts::Sql {
            sqlite: concat!($($crate::adapters::sql::texts::sqlite_part!($part)),+),
            postgres: concat!($($crate::adapters::sql::texts::postgres_part!($part)),+),
        }
    };
    (($text:expr)) => { $crate::adapters::sql::texts::Sql { sqlite: $text, postgres: $text } };
    ($text:literal) => { $crate::adapters::sql::texts::Sql { sqlite: $text, postgres: $text } };
}

macro_rules! sqlite_part {
    ([ids $n:literal]) => {
        concat!(" IN (SELECT unhex(value) FROM json_each(", $n, "))")
    };
    ([texts $n:literal]) => {
        concat!(" IN (SELECT value FROM json_each(", $n, "))")
    };
    ($text:literal) => {
        $text
    };
}

macro_rules! postgres_part {
    ([ids $n:literal]) => {
        concat!(" = ANY(", $n, ")")
    };
    ([texts $n:literal]) => {
        concat!(" = ANY(", $n, ")")
    };
    ($text:literal) => {
        $text
    };
}

pub(super) use {postgres_part, sqlite_part, statement, statements};
