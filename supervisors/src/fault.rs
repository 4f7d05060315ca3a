//! What can go wrong with a child, seen from inside it.
//!
//! Promise: a child says *I am broken* ([`Fault::crash`], spends the restart
//! budget) apart from *what I need is away* ([`Fault::unavailable`], waits and
//! tries again, spends nothing), and the supervisor never has to guess.

use std::error::Error;
use std::fmt;

use crate::panics::Panicked;

/// Any error, sendable.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Crash,
    Unavailable,
}

macro_rules! failure {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name {
            pub(crate) severity: Severity,
            pub(crate) source: BoxError,
        }

        impl $name {
            /// Something is wrong here; counts against the restart budget.
            pub fn crash(source: impl Into<BoxError>) -> Self {
                Self { severity: Severity::Crash, source: source.into() }
            }

            /// Something this child needs is away; tried again with backoff, never counted.
            pub fn unavailable(source: impl Into<BoxError>) -> Self {
                Self { severity: Severity::Unavailable, source: source.into() }
            }

            /// Whether it is a dependency that is away.
            pub fn is_unavailable(&self) -> bool {
                self.severity == Severity::Unavailable
            }
        }

        /// `?` means a crash; say `map_err` with `unavailable` where it is not one.
        impl<E: Error + Send + Sync + 'static> From<E> for $name {
            fn from(source: E) -> Self {
                Self::crash(source)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&sentence(self.source.as_ref()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?}: {self})", stringify!($name), self.severity)
            }
        }
    };
}

failure! {
    /// A child's work failed.
    Fault
}
failure! {
    /// A child could not be made. At boot either kind fails the boot; at a
    /// restart an unavailable one is tried again with backoff.
    StartError
}

/// An error and its sources on one line; nothing is printed twice when an
/// error's text already ends with its source's.
pub(crate) fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let part = source.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        next = source.source();
    }
    text
}

/// Why a child's actor ended, as its supervisor gets it through ractor.
#[derive(Debug)]
pub(crate) enum Death {
    Panicked(Panicked),
    Crashed(BoxError),
    Unavailable(BoxError),
    /// A supervisor below could not start `path`.
    CannotStart {
        path: String,
        source: BoxError,
    },
    /// A supervisor below spent its budget.
    Spent {
        path: String,
        reason: String,
    },
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panicked) => write!(f, "panicked: {}", panicked.message),
            Self::Crashed(source) | Self::Unavailable(source) => {
                f.write_str(&sentence(source.as_ref()))
            }
            Self::CannotStart { path, source } => {
                write!(f, "cannot start {path}: {}", sentence(source.as_ref()))
            }
            Self::Spent { reason, .. } => f.write_str(reason),
        }
    }
}

impl Error for Death {}

impl From<Fault> for Death {
    fn from(fault: Fault) -> Self {
        match fault.severity {
            Severity::Crash => Self::Crashed(fault.source),
            Severity::Unavailable => Self::Unavailable(fault.source),
        }
    }
}

impl From<StartError> for Death {
    fn from(error: StartError) -> Self {
        match error.severity {
            Severity::Crash => Self::Crashed(error.source),
            Severity::Unavailable => Self::Unavailable(error.source),
        }
    }
}

impl Death {
    /// The error that a ractor supervision event brings.
    pub(crate) fn from_event(error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(death) => *death,
            Err(other) => Self::Crashed(other),
        }
    }

    /// As the source of a start failure.
    pub(crate) fn into_source(self) -> BoxError {
        match self {
            Self::Crashed(source) | Self::Unavailable(source) => source,
            other => Box::new(other),
        }
    }
}
