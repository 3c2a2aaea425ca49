//! SIGKILL at every commit of the journal: each time the next process ends with the server ready, and what was to happen
//! once at the provider happened once.

use rackhand_core::{clients::time4vps::TaskKind, states::ServerStatus};
use rackhand_tests::telegram::Shown;
use rustix::process::Signal;

use super::world::{Running, World, eventually};
use crate::harness::SOON;

const SERVER: i64 = 201;
const HANDLE: &str = "vps-201";

/// Where in its journal the process is killed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Point {
    when: String,
    what: String,
}

/// Sets this world's one server up, with an admin who has seen it.
async fn prepare(world: &World) {
    world.host(SERVER);
    let mut running = world.start();
    world.first_admin(&running).await;
    world.manage(HANDLE).await;
    until_ready(world, 1).await;
    running.kill();
}

/// Has the server rebuilt: asks, and says yes to the question that comes.
async fn ask_rebuild(world: &World) {
    let asked = world.telegram.transcript(world.admin.id).len();
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    let fresh = |shown: &[Shown]| shown.iter().skip(asked).any(|message| message.button("Approve").is_some());
    world.wait("the question", fresh).await;
    world.tap("Approve").await;
}

/// Waits until the chat was told of `jobs` jobs' good ends, and the server is ready.
async fn until_ready(world: &World, jobs: usize) {
    let told = |shown: &[Shown]| finals(shown) >= jobs;
    world.wait(&format!("{jobs} final notices"), told).await;
    let store = world.store().await;
    let mut tx = store.read().await.expect("a look");
    let server = tx.server_by_handle(HANDLE).await.expect("the store").expect("the server");
    assert_eq!(server.status, ServerStatus::Ready);
    drop(tx);
    // A message that is sent and not recorded yet would be repeated by the next process, and rightly so.
    let recorded = eventually(SOON, async || {
        let (waiting, _) = store.read().await.expect("a look").outbox_depth().await.expect("the store");
        (waiting == 0).then_some(())
    });
    recorded.await.expect("everything is sent and recorded");
}

/// Final notices are messages of their own: the live message says something else.
fn finals(shown: &[Shown]) -> usize {
    shown.iter().filter(|message| message.text.contains(&format!("{HANDLE} is ready"))).count()
}

/// Has the server rebuilt by a process that dies at `point`, then by one that lives.
async fn rebuild_through(world: &World, point: &Point, nth_rebuild: usize) {
    let before = (world.effects(SERVER, TaskKind::Reinstall), world.effects(SERVER, TaskKind::ResetPassword));
    let mut doomed = world.start_witnessed(&["kill", &point.what, &point.when]);
    ask_rebuild(world).await;
    let died = eventually(SOON, async || doomed.ended()).await;
    assert!(died.is_some(), "it never came to {point:?}");

    let mut living = world.start();
    until_ready(world, nth_rebuild + 1).await;
    living.kill();
    let reinstalls = world.effects(SERVER, TaskKind::Reinstall) - before.0;
    let resets = world.effects(SERVER, TaskKind::ResetPassword) - before.1;
    assert_eq!((reinstalls, resets), (1, 0), "killed {point:?}: one reinstall, and its password is enough");
    let told = finals(&world.telegram.transcript(world.admin.id));
    assert_eq!(told, nth_rebuild + 1, "killed {point:?}: one final notice for each job");
}

/// Every commit of one rebuild's journal.
async fn points(world: &World) -> Vec<Point> {
    let mut counting = world.start_witnessed(&["count"]);
    ask_rebuild(world).await;
    until_ready(world, 2).await;
    let points = counted(&counting);
    counting.kill();
    points
}

/// Each commit by its name, once before it and once after. How often a step waits is the load's doing, and so differs from
/// run to run: a commit that only says so is not walked.
fn counted(running: &Running) -> Vec<Point> {
    let point = |line: &String| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let (nth, when, what) = (words.next()?, words.next()?, words.next()?);
        nth.parse::<usize>().ok()?;
        Some(Point { when, what }).filter(|point| !point.what.ends_with(":wait"))
    };
    let mut points: Vec<Point> = running.output.lock().expect("lines").iter().filter_map(point).collect();
    let mut seen = std::collections::HashSet::new();
    points.retain(|point| seen.insert(point.clone()));
    points
}

