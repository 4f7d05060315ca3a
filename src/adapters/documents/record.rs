//! Where a product's parts lie in the file.
//!
//! One table a part, so that a list of cards reads cards and nothing else. A document's value
//! opens with its SKU and slug: the rows that point to it can be taken back without parsing it.

use crate::domain::{document::ProductDocument, event::Position, id::ProductId, scope::Scope};
use redb::TableDefinition;
use std::str;

/// Of the tables and of [`Record`]; a file of another layout is emptied at opening.
pub(super) const LAYOUT: u64 = 1;

/// Scope's number and product: products of a scope lie together, in the order they were made.
pub(super) type Id = (u16, u128);
/// Scope's number and name.
pub(super) type Named = (u16, &'static str);

pub(super) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
pub(super) const SCOPES: TableDefinition<&str, u16> = TableDefinition::new("scopes");
pub(super) const CATEGORIES: TableDefinition<u16, &[u8]> = TableDefinition::new("categories");
pub(super) const DOCUMENTS: TableDefinition<Id, &[u8]> = TableDefinition::new("documents");
pub(super) const JSON: TableDefinition<Id, &[u8]> = TableDefinition::new("json");
pub(super) const CARDS: TableDefinition<Id, &[u8]> = TableDefinition::new("cards");
pub(super) const SLUGS: TableDefinition<Named, u128> = TableDefinition::new("slugs");
pub(super) const SKUS: TableDefinition<Named, u128> = TableDefinition::new("skus");

pub(super) fn id(scope: u16, product: ProductId) -> (u16, u128) {
    (scope, product.0.as_u128())
}

pub(super) fn product((_, id): (u16, u128)) -> ProductId {
    ProductId(uuid::Uuid::from_u128(id))
}

/// A scope as the key of [`SCOPES`]; a unit separator is in no site's name and no language tag.
pub(super) fn scope_key(scope: &Scope) -> String {
    format!("{}\u{1f}{}", scope.site.0, scope.locale.0)
}

/// A value of [`DOCUMENTS`], taken apart.
pub(super) struct Record<'a> {
    pub(super) sku: &'a str,
    pub(super) slug: &'a str,
    pub(super) json: &'a [u8],
}

impl<'a> Record<'a> {
    /// Writes `document` into `into`, which is emptied first.
    pub(super) fn write(
        document: &ProductDocument,
        into: &mut Vec<u8>,
    ) -> Result<(), serde_json::Error> {
        into.clear();
        for name in [document.sku.as_str(), document.slug.as_str()] {
            let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
            into.extend_from_slice(&length.to_le_bytes());
            into.extend_from_slice(name.as_bytes());
        }
        serde_json::to_writer(into, document)
    }

    /// `None`: not a record.
    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let (sku, rest) = name(value)?;
        let (slug, json) = name(rest)?;
        Some(Self { sku, slug, json })
    }
}

fn name(value: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = value.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((str::from_utf8(name).ok()?, rest))
}

pub(super) fn write_position(position: Position) -> [u8; 24] {
    let mut value = [0; 24];
    value[..16].copy_from_slice(position.epoch.as_bytes());
    value[16..].copy_from_slice(&position.offset.to_le_bytes());
    value
}

pub(super) fn read_position(value: &[u8]) -> Option<Position> {
    let (epoch, offset) = value.split_first_chunk::<16>()?;
    Some(Position {
        epoch: uuid::Uuid::from_bytes(*epoch),
        offset: i64::from_le_bytes(offset.try_into().ok()?),
    })
}
