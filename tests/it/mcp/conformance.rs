//! The protocol's own conformance suites, two editions for two revisions: against a server that has all that they ask
//! for, behind the wiring of our door; and against the program, as far as it has what they ask for.

mod rounds;
mod server;
mod suite;
mod tasks;
mod things;

use std::collections::BTreeMap;

use futures::{StreamExt, future::BoxFuture, stream};
use rackhand_agent::{
    api::{self, Api, Auth},
    mcp::{self, Web},
};
use rackhand_core::store::Engine;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    server::Fixtures,
    suite::{Found, Suite},
};
use crate::{
    databases::Database,
    desk::Desk,
    e2e::world::{Running, World, eventually},
    harness::{Peer, SOON, need},
};

pub(super) const OLD: &str = "2025-11-25";
pub(super) const NEW: &str = "2026-07-28";
/// Each edition with the revisions that it is asked about.
const RUNS: [(&str, &str); 3] = [(OLD, OLD), (NEW, OLD), (NEW, NEW)];
/// Extensions are in this edition, each its own run.
const EXTENSIONS: &str = "extensions";
/// So many runs at once: they wait most of the time.
const AT_ONCE: usize = 6;

/// A scenario that does not apply, in these revisions, and why. One that passes nevertheless has to leave the list.
type Apart = (&'static [&'static str], &'static str, &'static str);

const NO_SESSION: &str = "any replica answers any request, so that there are no sessions, and without one the older \
                          revision has no way to ask the client";
const NO_SUBSCRIPTION: &str = "without sessions there is nobody to tell later that a resource has changed";
const NO_SKILLS: &str = "Rackhand has no skills: its knowledge is in tools, prompts and runbooks";

