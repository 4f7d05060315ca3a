//! Time and ids, handed in so that rules stay pure and tests can choose them.

use crate::domain::time::Micros;
use uuid::Uuid;

/// Wall time at boot plus monotonic time since: it never jumps while the process runs.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Micros;
}

/// New ids, rising with time (UUIDv7).
pub trait Ids: Send + Sync + 'static {
    fn next(&self) -> Uuid;
}
