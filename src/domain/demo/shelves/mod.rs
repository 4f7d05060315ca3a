//! What stands on the demo shop's shelves, written by hand: one file an aisle.

mod cleaning;
mod electrical;
mod fasteners;
mod hand_tools;
mod laboratory;
mod office;
mod packaging;
mod power_tools;
mod safety;
mod storage;

/// A root category.
pub(super) struct Aisle {
    pub(super) name: &'static str,
    /// The first letters of its SKUs.
    pub(super) code: &'static str,
    /// A last sentence for a description; which one is a product's luck.
    pub(super) closings: &'static [&'static str],
    pub(super) lines: &'static [Line],
}

/// Products that are the same but for one thing.
pub(super) struct Line {
    /// One of [`super::FAMILIES`].
    pub(super) picture: &'static str,
    pub(super) shelf: &'static str,
    /// A third level, or nothing.
    pub(super) leaf: &'static str,
    pub(super) brand: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) short: &'static str,
    /// One to three sentences.
    pub(super) about: &'static str,
    pub(super) attributes: &'static [(&'static str, &'static str)],
    /// What they differ in.
    pub(super) by: &'static str,
    pub(super) spread: Spread,
    /// How, and the price of each in US cents; 0 is on request.
    pub(super) kinds: &'static [(&'static str, i64)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// Products in their own right.
    Models,
    /// Variants of one product.
    Variants,
}

pub(super) const AISLES: &[&Aisle] = &[
    &hand_tools::AISLE,
    &power_tools::AISLE,
    &safety::AISLE,
    &electrical::AISLE,
    &fasteners::AISLE,
    &packaging::AISLE,
    &storage::AISLE,
    &cleaning::AISLE,
    &office::AISLE,
    &laboratory::AISLE,
];
