//! Jobs: the live card, the list, the story.

use rackhand_core::{
    model::{EventLevel, Job, JobEventRow, ProvisionMode, ProvisionParams, Server},
    ops::{
        JobLine, JobView, PROVISION_VPS, PageOf,
        ironic::{AWAIT_AVAILABLE, DELETE, NodeJob, PROVIDE, is_past_calling_off},
    },
    states::JobStatus,
    units::millis,
};

use super::{Reader, button, button_below, named, pager, reason, rows, server::without_empty};
use crate::{
    html,
    messenger::{Button, Message},
    texts::{Arg, Lang, clean, moment, plain, say},
    want::{Action, Want},
};

/// The steps of a `provision_vps` job, in order; a test keeps them equal to the workflow's.
pub const STEPS: [&str; 11] = [
    "authorize",
    "prove_identity",
    "reinstall",
    "await_reinstall",
    "reset_password",
    "await_password",
    "await_ssh",
    "access",
    "base",
    "verify",
    "ready",
];

/// The steps of jobs that make nodes free, in order; a test keeps them equal to the workflow's.
pub const NODE_STEPS: [&str; 6] = ["authorize", "clean_off", DELETE, PROVIDE, AWAIT_AVAILABLE, "clean_back"];

/// Steps of a job that leaves the disk as it is.
const KEEPING: [&str; 2] = ["clean_off", "clean_back"];

/// Steps of a job that wipes the disk first.
const WIPING: [&str; 2] = ["reinstall", "await_reinstall"];

/// Cells of the progress bar.
const CELLS: i64 = 12;

/// A job as one live message: while it runs, what it is at; when it is over, that it is.
pub fn card(reader: &Reader, view: &JobView) -> Message {
    let lines = match view.job.status {
        JobStatus::Succeeded | JobStatus::Failed => over(reader, view),
        JobStatus::Cancelled => ended(reader, view),
        JobStatus::Parked => parked(reader, view),
        JobStatus::Queued | JobStatus::Running | JobStatus::Waiting => under_way(reader, view),
    };
    Message { html: lines.join("\n"), buttons: buttons(reader, view), ..Message::default() }
}

/// The word about a job's end, which rings a phone: how it ended, why, and what to do next.
pub fn end(reader: &Reader, view: &JobView) -> Message {
    let lines = match view.job.status {
        JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled => ended(reader, view),
        // It went on meanwhile.
        _ => return card(reader, view),
    };
    Message { html: lines.join("\n"), buttons: buttons(reader, view), ..Message::default() }
}

/// A job's state in a word or two.
pub fn state(lang: Lang, status: JobStatus) -> String {
    lang.say(&format!("job-status-{status}"), &[])
}

/// A mark for a job's state.
pub fn icon(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Queued => "🕓",
        JobStatus::Running => "⚙️",
        JobStatus::Waiting => "⏳",
        JobStatus::Succeeded => "✅",
        JobStatus::Failed => "❌",
        JobStatus::Cancelled => "🚫",
        JobStatus::Parked => "✋",
    }
}

