//! Two hundred notices at once to twenty people: item 10 of what must be seen to work.

use std::collections::{BTreeMap, BTreeSet};

use rackhand_core::{
    clock::{Clock, SystemClock},
    model::Level,
    store::Engine,
};
use rackhand_tests::telegram::{Chaos, Outcome, Person, Shown};

use super::{FREE, Mail, Scene, count_in, notice, run};

const PEOPLE: i64 = 20;
const EACH: usize = 200;
const CRITICAL: usize = 3;

/// The levels of one person's notices, mixed: three critical, and all the others in turn.
fn level(number: usize) -> Level {
    match number {
        17 | 90 | 199 => Level::Critical,
        other if other % 10 == 3 => Level::Error,
        other if other % 3 == 1 => Level::Warning,
        _ => Level::Info,
    }
}

fn flood(people: &[Person], each: usize) -> Vec<Mail> {
    let numbers = 0..each;
    numbers.flat_map(|number| people.iter().map(move |person| notice(person.id, number, level(number)))).collect()
}

fn split(shown: &[Shown]) -> (Vec<&Shown>, Vec<&Shown>) {
    shown.iter().partition(|message| message.text.starts_with("and "))
}

async fn with_the_real_limits(engine: Engine) {
    let Some(scene) = Scene::new(engine, 2).await else { return };
    let people = scene.people(PEOPLE);
    scene.server.set_real_limits(true);
    let sender = run(scene.sender("a"));
    scene.mail(&flood(&people, EACH)).await;
    scene.drained().await;
    sender.stop().await;

    assert_eq!(scene.server.violations(), []);
    for person in &people {
        let shown = scene.server.transcript(person.id);
        let (digests, single) = split(&shown);
        let texts: Vec<&str> = single.iter().map(|message| message.text.as_str()).collect();
        assert!(texts[..CRITICAL].iter().all(|text| text.starts_with("critical")), "{texts:?}");
        assert!(texts[CRITICAL..].iter().all(|text| text.starts_with("error")), "the worst of the rest: {texts:?}");
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), CRITICAL + 10, "{texts:?}");
        assert_eq!((digests.len(), count_in(digests[0])), (1, EACH - CRITICAL - 10));
        assert_eq!(digests[0].text.lines().count(), 31);
        assert!(digests[0].text.ends_with("info 198"), "{}", digests[0].text);
        let expected = [("folded", EACH - CRITICAL - 10), ("sent", CRITICAL + 11)];
        assert_eq!(scene.statuses(person.id).await, expected.map(|(name, n)| (name.to_owned(), n)).into());
    }
    let sent = scene.server.done("sendMessage");
    let is_critical = |text: &str| text.starts_with("critical");
    let late = sent.iter().rposition(|call| is_critical(call.args["text"].as_str().unwrap())).unwrap();
    // A chat that is paced a moment later than the others gets its last one while theirs go on.
    let rounds = late / people.len();
    assert!(rounds < CRITICAL + 2, "over all chats, critical ones first; the last came in round {rounds}");

    // What comes in the same hour is added to the digest where it stands.
    let sender = run(scene.sender("b"));
    scene.mail(&[notice(people[0].id, 500, Level::Error), notice(people[0].id, 501, Level::Critical)]).await;
    scene.drained().await;
    sender.stop().await;
    let shown = scene.server.transcript(people[0].id);
    let (digests, _) = split(&shown);
    assert_eq!((digests.len(), count_in(digests[0]), digests[0].edits), (1, EACH - CRITICAL - 10 + 1, 1));
    assert!(digests[0].text.ends_with("error 500"));
    assert_eq!(shown.last().unwrap().text, "critical 501");
    assert_eq!(scene.server.violations(), []);
}

#[tokio::test]
async fn a_flood_within_the_real_limits_sqlite() {
    with_the_real_limits(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_flood_within_the_real_limits_postgres() {
    with_the_real_limits(Engine::Postgres).await;
}

async fn in_chaos(engine: Engine, seed: u64) {
    const EACH: usize = 40;
    let Some(scene) = Scene::new(engine, 10).await else { return };
    let people = scene.people(8);
    scene.server.set_real_limits(true);
    scene.server.set_chaos(Some(Chaos { seed, too_many: 0.05, server_error: 0.1, dropped: 0.1, polls: false }));
    let sender = run(scene.sender("a"));
    scene.mail(&flood(&people, EACH)).await;
    scene.drained().await;
    sender.stop().await;

    assert_eq!(scene.server.violations(), []);
    let outcomes: Vec<Outcome> = scene.server.calls().iter().map(|call| call.outcome).collect();
    for fault in [Outcome::Answered(429), Outcome::Answered(500), Outcome::Dropped] {
        assert!(outcomes.contains(&fault), "{fault:?} happened");
    }
    for person in &people {
        let shown = scene.server.transcript(person.id);
        let (digests, single) = split(&shown);
        let mut times = BTreeMap::<&str, usize>::new();
        for message in &single {
            *times.entry(&message.text).or_default() += 1;
        }
        let folded = digests.iter().map(|digest| count_in(digest)).max().unwrap();
        let statuses = scene.statuses(person.id).await;
        assert_eq!(statuses["folded"], folded);
        assert_eq!(statuses["sent"] + statuses["folded"], EACH + 1, "{statuses:?}");
        let sent = statuses["sent"] - 1;
        // Each is shown as sent, or counted in the digest; some are both, where an effect stayed unknown.
        assert!(times.len() >= sent, "{sent} sent, shown: {times:?}");
        let repeated = single.len() - sent + digests.len() - 1;
        let unknown = scene.unknown_effects(person.id);
        assert!(repeated <= unknown, "{repeated} repeated, {unknown} effects unknown: {times:?}");
    }
}

#[tokio::test]
async fn a_flood_in_chaos_sqlite() {
    in_chaos(Engine::Sqlite, 11).await;
}

#[tokio::test]
async fn a_flood_in_chaos_postgres() {
    in_chaos(Engine::Postgres, 12).await;
}

/// Prints how fast the sender is when nobody limits it.
async fn drain(engine: Engine) {
    const MANY: usize = 15;
    let Some(scene) = Scene::new(engine, 1).await else { return };
    let people = scene.people(PEOPLE);
    scene.mail(&flood(&people, MANY)).await;
    let begun = SystemClock.now();
    let sender = run(scene.sender("a").budgets(FREE));
    scene.drained().await;
    let took = SystemClock.now().since(begun);
    sender.stop().await;
    let count = MANY * people.len();
    assert_eq!(scene.server.done("sendMessage").len(), count);
    println!(
        "{engine:?}: {count} notices in {took:?}, {} a second",
        count * 1000 / usize::try_from(took.as_millis()).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sender_itself_is_fast() {
    drain(Engine::Sqlite).await;
    drain(Engine::Postgres).await;
}
