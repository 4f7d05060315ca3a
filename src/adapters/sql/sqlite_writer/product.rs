//! One product, as somebody wants it: what an import does for a row, for a version that was seen.

use super::products;
use crate::{
    adapters::sql::{audit, texts::statements},
    ports::{
        clock::Ids,
        products::{ProductWrite, ProductWritten},
        writer::Written,
    },
};
use sqlx::SqliteConnection;

statements! {
    VERSION = { sqlite: "SELECT updated_at FROM product WHERE sku = $2 AND site = $1" };
}

pub(super) async fn put(
    conn: &mut SqliteConnection,
    write: &ProductWrite,
    ids: &dyn Ids,
) -> Result<Written, sqlx::Error> {
    let version = sqlx::query_scalar(VERSION.sqlite).bind(&write.scope.site.0);
    let version = version.bind(write.draft.sku.as_str()).fetch_optional(&mut *conn).await?;
    if let Some(refused) = write.refused(version) {
        return Ok(refused);
    }
    let batch = write.batch();
    products::put(conn, &batch, ids).await?;
    audit::append(conn, &write.told()).await?;
    Ok(Written::Product(ProductWritten::Put(batch.at.0)))
}
