//! What comes after an answer: a person's yes, and the job.

use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use rackhand_bot::texts::{Lang, clean};
use rackhand_core::{
    clients::rackhand::Told,
    ids::{ApprovalId, JobId},
    model::{Actor, Approval, EventBody, Server},
    ops::{Answer, ApprovalInput, Approve, ApproveOutcome, Awaiting, OpError},
    states::{ApprovalStatus, JobStatus},
};
use serde_json::{Value, json};

use super::{
    codes::{self, AWAITING, FAILED, REFUSED},
    door::Door,
    operations::{Called, needed},
    story::{Story, patiently},
    views,
};

/// How often is looked.
const EACH: Duration = Duration::from_millis(300);

/// Says what waits for a yes and where it is given. Whoever sits at Rackhand's own machine may say it here.
pub async fn awaiting(door: &Door, called: &Called, id: ApprovalId) -> anyhow::Result<ExitCode> {
    let mut asked = approval(door, id).await?;
    if called.json {
        println!("{}", serde_json::to_string_pretty(&Awaiting::of(id))?);
    } else {
        describe(&asked);
        if let Some(code) = ask_here(door, &asked).await? {
            return Ok(code);
        }
        asked = approval(door, id).await?;
        if asked.status == ApprovalStatus::Asked {
            println!(
                "Nothing has happened yet: it waits for approval {id}, until {}.\nAn admin presses Approve under it in the \
                 chat (/approvals shows it).",
                asked.expires_at
            );
        }
    }
    if !called.follow {
        return Ok(if asked.status == ApprovalStatus::Asked { AWAITING.into() } else { ExitCode::SUCCESS });
    }
    while asked.status == ApprovalStatus::Asked {
        door.clock().sleep(EACH).await;
        asked = patiently(door, async || approval(door, id).await).await?;
    }
    if asked.status != ApprovalStatus::Used {
        println!("not done: {}", clean(&asked.outcome.unwrap_or_else(|| asked.status.to_string())));
        return Ok(REFUSED.into());
    }
    job_of(door, id).await
}

/// Prints a job's story as it is told, until the job ends or is parked.
pub async fn job(door: &Door, id: JobId) -> anyhow::Result<ExitCode> {
    let mut story = Story::of(door, id);
    let mut said = 0;
    let look = async || door.job(id).await;
    let view = loop {
        match story.next().await? {
            // After a reset the story is told anew.
            Told::Event(_, EventBody::JobLine { seq, step, level, message, elapsed_ms }) if seq > said => {
                println!("{}", views::line(elapsed_ms, level, &step, &message));
                said = seq;
            }
            // It may have been sent on since: what is told may be long past. What is not kept any more is not told.
            Told::Reset | Told::Event(_, EventBody::JobStatus { status: JobStatus::Parked, .. }) => {
                let view = patiently(door, look).await?;
                if view.job.status == JobStatus::Parked {
                    break view;
                }
            }
            Told::End => break patiently(door, look).await?,
            Told::Event(..) => {}
        }
    };
    for line in view.events.iter().filter(|line| line.seq > said) {
        println!("{}", views::line(line.elapsed_ms, line.level, &line.step, &line.message));
    }
    let job = view.job;
    let why = clean(&job.outcome.or(job.reason).map(|reason| reason.text).unwrap_or_default());
    if job.status == JobStatus::Succeeded {
        // What became of a node's disks is known at its end only.
        println!("succeeded: {why}");
        return Ok(ExitCode::SUCCESS);
    }
    let since = job.finished_at.unwrap_or(job.run_at);
    println!("{} since {since}: {why}", job.status);
    Ok(FAILED.into())
}

fn describe(approval: &Approval) {
    let plan = &approval.plan;
    println!("{}: {}", clean(&plan.operation), clean(&plan.target));
    for (what, value) in &plan.identity {
        println!("  {:<12} {}", clean(what), clean(value));
    }
    for loss in &plan.losses {
        println!("  LOST FOR GOOD: {}", Lang::En.plain(&clean(loss), &[]));
    }
}

/// Lets whoever has this machine's terminal say yes by typing what it is done to.
async fn ask_here(door: &Door, approval: &Approval) -> anyhow::Result<Option<ExitCode>> {
    let Door::Here(process) = door else { return Ok(None) };
    if !std::io::stdin().is_terminal() || approval.status != ApprovalStatus::Asked {
        return Ok(None);
    }
    print!("Type {} to approve, or nothing to leave it to the chat: ", clean(&approval.plan.target));
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    if line.trim() != approval.plan.target {
        return Ok(None);
    }
    let input = ApprovalInput { approval: approval.id };
    let outcome = match process.ops.call::<Approve>(&Actor::shell(), &input, None).await? {
        Answer::Done(outcome) => outcome,
        Answer::AwaitingApproval(_) => return Err(OpError::NoPlan.into()),
    };
    let why = match outcome {
        ApproveOutcome::Started { .. } => {
            println!("approved: it begins");
            return Ok(None);
        }
        ApproveOutcome::Stale { changes } => {
            let change = |it: &rackhand_core::model::PlanChange| {
                format!("its {} changed from {} to {}", clean(&it.what), clean(&it.was), clean(&it.is))
            };
            format!("since you asked, {}", changes.iter().map(change).collect::<Vec<_>>().join("; "))
        }
        ApproveOutcome::Expired => "the question has expired".to_owned(),
        ApproveOutcome::Withdrawn { by } => format!("{} asked for it, and took it back", clean(&by)),
        ApproveOutcome::Answered { status, by } => format!("{} answered it already: {status}", clean(&by)),
    };
    println!("not done: {why}");
    Ok(Some(REFUSED.into()))
}

/// Follows the job that an approval started; a serving Rackhand may have to file it first.
async fn job_of(door: &Door, id: ApprovalId) -> anyhow::Result<ExitCode> {
    println!("waiting for the job (a serving Rackhand starts it) …");
    loop {
        let approval = patiently(door, async || approval(door, id).await).await?;
        if let Some(found) = approval.job {
            return job(door, found).await;
        }
        if !patiently(door, async || is_borne(door, &approval).await).await? {
            println!("no job came of it: the server is not what was approved any more, or its status was changed");
            return Ok(FAILED.into());
        }
        door.clock().sleep(EACH).await;
    }
}

/// Whether the server still bears the approval, so that a job may come of it.
async fn is_borne(door: &Door, approval: &Approval) -> anyhow::Result<bool> {
    let input = json!({ "handle": approval.plan.target });
    let view = match door.call(needed("show_server")?, &input, None).await {
        Ok(Answer::Done(view)) => view,
        Ok(Answer::AwaitingApproval(_)) => return Ok(false),
        // What is no server of ours bears nothing.
        Err(error) if codes::of(&error) == codes::NOT_FOUND => return Ok(false),
        Err(error) => return Err(error),
    };
    let server: Server = serde_json::from_value(view.get("server").cloned().unwrap_or(Value::Null))?;
    Ok(server.rebuild_approval == Some(approval.id.to_string()))
}

async fn approval(door: &Door, id: ApprovalId) -> anyhow::Result<Approval> {
    match door.call(needed("show_approval")?, &json!({ "approval": id }), None).await? {
        Answer::Done(approval) => Ok(serde_json::from_value(approval)?),
        Answer::AwaitingApproval(_) => Err(OpError::NoPlan.into()),
    }
}
