//! Drawn pictures.
pub fn family_for(_name: &str) -> &'static str {
    "box"
}
