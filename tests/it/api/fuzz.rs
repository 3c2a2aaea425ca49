//! The whole door under a fuzzer of OpenAPI: whatever is asked, and whoever asks, it answers as its description says.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use rackhand_core::{
    clock::SystemClock,
    keyring::Keyring,
    model::{Actor, Role},
    ops::{HandleInput, Limits, ManageServer, Ops},
};
use rackhand_tests::fast_ironic::{FREE, FastIronic, MANAGEABLE, UUID};
use serde_json::{Value, json};

use super::caller::{Answered, Caller, client, token};
use crate::{
    e2e::world::{Running, World, eventually},
    harness::{Peer, SOON, assert_is_clean, need, setting},
};

/// Chosen by nobody: the same requests in every run.
const SEED: &str = "20261121";
/// Requests that are made up for each route beside those that walk along the edges of its schema.
const EXAMPLES: &str = "4";
/// Seconds that a fuzzer may take; it takes about 30 on two idle cores.
const PATIENCE: &str = "400";

/// What is not asked of the door, and why. All else is: no 5xx, no status, header or content type that is not described,
/// no answer against its schema, nothing accepted that the schema forbids, and nothing done without a good token.
///
/// * `positive_data_acceptance`: a schema cannot say which cursors a list gave, nor which of two nodes was free.
const NOT_ASKED: &str = "positive_data_acceptance";

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_a_fuzzer_as_it_is_described() {
    let Some(schemathesis) = need(Peer::Schemathesis) else { return };
    let world = World::new().await;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.set("RACKHAND_API_LISTEN", address.to_string());
    world.set("RACKHAND_API_REQUESTS_PER_MINUTE", "1000000");
    // Its own: whatever is asked of a node here is asked of nobody else's.
    let ironic = FastIronic::start().await.unwrap();
    world.set("IRONIC_URL", format!("http://{}", ironic.address()));
    // Two that exist; the fuzzer may do with them what it likes.
    for id in [267_179, 267_180] {
        world.host(id);
    }
    let running = world.start();
    world.first_admin(&running).await;
    let ops = ops(&world).await;
    let (admin, viewer) =
        (token(&ops, "admin", Role::Admin, None).await, token(&ops, "viewer", Role::Viewer, None).await);
    let root = format!("http://{address}");
    let asked = Caller::new(&root, &admin);

    let known = furnish(&ops, &asked).await;
    let description = world.dir.path().join("openapi.json");
    let described = Answered::of(asked.at(reqwest::Method::GET, "/openapi.json")).await.good(200);
    fs::write(&description, with_whole_paths(described).to_string()).unwrap();
    let fuzzers = [("admin", Some(admin)), ("viewer", Some(viewer)), ("nobody", None)].map(|(who, token)| {
        let fuzzer = Fuzzer {
            program: schemathesis.clone().into(),
            dir: world.dir.path().join(who),
            description: description.clone(),
            root: root.clone(),
            token,
            // It would find its own token in the list and revoke it.
            spared: if who == "admin" { &["revoke_token"] } else { &[] },
            known: known.clone(),
        };
        tokio::task::spawn_blocking(move || fuzzer.run())
    });
    for fuzzer in fuzzers {
        fuzzer.await.unwrap();
    }

    let readiness = Answered::of(client().get(format!("{root}/readyz"))).await.good(200);
    assert_eq!((&readiness["status"], &readiness["database"]), (&json!("ready"), &json!(true)), "{readiness}");
    asked.get("/status").await.good(200);
    assert!(ironic.questions() > 2, "nobody asked for the node that Ironic has");
    assert_done(&asked, ["enrol_node", "manage_node", "end_maintenance", "provision_server"], "done").await;
    assert_done(&asked, ["provide_node", "unprovision_server"], "asked").await;
    assert_log_is_clean(&running);
}

/// The operations on the program's own database, with its own keys: tokens are made by people only.
async fn ops(world: &World) -> Ops {
    let (keyring, _) = Keyring::open_or_create(&world.dir.path().join("data/master.key")).unwrap();
    let minute = std::time::Duration::from_mins(1);
    let limits = Limits { approval_life: minute, two_persons: false, attempts: 3, invite_life: minute };
    let (store, keyring) = (world.store().await, Arc::new(keyring));
    Ops { store, clock: Arc::new(SystemClock), keyring, limits, ironic: None, image: None }
}

