//! One product, as somebody wants it: what an import does for a row, for a version that was seen.

use super::{audit, products};
use crate::{
    adapters::postgres::statement::{query, statements},
    ports::{
        clock::Ids,
        products::{ProductWrite, ProductWritten},
        writer::Written,
    },
};
use deadpool_postgres::{Transaction, tokio_postgres::Error};

statements! {
    VERSION = "SELECT updated_at FROM product WHERE sku = $2 AND site = $1";
}

/// `again`: the transaction has staged products before.
pub(super) async fn put(
    tx: &Transaction<'_>,
    write: &ProductWrite,
    ids: &dyn Ids,
    again: bool,
) -> Result<Written, Error> {
    // Whoever else writes products of the site waits, so the version stays what it is.
    products::lock(tx, &write.scope.site).await?;
    let rows = query(tx, VERSION, [&write.scope.site.0, &write.draft.sku.as_str()]).await?;
    let version = rows.first().map(|row| row.try_get(0)).transpose()?;
    if let Some(refused) = write.refused(version) {
        return Ok(refused);
    }
    let batch = write.batch();
    products::put(tx, &batch, ids, again).await?;
    audit::append(tx, &write.told()).await?;
    Ok(Written::Product(ProductWritten::Put(batch.at.0)))
}