/// One page of the list of jobs.
pub fn list(reader: &Reader, from: u32, page: &PageOf<JobLine>, of: Option<&Server>) -> Message {
    let lang = reader.lang;
    let title = match of {
        Some(server) => say!(lang, "jobs-title-server", handle = &server.handle),
        None => say!(lang, "jobs-title"),
    };
    let mut html = if page.items.is_empty() { say!(lang, "jobs-none") } else { title };
    let mut all = Vec::new();
    for JobLine { job, server, .. } in &page.items {
        let handle = &subject(job, server.as_deref());
        let what = plain!(lang, &format!("job-name-{}", mode(job)));
        let at = moment(job.created_at, reader.now);
        let line = say!(lang, "jobs-line", handle = handle, what = what, id = job.id.short(), at = at);
        html.extend(["\n", icon(job.status), " ", &line]);
        all.push(named(&format!("{} {handle} {}", icon(job.status), job.id.short()), &Want::Job(job.id)));
    }
    let mut buttons = rows(all);
    buttons.push(pager(from, page.next.is_some(), |from| Want::Jobs(of.map(|server| server.id), from)));
    if let Some(server) = of {
        buttons.push(vec![named(&format!("« {}", server.handle), &Want::Server(server.id))]);
    }
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// The end of a job's story, line by line.
pub fn story(reader: &Reader, view: &JobView) -> Message {
    let lang = reader.lang;
    let mut html = say!(lang, "story-title", handle = handle(view), id = view.job.id.short());
    for event in &view.events {
        let mark = match event.level {
            EventLevel::Detail => "·",
            EventLevel::Info => "•",
            EventLevel::Warning => "⚠️",
            EventLevel::Error => "❌",
        };
        let message: String = clean(&event.message).chars().take(90).collect();
        let step = step_name(lang, &event.step);
        let line = format!("\n<code>+{}</code> {mark} {step}: ", lang.span(event.elapsed_ms))
            + &say!(lang, "as-is", text = message);
        if html::length(&html) + html::length(&line) < html::MOST_IN_MESSAGE {
            html.push_str(&line);
        }
    }
    if view.events.is_empty() {
        html.push('\n');
        html.push_str(&say!(lang, "story-none"));
    }
    Message::new(html)
}

/// A step in plain words.
pub fn step_name(lang: Lang, step: &str) -> String {
    let key = format!("step-{}", step.replace('_', "-"));
    lang.find(&key, &[]).unwrap_or_else(|| say!(lang, "as-is", text = step))
}

fn under_way(reader: &Reader, view: &JobView) -> Vec<String> {
    let (lang, job) = (reader.lang, &view.job);
    let mut lines = vec![format!("{} {}", icon(job.status), title(lang, "job-doing", view))];
    if job.status == JobStatus::Queued && job.started_at.is_none() {
        lines.push(say!(lang, "job-queued"));
        return lines;
    }
    let waits = job.reason.as_ref().filter(|_| job.status == JobStatus::Waiting);
    let waits = waits.map(|why| format!("⏳ {}", reason::why(lang, why)));
    if job.cancel_requested || job.ending == Some(JobStatus::Cancelled) {
        lines.push(say!(lang, "job-cancelling"));
        lines.extend(waits);
        return lines;
    }
    if let (Some(_), Some(outcome)) = (job.ending, &job.outcome) {
        lines.push(reason::why(lang, outcome));
        lines.push(say!(lang, "job-undoing"));
        lines.extend(waits);
        return lines;
    }
    lines.extend(progress(reader, view));
    lines.extend(waits);
    lines.push(times(reader, view));
    lines
}

/// The step, the bar, and the playbook's task.
fn progress(reader: &Reader, view: &JobView) -> Vec<String> {
    let (lang, job) = (reader.lang, &view.job);
    let Some(step) = &job.step else { return Vec::new() };
    let name = step_name(lang, step);
    let task = current_task(view, step);
    let mut lines = Vec::new();
    match plan(job).iter().position(|known| known == step).zip(i64::try_from(plan(job).len()).ok()) {
        Some((at, of)) => {
            let at = i64::try_from(at).unwrap_or(0);
            lines.push(say!(lang, "job-step", n = at + 1, of = of, step = Arg::Html(name)));
            let (done, all) = task.as_ref().map_or((0, 1), |task| (task.n.min(task.of), task.of.max(1)));
            lines.push(bar((at * all + done) * CELLS / (of * all)));
        }
        None => lines.push(say!(lang, "job-step-unknown", step = Arg::Html(name))),
    }
    if let Some(task) = task {
        lines.push(say!(lang, "job-task", n = task.n, of = task.of, name = task.name));
    }
    lines
}

fn times(reader: &Reader, view: &JobView) -> String {
    let lang = reader.lang;
    let elapsed = view.job.started_at.map_or(0, |start| millis(reader.now.since(start)));
    let elapsed_words = lang.span(elapsed);
    match view.usual_ms {
        Some(usual) if usual > elapsed => {
            // To ten seconds: more would be a promise.
            let left = (usual - elapsed + 9_999) / 10_000 * 10_000;
            say!(lang, "job-time-left", elapsed = elapsed_words, left = lang.span(left))
        }
        Some(usual) => say!(lang, "job-time-over", elapsed = elapsed_words, usual = lang.span(usual)),
        None => say!(lang, "job-time", elapsed = elapsed_words),
    }
}

fn parked(reader: &Reader, view: &JobView) -> Vec<String> {
    let (lang, job) = (reader.lang, &view.job);
    let mut lines = vec![format!("{} {}", icon(job.status), title(lang, "job-parked", view))];
    if let Some(step) = &job.step {
        lines.push(say!(lang, "job-stopped-at", step = Arg::Html(step_name(lang, step))));
    }
    if let Some(why) = &job.reason {
        lines.push(reason::why(lang, why));
        lines.extend(reason::advice(reader, why).map(|advice| format!("👉 {advice}")));
    }
    lines
}

/// Two lines: the rest is said by the message that told of the end.
fn over(reader: &Reader, view: &JobView) -> Vec<String> {
    let (lang, job) = (reader.lang, &view.job);
    let key = if job.status == JobStatus::Succeeded { "job-over-well" } else { "job-over-badly" };
    let step = Arg::Html(job.failed_step.as_deref().map(|step| step_name(lang, step)).unwrap_or_default());
    let mut lines = vec![format!("{} {}", icon(job.status), title(lang, "job-doing", view))];
    lines.push(say!(lang, key, took = took(lang, job), step = step));
    lines
}

fn took(lang: Lang, job: &Job) -> String {
    let took = job.started_at.zip(job.finished_at).map_or(0, |(start, end)| millis(end.since(start)));
    lang.span(took)
}

fn ended(reader: &Reader, view: &JobView) -> Vec<String> {
    let (lang, job) = (reader.lang, &view.job);
    let took = took(lang, job);
    match job.status {
        JobStatus::Succeeded => {
            let key = format!("job-done-{}", mode(job));
            let mut lines =
                vec![format!("{} {}", icon(job.status), say!(lang, &key, handle = handle(view), took = took))];
            // What became of a node's disks is known at its end only.
            lines.extend(NodeJob::of(job).and(job.outcome.as_ref()).map(|outcome| reason::why(lang, outcome)));
            lines
        }
        JobStatus::Cancelled => {
            let mut lines = vec![format!("{} {}", icon(job.status), title(lang, "job-cancelled", view))];
            let by = view.events.iter().rev().find_map(|event| event.message.strip_prefix("called off by "));
            lines.extend(by.map(|by| say!(lang, "job-cancelled-by", by = by)));
            // Half-way means that the server is in no known state.
            let half_way =
                if NodeJob::of(job).is_some() { "job-cancelled-half-way-node" } else { "job-cancelled-half-way" };
            lines.extend(job.started_at.map(|_| say!(lang, half_way)));
            lines
        }
        _ => {
            let mut lines = vec![format!("{} {}", icon(job.status), title(lang, "job-failed", view))];
            if let Some(step) = &job.failed_step {
                let step = Arg::Html(step_name(lang, step));
                lines.push(say!(lang, "job-failed-at", step = step, took = took));
            }
            if let Some(why) = &job.outcome {
                lines.push(reason::why(lang, why));
                lines.extend(reason::advice(reader, why).map(|advice| format!("👉 {advice}")));
            }
            lines
        }
    }
}

fn buttons(reader: &Reader, view: &JobView) -> Vec<Vec<Button>> {
    let (lang, job) = (reader.lang, &view.job);
    let mut all = Vec::new();
    let open = !matches!(job.status, JobStatus::Succeeded | JobStatus::Failed | JobStatus::Cancelled);
    if job.status == JobStatus::Parked && reader.may("retry_job") {
        all.push(button(lang, "button-retry", &Want::Retry(job.id)));
    }
    let stoppable = open && !job.cancel_requested && job.ending.is_none() && !is_past_calling_off(job, &view.steps);
    if stoppable && reader.may("cancel_job") {
        all.push(button(lang, "button-cancel", &Want::Cancel(job.id)));
    }
    if let (JobStatus::Failed | JobStatus::Cancelled, Some(server)) = (job.status, &view.server) {
        let spent = job.outcome.as_ref().is_some_and(|outcome| outcome.code == "too-many-attempts");
        let action = match mode(job) {
            _ if spent => Action::ResetAttempts,
            "rebuild" => Action::Rebuild,
            _ => Action::Provision,
        };
        let key = if spent { "button-reset-attempts" } else { "button-again" };
        if reader.may(action.operation()) && server.untouchable().is_none() {
            all.push(button_below(lang, key, &Want::Act(action, server.id)));
        }
    }
    if job.started_at.is_some() {
        all.push(button_below(lang, "button-story", &Want::Story(job.id)));
    }
    if let Some(server) = &view.server {
        all.push(button_below(lang, "button-server", &Want::Server(server.id)));
    }
    if let Some(doing) = NodeJob::of(job) {
        all.push(button_below(lang, "button-node", &Want::Node(doing.node().to_owned())));
    }
    rows(all)
}

fn title(lang: Lang, key: &str, view: &JobView) -> String {
    say!(lang, &format!("{key}-{}", mode(&view.job)), handle = handle(view))
}

fn handle(view: &JobView) -> String {
    subject(&view.job, view.server.as_ref().map(|server| server.handle.as_str()))
}

/// What a job is about: its server by its handle, or its node.
pub fn subject(job: &Job, server: Option<&str>) -> String {
    let node = || NodeJob::of(job).map(|doing| doing.plan().target.clone());
    server.map(str::to_owned).or_else(node).unwrap_or_else(|| "–".to_owned())
}

/// What the job is for: `setup`, `rebuild`, `recover`, `unprovision`, `provide`, or `other`.
fn mode(job: &Job) -> &'static str {
    match NodeJob::of(job) {
        Some(NodeJob::Unprovision(_)) => return "unprovision",
        Some(NodeJob::Provide(_)) => return "provide",
        None => {}
    }
    match params(job).map(|params| params.mode) {
        Some(ProvisionMode::Setup) => "setup",
        Some(ProvisionMode::Rebuild) => "rebuild",
        Some(ProvisionMode::Recover) => "recover",
        None => "other",
    }
}

