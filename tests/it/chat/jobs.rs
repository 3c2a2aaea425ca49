//! A job as one message, from its queue to its end; and every message in both languages, read as a whole.

use std::time::Duration;

use rackhand_bot::{
    messenger::Message,
    router::{Polling, poll},
    texts::Lang,
    views::{self, html_to_plain, reason},
};
use rackhand_core::{
    ids::JobId,
    model::{Body, EventLevel, IncidentKind, Notice, Reason, Role},
    ops::{OpError, PROVISION_VPS},
    states::JobEvent,
    store::{Claim, ClaimBy, Mail, job_key},
};
use rackhand_tests::telegram::Person;
use tokio_util::sync::CancellationToken;

use super::House;
use crate::harness::setting;

/// Plays a worker: what a job's journal and story would be.
struct Worker<'a>(&'a House, JobId, Claim);

impl<'a> Worker<'a> {
    async fn claim(house: &'a House) -> Self {
        let mut tx = house.ops.store.write().await.unwrap();
        let by = ClaimBy {
            owner: "test".into(),
            kinds: [PROVISION_VPS].into_iter().collect(),
            lease: Duration::from_mins(1),
        };
        let job = tx.claim(&by, house.ops.clock.now()).await.unwrap().expect("a job is due");
        tx.commit().await.unwrap();
        Self(house, job.id, Claim { job: job.id, epoch: job.lease_epoch })
    }

    async fn event(&self, step: &str, level: EventLevel, message: &str) {
        let now = self.0.ops.clock.now();
        let mut tx = self.0.ops.store.write().await.unwrap();
        let job = tx.require_job(self.1).await.unwrap();
        tx.at_step(self.1, step).await.unwrap();
        tx.add_event(&job, step, level, message, now).await.unwrap();
        tx.commit().await.unwrap();
        self.0.deliver().await;
    }

    async fn let_go(&self, event: JobEvent, reason: &Reason, failed_step: Option<&str>) {
        let now = self.0.ops.clock.now();
        let mut tx = self.0.ops.store.write().await.unwrap();
        let job = tx.fence(self.2).await.unwrap();
        match event {
            JobEvent::Succeed => tx.set_outcome(job.id, reason).await.unwrap(),
            JobEvent::Fail => {
                let failed = rackhand_core::states::JobStatus::Failed;
                tx.begin_ending(job.id, failed, reason, failed_step).await.unwrap();
            }
            _ => {}
        }
        let why = matches!(event, JobEvent::Wait | JobEvent::Park).then_some(reason);
        let job = tx.let_go(&job, event, why, now, now).await.unwrap();
        tx.touch_messages(&job_key(job.id)).await.unwrap();
        tx.commit().await.unwrap();
        self.0.deliver().await;
    }
}

