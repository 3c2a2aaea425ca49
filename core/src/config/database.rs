//! The address of the database: which of the two engines, and where.

use std::{fmt, path::PathBuf, str::FromStr};

use crate::secret::Secret;

/// Where the database of record is. `Display` leaves out the account, the password and the options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// One file, on this machine.
    Sqlite(PathBuf),
    /// A PostgreSQL server; the whole address, which may hold a password.
    Postgres(Secret),
}

/// What an address of a database must look like.
pub(super) const EXPECTED: &str =
    "sqlite:PATH (a file; ?options and :memory: are not taken) or postgres://USER:PASSWORD@HOST/DATABASE";

impl FromStr for DatabaseUrl {
    /// What was found instead, without quoting it.
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return match path {
                "" => Err("an address of SQLite without a path"),
                _ if path.contains(":memory:") => Err("a database in memory, which would forget its jobs"),
                _ if path.contains('?') => Err("an address of SQLite with options"),
                _ => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        match rest {
            Some("") => Err("an address of PostgreSQL without a host"),
            Some(_) => Ok(Self::Postgres(Secret::new(text))),
            None => Err("another text"),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let rest = url.expose().split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split('?').next().unwrap_or_default();
                // A password may hold a raw @: the last one ends the account.
                let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
                write!(f, "postgres://{place}")
            }
        }
    }
}
