//! Questions that wait for a person's yes: the plan, the answer, the list.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_STANDARD_NO_PAD};
use rackhand_core::{
    model::{Approval, PlanChange},
    ops::{ApproveOutcome, OperationStatus, OperationView, PageOf},
    states::ApprovalStatus,
    units::millis,
};
use sha2::{Digest, Sha256};

use super::{Reader, button, button_below, named, pager, rows, server::without_empty};
use crate::{
    messenger::Message,
    texts::{Arg, Lang, moment, plain, say},
    want::Want,
};

/// The order in which the facts of an identity are shown.
const ORDER: [&str; 11] = [
    "provider",
    "provider_id",
    "address",
    "host_key",
    "name",
    "node",
    "provision_state",
    "since",
    "instance",
    "image",
    "cleaning",
];

/// A plan with its question while it is open, and what became of it afterwards.
pub fn card(reader: &Reader, approval: &Approval) -> Message {
    let lang = reader.lang;
    let mut lines = vec![say!(lang, &title_key(approval), handle = &approval.plan.target)];
    if is_open(reader, approval) {
        lines.extend(plan(lang, approval));
        lines.push(say!(lang, "approval-asked-by", by = who(&approval.requested_by)));
        let left = millis(approval.expires_at.since(reader.now));
        let until = moment(approval.expires_at, reader.now);
        lines.push(say!(lang, "approval-until", left = lang.span(left), until = until));
        let mut message = Message::new(lines.join("\n"));
        if reader.may("approve") {
            message.buttons = vec![
                vec![button(lang, yes_key(approval), &Want::Approve(approval.id))],
                vec![button(lang, "button-refuse", &Want::Refuse(approval.id))],
            ];
        } else if approval.requester.is_some() && approval.requester == reader.user && reader.may("withdraw_approval") {
            message.buttons = vec![vec![button(lang, "button-withdraw", &Want::Withdraw(approval.id))]];
        }
        message.grave = true;
        return message;
    }
    lines.extend(answer(reader, approval));
    let mut message = Message::new(lines.join("\n"));
    if let Some(job) = approval.job {
        message.buttons = vec![vec![button_below(lang, "button-job", &Want::Job(job))]];
    }
    message
}

/// The list of open questions.
pub fn list(reader: &Reader, from: u32, page: &PageOf<Approval>) -> Message {
    let lang = reader.lang;
    let open: Vec<&Approval> = page.items.iter().filter(|approval| is_open(reader, approval)).collect();
    if open.is_empty() && from == 0 {
        return Message::new(say!(lang, "approvals-none"));
    }
    let mut html = say!(lang, "approvals-title");
    let mut all = Vec::new();
    for approval in open {
        let what = plain!(lang, &format!("plan-{}", approval.plan.operation.replace('_', "-")));
        let left = lang.span(millis(approval.expires_at.since(reader.now)));
        let handle = &approval.plan.target;
        let line =
            say!(lang, "approvals-line", handle = handle, what = &what, by = who(&approval.requested_by), left = left);
        html.push('\n');
        html.push_str(&line);
        all.push(named(&format!("{handle}: {what}"), &Want::Approval(approval.id)));
    }
    let mut buttons: Vec<_> = all.into_iter().map(|button| vec![button]).collect();
    buttons.push(pager(from, page.next.is_some(), Want::Approvals));
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// That the time is running out.
pub fn expiring(reader: &Reader, approval: &Approval) -> Message {
    let lang = reader.lang;
    if !is_open(reader, approval) {
        return card(reader, approval);
    }
    let left = lang.span(millis(approval.expires_at.since(reader.now)));
    let html = say!(lang, "approval-expiring", handle = &approval.plan.target, left = left);
    let show = button(lang, "button-show-plan", &Want::Approval(approval.id));
    Message { html, buttons: rows(vec![show]), ..Message::default() }
}

/// What came of a press, in the few words that fit over the screen.
pub fn toast(lang: Lang, outcome: &ApproveOutcome) -> String {
    match outcome {
        ApproveOutcome::Started { target, .. } => plain!(lang, "toast-approved", handle = target),
        ApproveOutcome::Stale { changes } => {
            let what = changes.first().map(|change| fact_name(lang, &change.what)).unwrap_or_default();
            plain!(lang, "toast-stale", what = what)
        }
        ApproveOutcome::Expired => plain!(lang, "toast-expired"),
        ApproveOutcome::Answered { status, by } => {
            plain!(lang, "toast-answered", by = by, status = status.to_string())
        }
        ApproveOutcome::Withdrawn { by } => plain!(lang, "toast-withdrawn-by", by = by),
    }
}

/// The same of a question taken back: somebody may have answered it a moment before.
pub fn toast_of_withdrawal(lang: Lang, view: &OperationView) -> String {
    match view.status {
        OperationStatus::Cancelled if view.job.is_none() => plain!(lang, "toast-withdrawn"),
        OperationStatus::Refused => plain!(lang, "toast-withdrawn-refused"),
        OperationStatus::Expired => plain!(lang, "toast-expired"),
        _ => plain!(lang, "toast-withdrawn-late"),
    }
}

/// A fact of a plan as people compare it: a host key by its fingerprint, as `ssh-keygen -l` shows it, cut short.
pub fn shown_fact(value: &str) -> String {
    let mut words = value.split_whitespace();
    let blob = match (words.next(), words.next()) {
        (Some(kind), Some(blob)) if kind.starts_with("ssh-") || kind.starts_with("ecdsa-") => blob,
        _ => return value.to_owned(),
    };
    match BASE64_STANDARD.decode(blob) {
        Ok(bytes) => {
            let print = BASE64_STANDARD_NO_PAD.encode(Sha256::digest(bytes));
            format!("SHA256:{}…", print.get(..16).unwrap_or_default())
        }
        Err(_) => value.to_owned(),
    }
}

/// `@anna` of `person @anna #1001`.
pub fn who(actor: &str) -> String {
    let name = actor.split_once(' ').map_or(actor, |(_, name)| name);
    let is_number = |text: &str| text.parse::<i64>().is_ok();
    name.rsplit_once(" #").filter(|(_, id)| is_number(id)).map_or(name, |(name, _)| name).to_owned()
}

fn is_open(reader: &Reader, approval: &Approval) -> bool {
    approval.status == ApprovalStatus::Asked && approval.expires_at > reader.now
}

fn title_key(approval: &Approval) -> String {
    format!("approval-title-{}", approval.plan.operation.replace('_', "-"))
}

/// What a yes is a yes to, where no disk is wiped.
fn yes_key(approval: &Approval) -> &'static str {
    let says = |loss: &str| approval.plan.losses.iter().any(|known| known == loss);
    if says("loss-not-wiped") {
        "button-approve-down"
    } else if says("loss-none") {
        "button-approve-provide"
    } else {
        "button-approve"
    }
}