#[tokio::test]
async fn a_job_is_one_message_that_follows_it() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    let card = house.say(&anna, "/provision vps-7").await;
    assert!(card.text.contains("Waits for its turn") && card.button("Cancel").is_some());
    let shown =
        |house: &House| house.telegram.transcript(anna.id).into_iter().find(|it| it.id == card.id).unwrap().text;

    let worker = Worker::claim(&house).await;
    worker.event("authorize", EventLevel::Info, "begins").await;
    assert!(shown(&house).contains("Step 1 of 9: check that it may be touched"), "{}", shown(&house));
    house.clock.advance(Duration::from_secs(125));
    worker.event("base", EventLevel::Detail, "task 12 of 31: install <docker>").await;
    let text = shown(&house);
    for part in ["Step 7 of 9", "▓▓▓▓▓▓▓▓░░░░", "Task 12 of 31: install <docker>", "2 min 5 s so far"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
    worker.let_go(JobEvent::Wait, &Reason::new("ssh-away", "away"), None).await;
    assert!(shown(&house).contains("does not answer over SSH"), "{}", shown(&house));
    let worker = Worker::claim(&house).await;
    let known = Reason::new("identity-mismatch", "x")
        .with("what", "address")
        .with("known", "192.0.2.7")
        .with("seen", "198.51.100.9");
    worker.let_go(JobEvent::Park, &known, None).await;
    let text = shown(&house);
    for part in ["it needs you", "was 192.0.2.7 and is 198.51.100.9 now", "Nothing was sent", "👉"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(house.tap(&anna, "Go on").await.unwrap().contains("goes on"));
    assert!(house.last(&anna).text.contains("Setting up vps-7"), "{}", house.last(&anna).text);
    let worker = Worker::claim(&house).await;
    let failed = Reason::new("ansible-task-failed", "x").with("task", "install docker").with("detail", "No space left");
    worker.let_go(JobEvent::Fail, &failed, Some("base")).await;
    // The live message says that it is over; why, and what to do, is said once, by the message that rings.
    let end = house.last(&anna);
    for part in ["Setting up vps-7", "Failed after", "packages, Docker, firewall"] {
        assert!(end.text.contains(part), "no {part} in {}", end.text);
    }
    assert!(end.button("Try again").is_some() && end.button("Cancel").is_none());
    house.tap(&anna, "What happened").await;
    assert!(house.last(&anna).text.contains("install <docker>"), "{}", house.last(&anna).text);
}

#[tokio::test]
async fn the_loop_hears_answers_and_stops() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    let router =
        std::sync::Arc::new(rackhand_bot::router::Router::new(house.ops.clone(), house.messenger.clone(), true));
    let stop = CancellationToken::new();
    let polling = Polling { owner: Some("one".into()) };
    let running = tokio::spawn(poll(router, polling, stop.clone()));
    house.telegram.say(&anna, "/servers");
    let soon = Duration::from_secs(5);
    while house.ops.store.read().await.unwrap().last_update().await.unwrap().is_none() {
        tokio::time::timeout(soon, house.ops.store.pokes().outbox.notified()).await.unwrap();
    }
    house.deliver().await;
    assert!(house.last(&anna).text.contains("vps-7"));
    assert!(house.telegram.commands(None, "ru").iter().any(|(name, _)| name == "start"));
    // While one polls, another does not.
    let mut tx = house.ops.store.write().await.unwrap();
    assert_eq!(tx.take_lease("telegram", "two", soon).await.unwrap(), None);
    drop(tx);
    stop.cancel();
    tokio::time::timeout(soon, running).await.unwrap().unwrap();
    let mut tx = house.ops.store.write().await.unwrap();
    assert!(tx.take_lease("telegram", "two", soon).await.unwrap().is_some());
}

/// Every code in both languages, with facts for all: no key, no gap, no foreign word shows.
#[test]
fn every_code_reads_well() {
    let facts = [
        ("what", "host_key"),
        ("known", "a"),
        ("seen", "b"),
        ("why", "reserved"),
        ("attempts", "3"),
        ("detail", "d"),
        ("task", "t"),
        ("seconds", "600"),
        ("status", "ready"),
        ("failed", "f"),
    ];
    let mut all = String::new();
    for lang in Lang::ALL {
        for code in reason::REASONS {
            let reason = facts.iter().fold(Reason::new(code, "-"), |reason, (name, value)| reason.with(name, value));
            let text = reason::why(lang, &reason);
            let reader = views::Reader {
                lang,
                role: Role::Admin,
                user: None,
                telegram_id: 1,
                now: rackhand_core::units::Timestamp(0),
            };
            let advice = reason::advice(&reader, &reason).unwrap_or_default();
            assert!(text != "-" && !text.contains("{$") && !advice.contains("{$"), "{code}: {text} {advice}");
            all.extend([code, ": ", &text, "\n  ", &advice, "\n"]);
        }
        let errors = [
            OpError::BadCode,
            OpError::LastAdmin,
            OpError::Forbidden { who: "x".into(), needs: Role::Admin, has: Role::Viewer },
            OpError::Untouchable { handle: "vps-7".into(), why: "unmanaged" },
            OpError::AttemptsSpent { handle: "vps-7".into(), attempts: 3 },
            OpError::Illegal(rackhand_core::states::IllegalMove {
                machine: "server",
                from: "pending_setup".into(),
                event: "x".into(),
            }),
        ];
        for error in errors {
            let text = reason::error(lang, &error);
            assert!(!text.contains("{$") && !text.contains("error-"), "{text}");
            all.extend([&text, "\n"]);
        }
    }
    dump("codes", &all);
}