/// What does not apply to our way to serve.
const APART: [Apart; 13] = [
    (&[OLD], "tools-call-sampling", NO_SESSION),
    (&[OLD], "tools-call-elicitation", NO_SESSION),
    (&[OLD], "elicitation-sep1034-defaults", NO_SESSION),
    (&[OLD], "elicitation-sep1330-enums", NO_SESSION),
    (&[OLD], "server-sse-polling", "an answer is never cut in two, so that there is nothing to come back for"),
    (&[OLD], "server-sse-multiple-streams", NO_SESSION),
    (&[OLD], "server-session-lifecycle", NO_SESSION),
    (&[OLD], "resources-subscribe", NO_SUBSCRIPTION),
    (&[OLD], "resources-unsubscribe", NO_SUBSCRIPTION),
    (&[EXTENSIONS], "sep-2640-skills-directory", NO_SKILLS),
    (&[EXTENSIONS], "sep-2640-skills-enumeration", NO_SKILLS),
    (&[EXTENSIONS], "sep-2640-skills-manifest", NO_SKILLS),
    (&[EXTENSIONS], "tasks-status-notifications", "the suite checks nothing in it yet"),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_that_applies_passes_behind_our_wiring() {
    let Some(peers) = need(Peer::Mcp) else { return };
    let db = Database::fresh(Engine::Sqlite).await.unwrap();
    let desk = Desk::new(&db).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let web = Web { listen: address, hosts: Vec::new(), origins: Vec::new() };
    let fixtures = mcp::service_of(Fixtures::default(), &web, stop.clone());
    let api = Api::new(desk.ops.clone(), Auth::None, u32::MAX).with_models(fixtures);
    let serving = tokio::spawn(api::serve(listener, api::router(api), stop.clone()));

    let found = run(&peers, &format!("http://{address}/mcp"), true).await;
    judge(&found, is_apart);
    stop.cancel();
    serving.await.unwrap();
}

/// Scenarios that call the suites' own tools, prompts and resources by name, which the program does not have; and those
/// of what it does not offer.
const NEEDS_FIXTURES: [&str; 37] = [
    "logging-set-level",
    "tools-call-simple-text",
    "tools-call-image",
    "tools-call-audio",
    "tools-call-embedded-resource",
    "tools-call-mixed-content",
    "tools-call-with-logging",
    "tools-call-error",
    "tools-call-with-progress",
    "json-schema-2020-12",
    "resources-read-text",
    "resources-read-binary",
    "resources-templates-read",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-embedded-resource",
    "prompts-get-with-image",
    "server-stateless",
    "http-custom-header-server-validation",
    "input-required-result-basic-elicitation",
    "input-required-result-basic-sampling",
    "input-required-result-basic-list-roots",
    "input-required-result-request-state",
    "input-required-result-multiple-input-requests",
    "input-required-result-multi-round",
    "input-required-result-non-tool-request",
    "input-required-result-result-type",
    "input-required-result-tampered-state",
    "input-required-result-capability-check",
    "input-required-result-missing-input-response",
    "input-required-result-ignore-extra-params",
    "tools-call-sampling",
    "tools-call-elicitation",
    "elicitation-sep1034-defaults",
    "elicitation-sep1330-enums",
    "resources-subscribe",
    "resources-unsubscribe",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_program_passes_what_needs_nothing_made_for_it() {
    let Some(peers) = need(Peer::Mcp) else { return };
    let world = World::new().await;
    world.set("RACKHAND_API_LISTEN", "127.0.0.1:0");
    world.set("RACKHAND_API_AUTH", "none");
    world.set("RACKHAND_API_REQUESTS_PER_MINUTE", "100000");
    let running = world.start();
    let found = run(&peers, &format!("{}/mcp", address(&running).await), false).await;
    judge(&found, |revision, scenario| is_apart(revision, scenario) || NEEDS_FIXTURES.contains(&scenario));
}

/// What a run found.
struct Run {
    edition: &'static str,
    revision: &'static str,
    scenarios: Vec<String>,
    found: BTreeMap<String, Found>,
}

/// All that the suites know, asked of the server at `url`.
async fn run(peers: &str, url: &str, extensions: bool) -> Vec<Run> {
    let (old, new) = (Suite::of(peers, OLD), Suite::of(peers, NEW));
    let (in_old, in_new) = tokio::join!(old.scenarios(), new.scenarios());
    let mut runs: Vec<BoxFuture<'_, Run>> = Vec::new();
    for (edition, revision) in RUNS {
        let (suite, listed) = if edition == OLD { (&old, &in_old) } else { (&new, &in_new) };
        runs.push(Box::pin(async move {
            Run { edition, revision, scenarios: of(listed, revision), found: suite.all(url, revision).await }
        }));
    }
    for scenario in of(&in_new, "extension").into_iter().filter(|_| extensions) {
        let suite = &new;
        runs.push(Box::pin(async move {
            let found = suite.one(url, &scenario).await;
            Run { edition: NEW, revision: EXTENSIONS, scenarios: vec![scenario], found }
        }));
    }
    stream::iter(runs).buffer_unordered(AT_ONCE).collect().await
}

/// Those of the listed scenarios that are for this revision.
fn of(listed: &[(String, String)], revision: &str) -> Vec<String> {
    let fits = listed.iter().filter(|(_, revisions)| revisions.contains(revision));
    fits.map(|(name, _)| name.clone()).collect()
}

fn is_apart(revision: &str, scenario: &str) -> bool {
    APART.iter().any(|(revisions, name, _)| revisions.contains(&revision) && *name == scenario)
}

/// Every scenario that an edition lists was run, and passed, unless it stands apart: then it did not.
fn judge(runs: &[Run], stands_apart: impl Fn(&str, &str) -> bool) {
    let mut wrong = Vec::new();
    for Run { edition, revision, scenarios, found } in runs {
        assert!(!scenarios.is_empty(), "edition {edition} lists nothing for {revision}");
        for scenario in scenarios {
            let place = format!("{scenario} of {revision}, by edition {edition}");
            let Some(found) = found.get(scenario) else {
                wrong.push(format!("{place} was not run"));
                continue;
            };
            match (found.passed(), stands_apart(revision, scenario)) {
                (true, true) => wrong.push(format!("{place} passes: take it from the list of those that do not apply")),
                (false, false) => wrong.push(format!("{place}: {found:#?}")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the program's door for programs is: it says so in its log.
pub async fn address(running: &Running) -> String {
    let found = eventually(SOON, async || {
        let log = std::fs::read_to_string(&running.log).ok()?;
        let line = log.lines().find(|line| line.contains("REST: http://"))?;
        let address = line.split("REST: ").nth(1)?.split("/api").next()?;
        Some(address.to_owned())
    });
    found.await.expect("the door")
}