/// Something of everything that can be named in a request; answers those names.
async fn furnish(ops: &Ops, admin: &Caller) -> Vec<(&'static str, Vec<Value>)> {
    let seen = async || {
        let servers = admin.get("/servers").await.good(200);
        (servers["items"].as_array().unwrap().len() == 2).then_some(())
    };
    eventually(SOON, seen).await.expect("the servers are found");
    let input = HandleInput { handle: "vps-267179".to_owned() };
    ops.call::<ManageServer>(&Actor::shell(), &input, None).await.unwrap();
    let job = async || admin.get("/jobs").await.good(200)["items"][0]["job"]["id"].as_str().map(str::to_owned);
    eventually(SOON, job).await.expect("a job sets the server up");
    // While that job goes on, nothing else is begun there.
    let ask = async || {
        let asked = admin.post("/servers/vps-267179/rebuild", &json!({})).await;
        (asked.status == 202).then_some(())
    };
    eventually(SOON, ask).await.expect("a question for a person");
    admin.post("/users", &json!({ "telegram_id": 4242, "role": "viewer" })).await.good(200);
    // Schemathesis 4.32 breaks down over names whose schema is a reference, such as a job's: it walks to those from lists.
    vec![
        ("path.handle", vec![json!("vps-267179"), json!("vps-267180")]),
        ("path.telegram_id", vec![json!(4242), json!(1001)]),
        ("path.node", vec![json!(UUID), json!(FREE), json!(MANAGEABLE)]),
        ("path.operation_id", vec![json!(UUID), json!(FREE)]),
        ("body.server_id", vec![json!(UUID), json!(FREE)]),
    ]
}

/// A description in a file is asked for at one root: its paths are written out from there.
fn with_whole_paths(mut described: Value) -> Value {
    let usual = described["servers"][0]["url"].as_str().expect("a server").to_owned();
    let paths = described["paths"].as_object_mut().expect("paths");
    *paths = std::mem::take(paths)
        .into_iter()
        .map(|(path, mut item)| match item.as_object_mut().and_then(|item| item.remove("servers")) {
            Some(own) => (format!("{}{path}", own[0]["url"].as_str().unwrap().trim_end_matches('/')), item),
            None => (format!("{usual}{path}"), item),
        })
        .collect();
    described["servers"] = json!([{ "url": "/" }]);
    described
}

/// One run of the fuzzer.
struct Fuzzer {
    program: PathBuf,
    dir: PathBuf,
    description: PathBuf,
    root: String,
    token: Option<String>,
    /// Operations that this one must leave alone.
    spared: &'static [&'static str],
    /// What exists, by the parameter that names it: half of the time it is asked for.
    known: Vec<(&'static str, Vec<Value>)>,
}

impl Fuzzer {
    fn run(self) {
        fs::create_dir_all(&self.dir).unwrap();
        let (config, report) = (self.dir.join("fuzzer.toml"), self.dir.join("report"));
        fs::write(&config, self.config()).unwrap();
        let ended = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "timeout", PATIENCE])
            .arg(self.program.with_file_name("python"))
            .arg(&self.program)
            .arg("--config-file")
            .arg(&config)
            .arg("run")
            .arg(&self.description)
            .args(["--url", &self.root, "--seed", SEED, "--max-examples", EXAMPLES])
            .args(["--checks", "all", "--exclude-checks", NOT_ASKED])
            .args(["--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure", "--no-shrink"])
            .args(["--generation-database", "none", "--warnings", "off", "--no-color"])
            .args(self.spared.iter().flat_map(|operation| ["--exclude-operation-id", operation]))
            .current_dir(&self.dir)
            .env_clear()
            .env("HOME", &self.dir)
            .env("PATH", setting("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(fs::File::create(&report).unwrap())
            .stderr(fs::File::create(self.dir.join("errors")).unwrap())
            .status()
            .unwrap();
        let said = fs::read_to_string(&report).unwrap();
        let errors = fs::read_to_string(self.dir.join("errors")).unwrap();
        assert!(ended.success(), "{}: {ended}\n{said}\n{errors}", self.dir.display());
        // A fuzzer that found nothing to ask finds nothing wrong.
        let asked = said.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse::<u32>().ok());
        assert!(asked.is_some_and(|asked| asked > 500), "{asked:?} requests were made:\n{said}");
    }

    fn config(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        if let Some(token) = &self.token {
            let _ = writeln!(text, "[headers]\nAuthorization = \"Bearer {token}\"");
        }
        for (name, values) in &self.known {
            let _ = writeln!(text, "[dictionaries.\"{name}\"]\nvalues = {}", Value::from(values.clone()));
        }
        text.push_str("[parameters]\n");
        for (name, _) in &self.known {
            let _ = writeln!(text, "\"{name}\" = {{ dictionary = \"{name}\", probability = 0.5 }}");
        }
        text
    }
}

/// Each of these came to this outcome at least once: what is only ever refused shows nothing of its good answers.
async fn assert_done<const N: usize>(admin: &Caller, operations: [&str; N], outcome: &str) {
    let (mut missing, mut cursor) = (Vec::from(operations), String::new());
    loop {
        let page = admin.get(&format!("/audit?limit=500&cursor={cursor}")).await.good(200);
        for entry in page["items"].as_array().unwrap() {
            missing.retain(|operation| entry["operation"] != *operation || entry["outcome"] != outcome);
        }
        match page["next"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert!(missing.is_empty(), "{missing:?} were never {outcome}");
}

fn assert_log_is_clean(running: &Running) {
    let log = fs::read_to_string(&running.log).expect("the log is UTF-8");
    assert!(log.contains("/api/v1/servers"), "the log tells of requests");
    assert_is_clean(&log);
}
