//! The passwords that the provider makes show up nowhere: not in the log at trace level, the database, the chat, the
//! arguments or environment of any process, nor in what is left on disk.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use rackhand_tests::{sim_host, time4vps::TaskFault};

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_seen_anywhere() {
    let world = World::new().await;
    let host = world.host(42);
    world.host(43);
    world.provider.task_fault(43, TaskFault::Fails("Task failed: the guest did not answer".into()));
    let failing = sim_host::Fault { at_task: 2, kind: sim_host::FaultKind::Failed("told you so".into()) };
    host.fail_playbook("access", failing);
    let running = world.start();
    world.first_admin(&running).await;

    let watch = ProcessWatch::start();
    for server in ["vps-42", "vps-43"] {
        world.telegram.say(&world.admin, &format!("/server {server}"));
        world.tap("Manage").await;
        world
            .wait("the failure", |shown| {
                shown.iter().any(|m| m.text.contains(server) && m.text.contains("could not be set up"))
            })
            .await;
    }
    world.telegram.say(&world.admin, "/provision vps-42");
    world.wait("the success", |shown| shown.iter().any(|m| m.text.contains("vps-42 is back"))).await;
    let seen_in_processes = watch.stop();

    let passwords = world.provider.passwords();
    assert!(passwords.len() >= 2, "the walk made passwords");
    let secrets: Vec<&str> = passwords.iter().map(String::as_str).collect();
    let chat: String = world.telegram.transcript(world.admin.id).into_iter().map(|message| message.html).collect();
    for secret in secrets {
        assert!(!chat.contains(secret), "a password is in the chat");
        assert!(!seen_in_processes.iter().any(|text| contains(text, secret)), "a password is in the process list");
        for file in files(world.dir.path()) {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(!contains(&bytes, secret), "a password is in {}", file.display());
        }
    }
}

/// Reads the arguments and environments of all processes again and again.
struct ProcessWatch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    thread: std::thread::JoinHandle<()>,
}

impl ProcessWatch {
    fn start() -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let (stopped, kept) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    for name in ["cmdline", "environ"] {
                        let text = fs::read(process.path().join(name)).unwrap_or_default();
                        // Our own test names the account's password in the program's environment, as an admin may.
                        if name == "cmdline" || !contains(&text, "RACKHAND_DATA_DIR=") {
                            kept.lock().expect("seen").insert(text);
                        }
                    }
                }
            }
        });
        Self { stop, seen, thread }
    }

    fn stop(self) -> BTreeSet<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch");
        std::mem::take(&mut self.seen.lock().expect("seen"))
    }
}

fn contains(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}
