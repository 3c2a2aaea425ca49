//! SIGKILL at every commit of the journal: each time the next process ends with the server ready, and what was to happen
//! once at the provider happened once.

use rackhand_core::{clients::time4vps::TaskKind, states::ServerStatus};

use super::world::{SOON, World, eventually};

const SERVER: i64 = 201;
const HANDLE: &str = "vps-201";

/// Where in its journal the process is killed.
#[derive(Clone, Debug)]
struct Point {
    nth: String,
    when: String,
    /// For the message of a failure.
    #[allow(dead_code, reason = "printed by Debug")]
    what: String,
}

/// A world whose one server is set up, with an admin who has seen it.
async fn prepared() -> World {
    let world = World::new().await;
    world.host(SERVER).await;
    let mut running = world.start();
    world.first_admin(&running).await;
    world.telegram.say(&world.admin, &format!("/server {HANDLE}"));
    world.tap("Manage").await;
    until_ready(&world, 1).await;
    running.kill();
    world
}

/// Waits until the chat was told of `jobs` jobs' good ends, and the server is ready.
async fn until_ready(world: &World, jobs: usize) {
    let told = |shown: &[rackhand_tests::telegram::Shown]| finals(shown) >= jobs;
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
fn finals(shown: &[rackhand_tests::telegram::Shown]) -> usize {
    shown.iter().filter(|message| message.text.contains(&format!("{HANDLE} is ready"))).count()
}

/// Has the server rebuilt by a process that dies at `point`, then by one that lives.
async fn rebuild_through(world: &World, point: &Point, nth_rebuild: usize) {
    let before = (world.effects(SERVER, TaskKind::Reinstall), world.effects(SERVER, TaskKind::ResetPassword));
    let mut doomed = world.start_witnessed(&["kill", &point.nth, &point.when]);
    let asked = world.telegram.transcript(world.admin.id).len();
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    let fresh = |shown: &[rackhand_tests::telegram::Shown]| {
        shown.iter().skip(asked).any(|message| message.button("Approve").is_some())
    };
    world.wait("the question", fresh).await;
    world.tap("Approve").await;
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
    world.telegram.say(&world.admin, &format!("/rebuild {HANDLE}"));
    world.tap("Approve").await;
    until_ready(world, 2).await;
    let point = |line: &String| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let (nth, when, what) = (words.next()?, words.next()?, words.next()?);
        nth.parse::<usize>().ok()?;
        Some(Point { nth, when, what })
    };
    let points = counting.output.lock().expect("lines").iter().filter_map(point).collect();
    counting.kill();
    points
}

/// The walk, split over worlds that run side by side.
async fn walk(part: usize, parts: usize) {
    let world = prepared().await;
    let points = points(&world).await;
    assert!(points.len() > 30, "the journal of a rebuild is longer than this: {points:?}");
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
