//! Many rows in one statement, each value bound.
//!
//! A row that travels as JSON is read from its beginning again for each column that is taken out of
//! it: of 30 columns that costs SQLite some 60 µs, where a bound row costs 5. A statement is written
//! for one row, `… VALUES (?, ?) …`; here its row is repeated. Rows go in runs whose lengths are
//! powers of two, so a statement is prepared in a few forms and not in one for every number.

use crate::adapters::sql::texts::Sql;
use sqlx::{
    AssertSqlSafe, Encode, FromRow, Sqlite, SqliteConnection, Type,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteRow},
};

/// More rows cost no less each, and a statement of so many rows some 50 KiB.
const MOST: usize = 32;
const VALUES: &str = "VALUES ";

/// The values of a run's rows, in the order of the columns.
#[derive(Default)]
pub(super) struct Values {
    bound: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Values {
    pub(super) fn bind<'v>(&mut self, value: impl Encode<'v, Sqlite> + Type<Sqlite>) -> &mut Self {
        if let Err(error) = sqlx::Arguments::add(&mut self.bound, value) {
            self.failed.get_or_insert(error);
        }
        self
    }
}

/// Puts all rows, in their order, and says how many were affected; `bind` gives a row's values.
/// Nothing is asked for no rows.
pub(super) async fn put<T>(
    conn: &mut SqliteConnection,
    statement: Sql,
    rows: &[T],
    bind: impl Fn(&mut Values, &T),
) -> Result<u64, sqlx::Error> {
    let mut affected = 0;
    for run in runs(rows) {
        let (text, values) = of(statement, run, &bind)?;
        affected += sqlx::query_with(text, values).execute(&mut *conn).await?.rows_affected();
    }
    Ok(affected)
}

/// The same of a statement that returns something.
pub(super) async fn put_returning<T, R>(
    conn: &mut SqliteConnection,
    statement: Sql,
    rows: &[T],
    bind: impl Fn(&mut Values, &T),
) -> Result<Vec<R>, sqlx::Error>
where
    R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    let mut returned = Vec::new();
    for run in runs(rows) {
        let (text, values) = of(statement, run, &bind)?;
        returned.append(&mut sqlx::query_as_with(text, values).fetch_all(&mut *conn).await?);
    }
    Ok(returned)
}

/// A run's statement and its values.
fn of<T>(
    statement: Sql,
    run: &[T],
    bind: impl Fn(&mut Values, &T),
) -> Result<(AssertSqlSafe<String>, SqliteArguments), sqlx::Error> {
    let mut values = Values::default();
    run.iter().for_each(|row| bind(&mut values, row));
    match values.failed {
        Some(error) => Err(sqlx::Error::Encode(error)),
        // The text is one of ours, with one of its parts repeated.
        None => Ok((AssertSqlSafe(repeated(statement.sqlite, run.len())?), values.bound)),
    }
}

fn runs<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let (run, others) = (!rest.is_empty()).then(|| rest.split_at(run_of(rest.len())))?;
        rest = others;
        Some(run)
    })
}

/// The greatest power of two that so many rows fill.
fn run_of(rows: usize) -> usize {
    1 << rows.min(MOST).ilog2()
}

/// The statement for so many rows.
fn repeated(text: &str, rows: usize) -> Result<String, sqlx::Error> {
    let parts = text.split_once(VALUES).and_then(|(head, rest)| {
        let (row, tail) = rest.split_at(rest.find(')')? + 1);
        Some((head, row, tail))
    });
    let Some((head, row, tail)) = parts else {
        return Err(sqlx::Error::Protocol(format!("this takes no rows: {text}")));
    };
    let mut all = String::with_capacity(text.len() + (row.len() + 2) * rows);
    all.push_str(head);
    all.push_str(VALUES);
    for n in 0..rows {
        if n > 0 {
            all.push_str(", ");
        }
        all.push_str(row);
    }
    all.push_str(tail);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Connection;

    #[test]
    fn a_row_is_repeated_and_the_rest_is_not() {
        let text = "INSERT INTO t (a, b) VALUES (?, 'x') ON CONFLICT (a) DO NOTHING";
        assert_eq!(
            repeated(text, 2).unwrap(),
            "INSERT INTO t (a, b) VALUES (?, 'x'), (?, 'x') ON CONFLICT (a) DO NOTHING"
        );
        assert_eq!(repeated(text, 1).unwrap(), text);
        assert!(repeated("DELETE FROM t", 1).is_err());
    }

    #[tokio::test]
    async fn every_number_of_rows_comes_in_whole_and_in_order() {
        let mut conn = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE t (n INTEGER, text TEXT)").execute(&mut conn).await.unwrap();
        let text = "WITH r (n, text) AS (VALUES (?, ?)) INSERT INTO t SELECT n, text FROM r";
        let statement = Sql { sqlite: text, postgres: "" };
        for count in [0_i64, 1, 2, 3, 31, 32, 33, 100] {
            let rows: Vec<_> = (0..count).collect();
            put(&mut conn, statement, &rows, |values, n| {
                values.bind(*n).bind((*n != 3).then(|| n.to_string()));
            })
            .await
            .unwrap();
            let found: Vec<(i64, Option<String>)> =
                sqlx::query_as("SELECT n, text FROM t ORDER BY rowid")
                    .fetch_all(&mut conn)
                    .await
                    .unwrap();
            let wanted = (0..count).map(|n| (n, (n != 3).then(|| n.to_string())));
            assert!(found.into_iter().eq(wanted), "{count}");
            sqlx::query("DELETE FROM t").execute(&mut conn).await.unwrap();
        }
    }
}
