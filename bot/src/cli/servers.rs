//! `rackhand servers …`

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

use clap::Subcommand;
use rackhand_bot::texts::clean;
use rackhand_core::{
    ids::{ApprovalId, JobId},
    model::{Actor, Approval},
    ops::{
        Answer, ApprovalInput, Approve, ApproveOutcome, ForceRebuildServer, HandleInput, ListInput, ListServers,
        PROVISION_VPS, ShowServer,
    },
    states::ApprovalStatus,
};

use super::{FAILED, REFUSED, call, jobs};
use crate::process::Process;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lists the servers.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows one server.
    Show {
        /// Its handle.
        handle: String,
    },
    /// Has a server wiped and set up anew, by its status. Asks first.
    ForceRebuild {
        /// Its handle.
        handle: String,
        /// Print the job's events until its end.
        #[arg(long)]
        follow: bool,
    },
}

pub async fn run(process: &Process, verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List { json } => list(process, json).await,
        Verb::Show { handle } => {
            let view = call::<ShowServer>(process, &HandleInput { handle }).await?;
            println!("{}", serde_json::to_string_pretty(&view)?);
            Ok(ExitCode::SUCCESS)
        }
        Verb::ForceRebuild { handle, follow } => force_rebuild(process, handle, follow).await,
    }
}

async fn list(process: &Process, json: bool) -> anyhow::Result<ExitCode> {
    let servers = call::<ListServers>(process, &ListInput { limit: 500, ..ListInput::default() }).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&servers)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{:<20} {:<16} {:<15} {:<8} LABEL", "HANDLE", "ADDRESS", "STATUS", "MANAGED");
    for server in servers.items {
        let address = server.address.map(|address| address.to_string()).unwrap_or_default();
        let managed = if server.managed { "yes" } else { "no" };
        println!("{:<20} {address:<16} {:<15} {managed:<8} {}", server.handle, server.status, clean(&server.label));
    }
    Ok(ExitCode::SUCCESS)
}

async fn force_rebuild(process: &Process, handle: String, follow: bool) -> anyhow::Result<ExitCode> {
    let input = HandleInput { handle: handle.clone() };
    let asked = process.ops.call::<ForceRebuildServer>(&Actor::shell(), &input, None).await?;
    let Answer::AwaitingApproval(id) = asked else { return Ok(ExitCode::from(REFUSED)) };
    let approval = await_yes(process, id, &handle).await?;
    if approval.status != ApprovalStatus::Used {
        let why = approval.outcome.unwrap_or_else(|| approval.status.to_string());
        println!("not done: {}", clean(&why));
        return Ok(ExitCode::from(REFUSED));
    }
    println!("{handle} will be rebuilt");
    if !follow {
        return Ok(ExitCode::SUCCESS);
    }
    println!("waiting for the job (a serving Rackhand starts it) …");
    loop {
        match sought(process, id, &handle).await? {
            Sought::Job(job) => return jobs::follow(process, job).await,
            Sought::NotYet => process.ops.clock.sleep(std::time::Duration::from_millis(300)).await,
            Sought::Never => {
                println!(
                    "not done: the server is not what was approved any more, or its status was changed; no job came of it"
                );
                return Ok(ExitCode::from(FAILED));
            }
        }
    }
}

/// What became of an approved wish so far.
enum Sought {
    Job(JobId),
    NotYet,
    /// The server's row does not bear the approval any more.
    Never,
}

/// The transaction ends here: it would hold back SQLite's log while a job is followed for an hour.
async fn sought(process: &Process, id: ApprovalId, handle: &str) -> anyhow::Result<Sought> {
    let mut tx = process.ops.store.read().await?;
    if let Some(job) = tx.approval(id).await?.and_then(|approval| approval.job) {
        return Ok(Sought::Job(job));
    }
    let Some(server) = tx.server_by_handle(handle).await? else { return Ok(Sought::Never) };
    if let Some(job) = tx.open_job(PROVISION_VPS, server.id).await? {
        return Ok(Sought::Job(job.id));
    }
    let borne = server.rebuild_approval == Some(id.to_string());
    Ok(if borne { Sought::NotYet } else { Sought::Never })
}

/// Whoever sits here may say yes by typing the handle; else somebody says it in the chat.
async fn await_yes(process: &Process, id: ApprovalId, handle: &str) -> anyhow::Result<Approval> {
    let approval = process.ops.store.read().await?.approval(id).await?;
    if let Some(approval) = &approval {
        println!("{}: ALL DATA ON ITS DISK AND THE PROVIDER'S BACKUPS WILL BE LOST.", clean(&approval.plan.target));
        for (what, value) in &approval.plan.identity {
            println!("  {:<12} {}", clean(what), clean(value));
        }
    }
    if std::io::stdin().is_terminal() {
        print!("Type its handle to approve, or nothing to leave it to the chat: ");
        std::io::stdout().flush()?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line)?;
        if line.trim() == handle {
            match call::<Approve>(process, &ApprovalInput { approval: id }).await? {
                ApproveOutcome::Started { .. } => {}
                ApproveOutcome::Stale { changes } => {
                    for change in changes {
                        let (what, was, is) = (clean(&change.what), clean(&change.was), clean(&change.is));
                        println!("since you asked, its {what} changed from {was} to {is}");
                    }
                }
                other => println!("{other:?}"),
            }
        }
    }
    println!("waiting for an answer in the chat …");
    loop {
        let found = process.ops.store.read().await?.approval(id).await?;
        match found {
            Some(approval) if approval.status != ApprovalStatus::Asked => return Ok(approval),
            Some(_) => process.ops.clock.sleep(std::time::Duration::from_millis(300)).await,
            None => anyhow::bail!("the approval is gone"),
        }
    }
}
