//! Bytes that nobody can foresee, handed in so that tests can.

/// The system's source of them; not for ids, which `ports::clock` makes.
pub trait Chance: Send + Sync + 'static {
    fn bytes(&self) -> [u8; 32];
}