/// The main messages in both languages; with `RACKHAND_CHAT_DUMP=FILE` they are written there to be read.
#[tokio::test]
async fn the_main_messages_in_both_languages() {
    let mut all = String::new();
    for lang in ["en", "ru"] {
        let mut house = House::new().await;
        let anna = Person::new(101, "Anna").speaking(lang);
        house.telegram.meet(&anna);
        house.as_member(&anna, Role::Admin).await;
        house.say(&Person::new(102, "Boris").speaking(lang), "hi").await;
        let (server, fresh) = (house.ready(7).await, house.server(8, false).await);
        for text in
            ["/start", "/servers", "vps-7", "/status", "/users", "/invite", "/invite viewer", "/rebuild", "/lang"]
        {
            house.say(&anna, text).await;
        }
        for text in ["/rebuild vps-8", "/srv", "vps-77", "/rebuild vps-7", "/approvals", "/provision vps-7", "/jobs"] {
            house.say(&anna, text).await;
        }
        let worker = Worker::claim(&house).await;
        house.clock.advance(Duration::from_secs(125));
        worker.event("base", EventLevel::Detail, "task 12 of 31: install docker").await;
        house.say(&anna, "vps-7").await;
        let mut tx = house.ops.store.write().await.unwrap();
        let now = house.ops.clock.now();
        let (incident, _) = tx
            .open_incident(Some(server.id), IncidentKind::IdentityMismatch, "address was 1, is 2", now)
            .await
            .unwrap();
        let notices = [
            Notice::ServerDiscovered { server: fresh.id },
            Notice::IncidentOpened { incident: incident.id.clone() },
            Notice::RoleChanged { role: Role::Operator, by: "@olga".into() },
        ];
        for (n, notice) in notices.into_iter().enumerate() {
            let mail = Mail {
                chat: 101,
                key: format!("n{n}"),
                level: rackhand_core::model::Level::Critical,
                body: Body::Notice(notice),
            };
            tx.mail(&mail, now).await.unwrap();
        }
        let body = Body::Digest { lines: vec!["one <line>".into(), "two".into()], count: 5 };
        let mail = Mail { chat: 101, key: "digest:1".into(), level: rackhand_core::model::Level::Info, body };
        tx.mail(&mail, now).await.unwrap();
        tx.commit().await.unwrap();
        house.deliver().await;
        house.say(&anna, "/status").await;
        for chat in [102, 101] {
            for shown in house.telegram.transcript(chat) {
                let who = shown.from.as_ref().map_or("bot", |person| &person.first_name);
                all.extend(["── ", who, "\n", &shown.text, "\n"]);
                for row in &shown.buttons {
                    let labels: Vec<String> = row.iter().map(|key| format!("[{}]", key.label)).collect();
                    all.extend([labels.join(" "), "\n".to_owned()]);
                }
                assert!(!shown.text.contains("{$") && !shown.text.contains("  "), "{}", shown.text);
            }
        }
    }
    dump("messages", &all);
    let plain = html_to_plain(&Message::new("<b>a</b> &amp; b").html);
    assert_eq!(plain, "a & b");
}

fn dump(what: &str, text: &str) {
    if let Some(path) = setting("RACKHAND_CHAT_DUMP") {
        std::fs::write(format!("{path}.{what}"), text).unwrap();
    }
}
