//! What a person can want, however they say it: a command, a button, a plain word.
//!
//! A button carries its wish as a short text ([`Want::data`]), at most 64 bytes. Such a text is no more than a claim: who
//! presses is asked for their role like anybody who types.

use rackhand_core::{
    ids::{ApprovalId, JobId, ServerId},
    model::Role,
    ops::Language,
};
use strum::{EnumIter, IntoEnumIterator};

/// What can be wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// The way in, with a code or without.
    Start(Option<String>),
    /// What can be done.
    Help,
    /// The list of servers from this place on.
    Servers(u32),
    /// A server's card.
    Server(ServerId),
    /// Something done to a server.
    Act(Action, ServerId),
    /// A choice of servers for something, from this place on.
    Choose(Action, u32),
    /// The list of Ironic's nodes from this place on.
    Nodes(u32),
    /// A node's card, by its UUID.
    Node(String),
    /// Something done to a node.
    ActOnNode(NodeAction, String),
    /// The list of jobs from this place on; of one server, or of all.
    Jobs(Option<ServerId>, u32),
    /// A job's live card.
    Job(JobId),
    /// A job's story.
    Story(JobId),
    /// A job called off.
    Cancel(JobId),
    /// A parked job sent on.
    Retry(JobId),
    /// The list of open questions from this place on.
    Approvals(u32),
    /// One question.
    Approval(ApprovalId),
    /// Yes to a question.
    Approve(ApprovalId),
    /// No to a question.
    Refuse(ApprovalId),
    /// A question of one's own taken back.
    Withdraw(ApprovalId),
    /// The list of people from this place on.
    Users(u32),
    /// A person, by Telegram's number.
    User(i64),
    /// Another role for a person.
    SetRole(i64, Role),
    /// An invite; without a role, the choice of one.
    Invite(Option<Role>),
    /// A language; without one, the choice.
    Lang(Option<Language>),
    /// How it all is.
    Status,
    /// An operation typed by its name, with what was typed after it, from this place of its list on.
    Named(u32, String),
}

/// What can be done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum Action {
    /// Taken under management.
    Manage,
    /// Let go of.
    Unmanage,
    /// Kept for something.
    Reserve,
    /// Kept no longer.
    Release,
    /// Set up.
    Provision,
    /// Wiped and set up.
    Rebuild,
    /// The same by status.
    ForceRebuild,
    /// Given new attempts.
    ResetAttempts,
}

/// What can be done to a node of Ironic's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter)]
pub enum NodeAction {
    /// Its BMC tried.
    Manage,
    /// Kept out of use no longer.
    EndMaintenance,
    /// Made available, and wiped where Ironic cleans.
    Provide,
    /// Given the configured image.
    Provision,
    /// Taken down and wiped.
    Unprovision,
}

impl NodeAction {
    /// The operation's name.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Manage => "manage_node",
            Self::Provide => "provide_node",
            Self::EndMaintenance => "end_maintenance",
            Self::Provision => "provision_server",
            Self::Unprovision => "unprovision_server",
        }
    }

    /// The name of its texts.
    pub fn key(self) -> &'static str {
        match self {
            Self::Manage => "node-manage",
            Self::Provide => "node-provide",
            Self::EndMaintenance => "node-end-maintenance",
            Self::Provision => "node-provision",
            Self::Unprovision => "node-unprovision",
        }
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Manage => "nm",
            Self::Provide => "nv",
            Self::EndMaintenance => "ne",
            Self::Provision => "np",
            Self::Unprovision => "nu",
        }
    }
}

impl Action {
    /// The operation's name.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Manage => "manage_server",
            Self::Unmanage => "unmanage_server",
            Self::Reserve => "reserve_server",
            Self::Release => "release_server",
            Self::Provision => "set_up_server",
            Self::Rebuild => "rebuild_server",
            Self::ForceRebuild => "force_rebuild_server",
            Self::ResetAttempts => "reset_attempts",
        }
    }

    /// The command's name, which is also the name of its texts.
    pub const fn command(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Unmanage => "unmanage",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Provision => "provision",
            Self::Rebuild => "rebuild",
            Self::ForceRebuild => "force_rebuild",
            Self::ResetAttempts => "reset_attempts",
        }
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Manage => "mg",
            Self::Unmanage => "um",
            Self::Reserve => "rs",
            Self::Release => "rl",
            Self::Provision => "pv",
            Self::Rebuild => "rb",
            Self::ForceRebuild => "fr",
            Self::ResetAttempts => "ra",
        }
    }

    fn of_letters(letters: &str) -> Option<Self> {
        Self::iter().find(|action| action.letters() == letters)
    }
}

