//! `rackhand jobs …`

use std::process::ExitCode;

use clap::Subcommand;
use rackhand_bot::texts::clean;
use rackhand_core::{
    ids::JobId,
    model::JobEventRow,
    ops::{CancelJob, JobInput, ListJobs, ListJobsInput, RetryJob, ShowJob},
    states::JobStatus,
    units::Timestamp,
};

use super::{FAILED, call};
use crate::process::Process;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lists jobs, newest first.
    List {
        /// Only those that have not ended.
        #[arg(long)]
        open: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a job with its steps and events.
    Show {
        /// Its id, or the end of it.
        job: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Calls a job off.
    Cancel {
        /// Its id, or the end of it.
        job: String,
    },
    /// Sends a parked job on.
    Retry {
        /// Its id, or the end of it.
        job: String,
    },
}

pub async fn run(process: &Process, verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::List { open, json } => list(process, open, json).await?,
        Verb::Show { job, json } => show(process, job, json).await?,
        Verb::Cancel { job } => {
            let job = call::<CancelJob>(process, &JobInput { job }).await?;
            println!("job {} is called off ({})", job.id.short(), job.status);
        }
        Verb::Retry { job } => {
            let job = call::<RetryJob>(process, &JobInput { job }).await?;
            println!("job {} goes on", job.id.short());
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(process: &Process, open: bool, json: bool) -> anyhow::Result<()> {
    let input = ListJobsInput { open, ..ListJobsInput::default() };
    let jobs = call::<ListJobs>(process, &input).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&jobs)?);
        return Ok(());
    }
    println!("{:<10} {:<14} {:<20} {:<10} {:<16} ASKED BY", "JOB", "KIND", "SERVER", "STATUS", "STEP");
    for line in jobs.items {
        let job = line.job;
        println!(
            "{:<10} {:<14} {:<20} {:<10} {:<16} {}",
            job.id.short(),
            job.kind,
            line.server.unwrap_or_default(),
            job.status,
            job.step.unwrap_or_default(),
            clean(&job.requested_by)
        );
    }
    Ok(())
}

async fn show(process: &Process, job: String, json: bool) -> anyhow::Result<()> {
    let view = call::<ShowJob>(process, &JobInput { job }).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&view)?);
        return Ok(());
    }
    let job = &view.job;
    println!("job {} ({}): {}", job.id, job.kind, job.status);
    println!("server   {}", view.server.map(|server| server.handle).unwrap_or_default());
    println!("asked by {} at {}", clean(&job.requested_by), job.created_at);
    for (name, reason) in [("waits for", &job.reason), ("outcome", &job.outcome)] {
        if let Some(reason) = reason {
            println!("{name:<8} {}", clean(&reason.text));
        }
    }
    if let Some(step) = &job.failed_step {
        println!("failed at {step}");
    }
    for step in &view.steps {
        println!("  {:<2} {:<16} {:<8} try {}", step.seq + 1, step.name, step.status, step.attempt);
    }
    for event in &view.events {
        print_event(event);
    }
    Ok(())
}

fn print_event(event: &JobEventRow) {
    let seconds = event.elapsed_ms / 1000;
    println!("{:>5}:{:02} {:<8} {:<16} {}", seconds / 60, seconds % 60, event.level, event.step, clean(&event.message));
}

/// Prints a job's events as they come, until the job ends or is parked.
pub async fn follow(process: &Process, id: JobId) -> anyhow::Result<ExitCode> {
    let mut seen = 0;
    loop {
        let mut tx = process.ops.store.read().await?;
        let job = tx.require_job(id).await?;
        let events = tx.events(id, seen, 200).await?;
        drop(tx);
        for event in &events {
            print_event(event);
            seen = event.seq;
        }
        match job.status {
            JobStatus::Succeeded => return Ok(ExitCode::SUCCESS),
            JobStatus::Failed | JobStatus::Cancelled | JobStatus::Parked if events.is_empty() => {
                let why = job.outcome.or(job.reason).map(|reason| reason.text).unwrap_or_default();
                let since = job.finished_at.unwrap_or(Timestamp(job.run_at.0));
                println!("{} since {since}: {}", job.status, clean(&why));
                return Ok(ExitCode::from(FAILED));
            }
            _ => process.ops.clock.sleep(std::time::Duration::from_millis(300)).await,
        }
    }
}