fn params(job: &Job) -> Option<ProvisionParams> {
    let params = serde_json::from_value(job.params.clone()).ok();
    params.filter(|_| job.kind == PROVISION_VPS)
}

fn plan(job: &Job) -> Vec<&'static str> {
    if let Some(doing) = NodeJob::of(job) {
        let tells = |step: &str| ![DELETE, PROVIDE].contains(&step) || step == doing.telling();
        let keeps = |step: &str| !KEEPING.contains(&step) || doing.keeps_disks();
        return NODE_STEPS.into_iter().filter(|step| tells(step) && keeps(step)).collect();
    }
    let Some(params) = params(job) else { return Vec::new() };
    STEPS.into_iter().filter(|step| params.reinstall || !WIPING.contains(step)).collect()
}

fn bar(full: i64) -> String {
    let full = full.clamp(0, CELLS);
    (0..CELLS).map(|cell| if cell < full { '▓' } else { '░' }).collect()
}

struct Task {
    n: i64,
    /// 0 when the playbook does not know.
    of: i64,
    name: String,
}

/// The playbook's task that the step is at, from the newest line about one: `task 12 of 31: install docker`, or
/// `task 12: install docker`.
fn current_task(view: &JobView, step: &str) -> Option<Task> {
    let in_step = |event: &&JobEventRow| event.step == step;
    view.events.iter().rev().take_while(in_step).find_map(|event| {
        let (count, name) = event.message.strip_prefix("task ")?.split_once(": ")?;
        let (n, of) = count.split_once(" of ").unwrap_or((count, "0"));
        Some(Task { n: n.parse().ok()?, of: of.parse().ok()?, name: name.to_owned() })
    })
}