fn plan(lang: Lang, approval: &Approval) -> Vec<String> {
    let plan = &approval.plan;
    let mut lines = vec![say!(lang, &format!("approval-what-{}", plan.operation.replace('_', "-"))), String::new()];
    // The number that a person finds at the provider first, the long one last; what is new here goes to the end.
    let place = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
    let mut facts: Vec<(&String, &String)> = plan.identity.iter().collect();
    facts.sort_by_key(|(name, _)| place(name));
    for (name, value) in facts {
        lines.push(say!(lang, "approval-fact", name = fact_name(lang, name), value = fact_value(lang, name, value)));
    }
    lines.push(String::new());
    lines.push(say!(lang, "approval-losses"));
    for loss in &plan.losses {
        let words = lang.find(loss, &[]).unwrap_or_else(|| say!(lang, "as-is", text = loss));
        lines.push(format!("• {words}"));
    }
    lines.push(String::new());
    lines
}

fn answer(reader: &Reader, approval: &Approval) -> Vec<String> {
    let lang = reader.lang;
    let by = approval.decided_by.as_deref().unwrap_or_default();
    let at = approval.decided_at.map(|at| moment(at, reader.now)).unwrap_or_default();
    match (approval.status, approval.outcome.as_deref()) {
        (ApprovalStatus::Used | ApprovalStatus::Approved, _) => vec![say!(lang, "approval-used", by = by, at = at)],
        (ApprovalStatus::Refused, _) if approval.is_withdrawn() => {
            vec![say!(lang, "approval-withdrawn", by = by, at = at)]
        }
        (ApprovalStatus::Refused, _) => vec![say!(lang, "approval-refused", by = by, at = at)],
        (_, Some(outcome)) if outcome.starts_with("stale: ") => {
            let mut lines = vec![say!(lang, "approval-stale")];
            lines.extend(outcome["stale: ".len()..].split("; ").filter_map(change).map(|c| changed(lang, &c)));
            lines.push(say!(lang, "approval-ask-anew"));
            lines
        }
        _ => vec![say!(lang, "approval-expired"), say!(lang, "approval-ask-anew")],
    }
}

/// `address: 1.2.3.4 -> 1.2.3.5`, as the operation keeps it.
fn change(text: &str) -> Option<PlanChange> {
    let (what, values) = text.split_once(": ")?;
    let (was, is) = values.split_once(" -> ")?;
    Some(PlanChange { what: what.to_owned(), was: was.to_owned(), is: is.to_owned() })
}

fn changed(lang: Lang, change: &PlanChange) -> String {
    let what = Arg::Html(fact_name(lang, &change.what));
    let value = |text: &str| fact_value(lang, &change.what, text);
    say!(lang, "approval-changed", what = what, was = value(&change.was), is = value(&change.is))
}

/// What a fact says, in the reader's language where the word is ours.
fn fact_value(lang: Lang, name: &str, value: &str) -> String {
    let ours = match (name, value) {
        // As exact as it is: what came back to the same state may have done so within a second.
        ("since", value) if value.ends_with('Z') => return value.replace('T', " ").replace('Z', " UTC"),
        (_, "none") => Some("fact-none"),
        ("cleaning", "on") => Some("fact-cleaning-on"),
        ("cleaning", "off") => Some("fact-cleaning-off"),
        ("cleaning", _) => Some("fact-cleaning-configured"),
        _ => None,
    };
    ours.map_or_else(|| shown_fact(value), |key| plain!(lang, key))
}

fn fact_name(lang: Lang, name: &str) -> String {
    let key = format!("fact-{}", name.replace('_', "-"));
    lang.find(&key, &[]).unwrap_or_else(|| say!(lang, "as-is", text = name))
}
