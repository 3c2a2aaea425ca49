//! What can go wrong in the store.

use crate::{
    fault::{Fault, FaultKind},
    states::IllegalMove,
};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database did not answer, or refused.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// A rule of the database said no: somebody else was first.
    #[error("the database refused it: {0} is there already")]
    Taken(String),
    /// The row is no longer in the state that the update expected.
    #[error("{0} has changed meanwhile")]
    Changed(String),
    /// Our lease on a job or a role is gone: somebody else has it, so whoever gets this stops at once.
    #[error("the lease on {0} is lost")]
    LeaseLost(String),
    /// The state table has no such move.
    #[error(transparent)]
    Illegal(#[from] IllegalMove),
    /// A row holds what no program of ours writes.
    #[error("column {column} holds {value:?}, which is not what is written there")]
    Corrupt {
        /// The column.
        column: String,
        /// What it holds, cut short.
        value: String,
    },
}

impl StoreError {
    /// Whether somebody else was faster, so that the same transaction begun anew sees what they did and may succeed.
    pub fn is_race(&self) -> bool {
        match self {
            Self::Taken(_) | Self::Changed(_) => true,
            // PostgreSQL ended one of two transactions that waited for each other, or that could not be put in order.
            Self::Database(sqlx::Error::Database(inner)) => {
                inner.code().is_some_and(|code| ["40P01", "40001"].contains(&code.as_ref()))
            }
            _ => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(inner) if inner.is_unique_violation() => {
                // SQLite names the columns in its message; PostgreSQL names the index.
                Self::Taken(inner.constraint().map_or_else(|| inner.message().to_owned(), str::to_owned))
            }
            _ => Self::Database(error),
        }
    }
}

impl Fault for StoreError {
    fn kind(&self) -> FaultKind {
        match self {
            Self::Database(_) => FaultKind::Unavailable,
            Self::Taken(_) | Self::Changed(_) | Self::LeaseLost(_) | Self::Illegal(_) => FaultKind::Conflict,
            Self::Migrate(_) | Self::Corrupt { .. } => FaultKind::Bug,
        }
    }
}
