//! Authority: role x risk x kind of actor, decided in one function.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, EnumString};

use super::{Actor, ActorKind, Role};

/// What an operation can do to the world.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Display, EnumString, EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Risk {
    /// Nothing changes.
    Read,
    /// Something changes that can be changed back.
    Change,
    /// Something is lost for good.
    Destroy,
}

impl Risk {
    /// The lowest role that this risk may ever be given to.
    pub fn floor(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Change => Role::Operator,
            Self::Destroy => Role::Admin,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run,
    /// It waits until a person approves exactly its plan.
    Ask,
    /// It does not run; the role that would be needed.
    Refuse {
        /// The lowest role that may.
        needs: Role,
    },
}

/// May this actor do something of this risk, whose operation asks for at least `lowest`?
///
/// Whatever destroys is asked, whoever wants it: a person confirms what they see, and a token, a model or Rackhand
/// itself never confirms for itself.
pub fn decide(actor: &Actor, risk: Risk, lowest: Role) -> Decision {
    let needs = if risk == Risk::Destroy { lowest.max(Role::Admin) } else { lowest };
    match (actor.kind, risk) {
        (ActorKind::System, Risk::Destroy) => Decision::Ask,
        (ActorKind::System, _) => Decision::Run,
        _ if actor.role < needs => Decision::Refuse { needs },
        (_, Risk::Destroy) => Decision::Ask,
        _ => Decision::Run,
    }
}
