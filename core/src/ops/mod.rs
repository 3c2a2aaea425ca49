//! The operations: everything that Rackhand can be asked for, in one table.
//!
//! A door (chat, and what comes beside it) turns what it hears into an operation's name and input, and words the answer.
//! Authority, approval, repetition and audit are decided here, under the table, once. A new operation is one file in
//! this folder and one line in [`table`].

mod answer_approval;
mod approved;
mod awaiting;
mod call;
mod cancel_job;
mod clean;
mod create_invite;
mod create_token;
mod doors;
mod error;
mod fields;
mod force_rebuild_server;
mod get_operation;
pub mod ironic;
mod key_check;
mod label_server;
mod list_approvals;
mod list_audit;
mod list_incidents;
mod list_jobs;
mod list_servers;
mod list_tokens;
mod list_users;
mod manage_server;
mod operation;
mod outside;
mod page;
mod people;
mod put_user;
mod rebuild_server;
mod redeem_invite;
mod reserve_server;
mod reset_attempts;
mod retry_job;
mod revoke_token;
mod set_language;
mod set_role;
mod set_up_server;
mod show_approval;
mod show_incident;
mod show_job;
mod show_server;
mod show_status;
mod show_user;
mod starting;
mod unchanged;
mod withdraw_approval;

pub use answer_approval::{ApprovalInput, Approve, ApproveOutcome, Refuse};
pub use approved::{approved, approved_plan};
pub use awaiting::{Awaiting, AwaitingStatus};
pub use call::{Answer, Limits, Ops};
pub use cancel_job::CancelJob;
pub use create_invite::{CreateInvite, CreateInviteInput, NewInvite};
pub use create_token::{CreateToken, CreateTokenInput, NewToken};
pub use doors::{Choice, Method, Rest, Topic};
pub use error::OpError;
pub use fields::{Field, Kind};
pub use force_rebuild_server::ForceRebuildServer;
pub use get_operation::{GetOperation, GetOperationInput, OperationStatus, OperationView};
use ironic::{
    CheckProvisionStatus, CheckUnprovisionStatus, EndMaintenance, EnrolNode, GetNode, ListNodes, ManageNode,
    ProvideNode, ProvisionServer, UnprovisionServer,
};
pub use ironic::{IRONIC, NodeFault};
pub use key_check::{has_key, same_key};
pub use label_server::{LabelInput, LabelServer};
pub use list_approvals::{ListApprovals, ListApprovalsInput};
pub use list_audit::{ListAudit, ListAuditInput};
pub use list_incidents::{IncidentLine, ListIncidents, ListIncidentsInput};
pub use list_jobs::{JobLine, ListJobs, ListJobsInput};
pub use list_servers::{ListServers, ListServersInput};
pub use list_tokens::ListTokens;
pub use list_users::{ListUsers, ListUsersInput};
pub use manage_server::{ManageServer, UnmanageServer};
pub use operation::{Cx, Entry, Operation, Reach, Spec};
pub use outside::{LOOK, Outside};
pub use page::{ListInput, Page, PageOf};
pub use people::Seen;
pub use put_user::{PutUser, PutUserInput};
pub use rebuild_server::RebuildServer;
pub use redeem_invite::{RedeemInvite, RedeemInviteInput};
pub use reserve_server::{ReleaseServer, ReserveServer};
pub use reset_attempts::ResetAttempts;
pub use retry_job::RetryJob;
pub use revoke_token::{RevokeToken, RevokeTokenInput};
pub use set_language::{Language, SetLanguage, SetLanguageInput};
pub use set_role::{SetRole, SetRoleInput};
pub use set_up_server::SetUpServer;
pub use show_approval::ShowApproval;
pub use show_incident::{IncidentInput, ShowIncident};
pub use show_job::{JobView, ShowJob};
pub use show_server::{ServerView, ShowServer};
pub use show_status::{Nothing, ShowStatus, Status};
pub use show_user::{ShowUser, UserInput};
pub use starting::{HandleInput, JobInput, JobStarted, PROVISION_VPS, REINSTALL};
pub use unchanged::{Unchanged, tag};
pub use withdraw_approval::WithdrawApproval;

/// Every operation, in the order in which help shows them.
pub fn table() -> &'static [Entry] {
    static TABLE: std::sync::LazyLock<Vec<Entry>> = std::sync::LazyLock::new(|| {
        vec![
            Entry::of::<ListServers>(),
            Entry::of::<ShowServer>(),
            Entry::of::<ManageServer>(),
            Entry::of::<UnmanageServer>(),
            Entry::of::<ReserveServer>(),
            Entry::of::<ReleaseServer>(),
            Entry::of::<SetUpServer>(),
            Entry::of::<RebuildServer>(),
            Entry::of::<ForceRebuildServer>(),
            Entry::of::<ResetAttempts>(),
            Entry::of::<LabelServer>(),
            Entry::of::<ListNodes>(),
            Entry::of::<GetNode>(),
            Entry::of::<EnrolNode>(),
            Entry::of::<ManageNode>(),
            Entry::of::<ProvideNode>(),
            Entry::of::<EndMaintenance>(),
            Entry::of::<ProvisionServer>(),
            Entry::of::<CheckProvisionStatus>(),
            Entry::of::<UnprovisionServer>(),
            Entry::of::<CheckUnprovisionStatus>(),
            Entry::of::<ListIncidents>(),
            Entry::of::<ShowIncident>(),
            Entry::of::<ListJobs>(),
            Entry::of::<ShowJob>(),
            Entry::of::<CancelJob>(),
            Entry::of::<RetryJob>(),
            Entry::of::<GetOperation>(),
            Entry::of::<ListApprovals>(),
            Entry::of::<ShowApproval>(),
            Entry::of::<WithdrawApproval>(),
            Entry::of::<Approve>(),
            Entry::of::<Refuse>(),
            Entry::of::<ListUsers>(),
            Entry::of::<PutUser>(),
            Entry::of::<ShowUser>(),
            Entry::of::<SetRole>(),
            Entry::of::<CreateInvite>(),
            Entry::of::<RedeemInvite>(),
            Entry::of::<ListTokens>(),
            Entry::of::<CreateToken>(),
            Entry::of::<RevokeToken>(),
            Entry::of::<ListAudit>(),
            Entry::of::<SetLanguage>(),
            Entry::of::<ShowStatus>(),
        ]
    });
    &TABLE
}

/// The operation of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    table().iter().find(|entry| entry.spec.name == name)
}
