//! What can go wrong with a cart, as a client is told it.

use crate::{
    actors::keepers::carts::CartsError,
    domain::cart::{CartRefusal, LineRefusal, RowRefusal},
    http::error::{Code, FieldError, Problem},
};

impl From<CartsError> for Problem {
    fn from(error: CartsError) -> Self {
        match error {
            CartsError::NoBuyer => Self::new(Code::Forbidden, error.to_string()),
            CartsError::ChangedAgain => Self::new(Code::Conflict, error.to_string()),
            CartsError::Refused(refusal) => refusal.into(),
            CartsError::Store(error) => error.into(),
            CartsError::Documents(error) => error.into(),
            CartsError::Write(error) => error.into(),
            CartsError::Once(error) => error.into(),
        }
    }
}

impl From<CartRefusal> for Problem {
    fn from(refusal: CartRefusal) -> Self {
        let code = match &refusal {
            CartRefusal::Absent => Code::NotFound,
            CartRefusal::Changed { .. } => Code::PreconditionFailed,
            CartRefusal::Ordered | CartRefusal::TooManyLists | CartRefusal::NotThisKind => {
                Code::Conflict
            }
            CartRefusal::TooManyAtOnce => Code::BadContent,
            CartRefusal::Rows(rows) => return of_rows(rows, |row| (format!("/lines/{row}"), None)),
        };
        Self::new(code, refusal.to_string())
    }
}

/// Which rows can't be had and why; `place` says where each stands in the body, and in its text.
pub(crate) fn of_rows(
    rows: &[RowRefusal],
    place: impl Fn(usize) -> (String, Option<(usize, usize)>),
) -> Problem {
    let told = match rows {
        [row] => row.why.to_string(),
        rows => format!("{} lines can't be changed that way; nothing was", rows.len()),
    };
    let error = |row: &RowRefusal| {
        let (pointer, text) = place(row.row);
        FieldError {
            pointer: Some(pointer),
            line: text.map(|(line, _)| line),
            column: text.map(|(_, column)| column),
            sku: row.sku.as_ref().map(ToString::to_string),
            detail: row.why.to_string(),
            ..FieldError::default()
        }
    };
    Problem { errors: rows.iter().map(error).collect(), ..Problem::new(Code::BadContent, told) }
}

/// A change of one line that its address names: one that isn't there is not found.
pub(crate) fn of_line(problem: CartsError) -> Problem {
    match problem {
        CartsError::Refused(CartRefusal::Rows(rows))
            if rows.iter().any(|row| row.why == LineRefusal::NoSuchLine) =>
        {
            Problem::new(Code::NotFound, LineRefusal::NoSuchLine.to_string())
        }
        other => other.into(),
    }
}
