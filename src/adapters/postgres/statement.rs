//! Statements by name, sent without waiting for those before them.
//!
//! Each concern of the writer keeps its own and lists them in `ALL`, so that connecting prepares
//! every one of them: a schema that doesn't fit is noticed before the first write.

use deadpool_postgres::{
    Transaction,
    tokio_postgres::{Error, Row, types::ToSql},
};

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)*) => {
        $($(#[$doc])* pub(super) const $name: &str = $text;)*
        pub(in crate::adapters::postgres) const ALL: &[&str] = &[$($name),*];
    };
}
pub(super) use statements;

/// A bound value.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

pub(super) async fn execute<const N: usize>(
    tx: &Transaction<'_>,
    text: &str,
    params: [Param<'_>; N],
) -> Result<u64, Error> {
    let statement = tx.prepare_cached(text).await?;
    tx.execute(&statement, &params).await
}

pub(super) async fn query<const N: usize>(
    tx: &Transaction<'_>,
    text: &str,
    params: [Param<'_>; N],
) -> Result<Vec<Row>, Error> {
    let statement = tx.prepare_cached(text).await?;
    tx.query(&statement, &params).await
}