impl Want {
    /// What a button for it carries.
    pub fn data(&self) -> String {
        match self {
            Self::Start(_) | Self::Help => "help".to_owned(),
            Self::Servers(from) => format!("ss:{from}"),
            Self::Server(id) => format!("s:{id}"),
            Self::Act(action, id) => format!("{}:{id}", action.letters()),
            Self::Choose(action, from) => format!("c{}:{from}", action.letters()),
            Self::Nodes(from) => format!("ns:{from}"),
            Self::Node(uuid) => format!("n:{uuid}"),
            Self::ActOnNode(action, uuid) => format!("{}:{uuid}", action.letters()),
            Self::Jobs(None, from) => format!("js:{from}"),
            Self::Jobs(Some(server), from) => format!("jh:{server}:{from}"),
            Self::Job(id) => format!("j:{id}"),
            Self::Story(id) => format!("jl:{id}"),
            Self::Cancel(id) => format!("jc:{id}"),
            Self::Retry(id) => format!("jr:{id}"),
            Self::Approvals(from) => format!("as:{from}"),
            Self::Approval(id) => format!("a:{id}"),
            Self::Approve(id) => format!("ay:{id}"),
            Self::Refuse(id) => format!("an:{id}"),
            Self::Withdraw(id) => format!("aw:{id}"),
            Self::Users(from) => format!("us:{from}"),
            Self::User(id) => format!("u:{id}"),
            Self::SetRole(id, role) => format!("ur:{id}:{role}"),
            Self::Invite(None) => "iv".to_owned(),
            Self::Invite(Some(role)) => format!("iv:{role}"),
            Self::Lang(None) => "ln".to_owned(),
            Self::Lang(Some(language)) => format!("ln:{language}"),
            Self::Status => "st".to_owned(),
            Self::Named(from, typed) => format!("o:{from}:{typed}"),
        }
    }

    /// Reads what a button carried; none when no button of ours carries it.
    pub fn of_data(data: &str) -> Option<Self> {
        let (verb, rest) = data.split_once(':').unwrap_or((data, ""));
        let pair = || rest.split_once(':');
        Some(match verb {
            "help" => Self::Help,
            "ss" => Self::Servers(rest.parse().ok()?),
            "s" => Self::Server(rest.parse().ok()?),
            "ns" => Self::Nodes(rest.parse().ok()?),
            "n" => Self::Node(uuid(rest)?),
            "js" => Self::Jobs(None, rest.parse().ok()?),
            "jh" => Self::Jobs(Some(pair()?.0.parse().ok()?), pair()?.1.parse().ok()?),
            "j" => Self::Job(rest.parse().ok()?),
            "jl" => Self::Story(rest.parse().ok()?),
            "jc" => Self::Cancel(rest.parse().ok()?),
            "jr" => Self::Retry(rest.parse().ok()?),
            "as" => Self::Approvals(rest.parse().ok()?),
            "a" => Self::Approval(rest.parse().ok()?),
            "ay" => Self::Approve(rest.parse().ok()?),
            "an" => Self::Refuse(rest.parse().ok()?),
            "aw" => Self::Withdraw(rest.parse().ok()?),
            "us" => Self::Users(rest.parse().ok()?),
            "u" => Self::User(rest.parse().ok()?),
            "ur" => Self::SetRole(pair()?.0.parse().ok()?, pair()?.1.parse().ok()?),
            "iv" if rest.is_empty() => Self::Invite(None),
            "iv" => Self::Invite(Some(rest.parse().ok()?)),
            "ln" if rest.is_empty() => Self::Lang(None),
            "ln" => Self::Lang(Some(rest.parse().ok()?)),
            "st" => Self::Status,
            "o" => Self::Named(pair()?.0.parse().ok()?, pair()?.1.to_owned()),
            _ => match (Action::of_letters(verb), NodeAction::iter().find(|action| action.letters() == verb)) {
                (Some(action), _) => Self::Act(action, rest.parse().ok()?),
                (None, Some(action)) => Self::ActOnNode(action, uuid(rest)?),
                (None, None) => Self::Choose(Action::of_letters(verb.strip_prefix('c')?)?, rest.parse().ok()?),
            },
        })
    }
}

/// A UUID as Ironic writes it.
fn uuid(text: &str) -> Option<String> {
    let fits = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    fits.then(|| text.to_owned())
}

/// A press: what is wanted, and whether the answer comes below rather than in place of the message with the button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// What is wanted.
    pub want: Want,
    /// The message keeps what it says: the answer comes below it.
    pub below: bool,
}

impl Pressed {
    /// Reads what a button carried.
    pub fn of_data(data: &str) -> Option<Self> {
        let below = data.strip_prefix('+');
        Some(Self { want: Want::of_data(below.unwrap_or(data))?, below: below.is_some() })
    }
}
