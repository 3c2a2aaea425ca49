//! What is wrong with a configuration, said so that it can be mended without reading the code.

use std::fmt;

use crate::fault::{Fault, FaultKind};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, as `section.key`; a file's name where the file itself is at fault.
    pub path: String,
    /// Where the value came from, such as `in rackhand.toml` or `from RACKHAND_LOG`; empty when from no one place.
    pub origin: String,
    /// What was there. Never the value of a secret.
    pub found: String,
    /// What should have been there.
    pub expected: String,
    /// The name that was probably meant.
    pub meant: Option<String>,
}

impl Problem {
    pub(super) fn new(path: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: path.into(), origin: String::new(), found: found.into(), expected: expected.into(), meant: None }
    }

    pub(super) fn at(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }

    pub(super) fn meaning(mut self, name: Option<String>) -> Self {
        self.meant = name;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, origin, found, expected, meant } = self;
        f.write_str(path)?;
        if !origin.is_empty() {
            write!(f, " ({origin})")?;
        }
        write!(f, ": found {found}, expected {expected}")?;
        match meant {
            Some(name) => write!(f, "; did you mean {name}?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong, in the order of the table; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<Problem>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "the configuration has {} problem{plural}:", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for ConfigErrors {}

impl Fault for ConfigErrors {
    fn kind(&self) -> FaultKind {
        FaultKind::Invalid
    }
}
