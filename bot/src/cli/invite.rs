//! `rackhand invite`: a way in for whoever has this shell.

use std::process::ExitCode;

use rackhand_core::{
    model::Role,
    ops::{CreateInvite, CreateInviteInput},
};

use super::call;
use crate::process::Process;

/// Makes a one-time code and shows it.
pub async fn invite(process: &Process, role: Role) -> anyhow::Result<ExitCode> {
    let invite = call::<CreateInvite>(process, &CreateInviteInput { role }).await?;
    println!(
        "Whoever writes this to the bot becomes {} (once, until {}):\n\n    /start {}",
        invite.role, invite.expires_at, invite.code
    );
    Ok(ExitCode::SUCCESS)
}