/// The walk, split over worlds that run side by side.
async fn walk(part: usize, parts: usize) {
    let world = World::new().await;
    prepare(&world).await;
    let points = points(&world).await;
    assert!(points.len() >= 24, "the journal of a rebuild is longer than this: {points:?}");
    let mine: Vec<Point> =
        points.into_iter().enumerate().filter(|(at, _)| at % parts == part).map(|(_, p)| p).collect();
    for (at, point) in mine.iter().enumerate() {
        rebuild_through(&world, point, at + 2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_survives_death_at_every_commit_part_1() {
    walk(0, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_survives_death_at_every_commit_part_2() {
    walk(1, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_that_dies_around_its_password_reset_resets_once() {
    let world = World::new().await;
    world.host(300);
    let mut first = world.start();
    world.first_admin(&first).await;
    first.kill();
    let mut counting = world.start_witnessed(&["count"]);
    world.manage("vps-300").await;
    world.wait("the first end", |shown| shown.iter().any(|m| m.text.contains("vps-300 is ready"))).await;
    let around =
        |point: &Point| ["authorize", "reset_password", "await_password"].iter().any(|s| point.what.starts_with(s));
    let points: Vec<Point> = counted(&counting).into_iter().filter(around).collect();
    counting.kill();
    assert!(points.len() >= 8, "{points:?}");
    for (id, point) in (301..).zip(&points) {
        world.host(id);
        let handle = format!("vps-{id}");
        let mut doomed = world.start_witnessed(&["kill", &point.what, &point.when]);
        let found = |shown: &[Shown]| shown.iter().any(|m| m.text.contains(&handle));
        world.wait("the new server", found).await;
        world.manage(&handle).await;
        eventually(SOON, async || doomed.ended()).await.expect("its death");
        let mut living = world.start();
        world.wait("the end", |shown| shown.iter().any(|m| m.text.contains(&format!("{handle} is ready")))).await;
        assert_eq!(world.effects(id, TaskKind::ResetPassword), 1, "killed {point:?}");
        living.kill();
    }
}

/// A replica is frozen at a commit of the journal; another takes its job over; the frozen one wakes and writes nothing.
async fn frozen_at(commit: &str) {
    let Some(world) = World::on_postgres().await else { return };
    prepare(&world).await;
    let frozen = world.start_witnessed(&["stop", commit, "before"]);
    ask_rebuild(&world).await;
    eventually(SOON, async || frozen.is_stopped().then_some(())).await.expect("it is frozen");

    let _other = world.start();
    until_ready(&world, 2).await;
    assert_eq!(world.effects(SERVER, TaskKind::Reinstall), 1);
    let before = journal(&world).await;
    frozen.signal(Signal::CONT);
    // Its heartbeat hears that the lease is lost, or before that its open transaction is found to be gone.
    let gives_up = ["the lease is lost; another worker has the job", "the job is left to the next claim"];
    let noticed = async || gives_up.iter().any(|line| frozen.log_contains(line)).then_some(());
    eventually(SOON, noticed).await.expect("it notices");
    assert_eq!(journal(&world).await, before, "the woken one wrote into the journal");
    assert_eq!(finals(&world.telegram.transcript(world.admin.id)), 2);
}

/// The newest job with its steps and events, as text.
async fn journal(world: &World) -> String {
    let mut tx = world.store().await.read().await.expect("a look");
    let job = tx
        .jobs(&rackhand_core::store::JobFilter::default(), &rackhand_core::store::Slice::first(1))
        .await
        .expect("the store")
        .remove(0);
    let (steps, events) = (tx.steps(job.id).await, tx.events(job.id, 0, 500).await);
    format!("{job:?}\n{steps:?}\n{events:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_frozen_before_it_asks_the_provider_writes_nothing_when_it_wakes() {
    frozen_at("reinstall:remember").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_frozen_after_it_asked_the_provider_writes_nothing_when_it_wakes() {
    frozen_at("reinstall:result").await;
}
