//! Locks that survive a panic.
//!
//! Promise: no code of ours that can panic runs while one of these locks is
//! held, so a poisoned lock still guards sound data and is simply taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
