//! State machines as tables: no row, no move.
//!
//! One file per machine. The database checks the same names (`migrations/`), and `docs/states.md` is printed from
//! these tables by `rackhand states`.

mod approval;
mod incident;
mod job;
mod print;
mod server;

use std::fmt::{self, Debug, Display};

pub use approval::{ApprovalEvent, ApprovalStatus};
pub use incident::{IncidentEvent, IncidentStatus};
pub use job::{JobEvent, JobStatus};
pub use print::markdown;
pub use server::{ServerEvent, ServerStatus};

/// One legal move and the reason for it.
#[derive(Debug)]
pub struct Move<S: 'static, E: 'static> {
    /// The state before.
    pub from: S,
    /// What happens.
    pub event: E,
    /// The state after.
    pub to: S,
    /// Why this move exists, for docs/states.md.
    pub why: &'static str,
}

/// A machine whose whole behaviour is a table.
pub trait Machine: Copy + Eq + Display + Debug + 'static {
    /// What can happen to it.
    type Event: Copy + Eq + Display + Debug + 'static;
    /// Its name in docs/states.md.
    const NAME: &'static str;
    /// Every legal move.
    fn table() -> &'static [Move<Self, Self::Event>];

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalMove`] when the table has no such row.
    fn after(self, event: Self::Event) -> Result<Self, IllegalMove> {
        Self::table()
            .iter()
            .find(|row| row.from == self && row.event == event)
            .map(|row| row.to)
            .ok_or_else(|| IllegalMove { machine: Self::NAME, from: self.to_string(), event: event.to_string() })
    }
}

/// An event that the table does not know in this state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IllegalMove {
    /// The machine's name.
    pub machine: &'static str,
    /// The state it was in.
    pub from: String,
    /// The event that does not fit.
    pub event: String,
}

impl Display for IllegalMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} that is {} cannot {}", self.machine, self.from, self.event)
    }
}

impl std::error::Error for IllegalMove {}

/// Declares a machine: its states, its events and its table.
macro_rules! machine {
    (
        $(#[$doc:meta])* $name:literal $status:ident { $($(#[$sdoc:meta])* $state:ident),+ $(,)? }
        $(#[$edoc:meta])* $events:ident { $($(#[$evdoc:meta])* $event:ident),+ $(,)? }
        $($from:ident + $ev:ident => $to:ident : $why:literal;)+
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
            strum::Display, strum::EnumString, strum::EnumIter)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $status { $($(#[$sdoc])* $state),+ }

        $(#[$edoc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
        #[strum(serialize_all = "snake_case")]
        pub enum $events { $($(#[$evdoc])* $event),+ }

        impl $crate::states::Machine for $status {
            type Event = $events;
            const NAME: &'static str = $name;
            fn table() -> &'static [$crate::states::Move<Self, $events>] {
                const TABLE: &[$crate::states::Move<$status, $events>] = &[
                    $($crate::states::Move { from: $status::$from, event: $events::$ev, to: $status::$to, why: $why },)+
                ];
                TABLE
            }
        }
    };
}
use machine;
