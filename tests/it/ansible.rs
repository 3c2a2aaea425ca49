//! The runner of playbooks: with programs that stand in for `ansible-playbook` where a test wants to see exactly one
//! thing, and with the real one.

use std::{
    fs,
    io::Read,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rackhand_core::{
    clients::ansible::{Ansible, AnsibleError, Login, Playbook, PlaybookEvent, PlaybookRun, Recap, tree},
    clock::{Clock, SystemClock},
    fault::{Fault, FaultKind, chain},
    secret::Secret,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::mpsc::Receiver, time::timeout};

use crate::harness::{Peer, SOON, need, program};

const CANARY: &str = r#"canary-{{ 7 * 7 }}-"p'w\d"#;
/// Another secret, of which the first is a part.
const VARIABLE: &str = r#"canary-{{ 7 * 7 }}-"p'w\d in the variables"#;
/// How long those may stand still that are stopped in a test.
const PATIENCE: Duration = Duration::from_secs(2);
/// A run that leaves processes everywhere: in sessions of their own, one without any environment. Each holds the FIFO
/// `alive`, whose reader sees its end when the last one is gone.
const SPREAD: &str = r#"
exec 9>"$LAB/alive"
setsid sleep 1000 &
(setsid sh -c 'sleep 1000; true' &)
setsid env -i /bin/sh -c 'read -r _ <"$1"' "ssh: $PWD/cp/0a1b [mux]" "$LAB/gate" &
echo $PPID >"$LAB/supervisor"
event '{"event":"task_start","n":1,"of":1,"task":"Spread"}'
trap '' INT
sleep 1000
"#;

/// A directory with a program in the place of `ansible-playbook`.
struct Lab {
    dir: TempDir,
}

impl Lab {
    /// `script` may use `$LAB`, this directory, and `event JSON`.
    fn new(script: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let lab = dir.path().display();
        let text =
            format!("#!/bin/sh\nLAB={lab}\nevent() {{ printf '%s\\n' \"$1\" >>\"$RACKHAND_EVENTS\"; }}\n{script}\n");
        fs::write(dir.path().join("program"), text).unwrap();
        fs::set_permissions(dir.path().join("program"), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["gate", "alive"] {
            assert!(Command::new("mkfifo").arg(dir.path().join(name)).status().unwrap().success());
        }
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn ansible(&self) -> Ansible {
        ansible(self.dir.path(), self.path("program"))
    }

    /// Runs it to its end.
    async fn run(&self, run: PlaybookRun) -> (Result<Recap, AnsibleError>, Vec<PlaybookEvent>) {
        let (sender, mut events) = tokio::sync::mpsc::channel(100);
        let end = self.ansible().run(run, sender).await;
        let mut seen = Vec::new();
        while let Some(event) = events.recv().await {
            seen.push(event);
        }
        (end, seen)
    }

    /// Receives a message when no process holds `alive` any more. To be called before it is opened for writing.
    fn watch(&self) -> mpsc::Receiver<()> {
        let (sender, ended) = mpsc::channel();
        let path = self.path("alive");
        thread::spawn(move || {
            fs::File::open(path).unwrap().read_to_end(&mut Vec::new()).unwrap();
            sender.send(()).unwrap();
        });
        ended
    }

    fn runs(&self) -> usize {
        fs::read_dir(self.path("run")).map_or(0, Iterator::count)
    }

    /// Whether nothing is left of any run soon.
    async fn assert_nothing_left(&self, ended: &mpsc::Receiver<()>) {
        self.assert_nothing_left_after(Duration::ZERO, ended).await;
    }

    /// The same, soon after `patience`.
    async fn assert_nothing_left_after(&self, patience: Duration, ended: &mpsc::Receiver<()>) {
        ended.recv_timeout(patience + SOON).expect("every descendant ends");
        self.assert_no_directory_left().await;
    }

    async fn assert_no_directory_left(&self) {
        let gone = async {
            while self.runs() > 0 || named_by_a_process(self.dir.path()) {
                SystemClock.sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(SOON, gone).await.expect("the private directory is deleted, and the supervisor ends");
    }
}

/// Whether any process has `dir` in its command line: a program, its supervisor, or a connection that ssh keeps.
pub fn named_by_a_process(dir: &Path) -> bool {
    let name = dir.as_os_str().as_encoded_bytes();
    let mut entries = fs::read_dir("/proc").unwrap().flatten();
    entries.any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.windows(name.len()).any(|part| part == name)
    })
}

fn ansible(dir: &Path, program: PathBuf) -> Ansible {
    Ansible::new(Some(program), tree::unpack(dir).unwrap(), dir.join("run"))
}

fn run(playbook: Playbook) -> PlaybookRun {
    let Value::Object(vars) = json!({"rackhand_hostname": "{{ lookup('pipe', 'id') }}"}) else { unreachable!() };
    PlaybookRun {
        playbook,
        handle: "vps-1".to_owned(),
        address: [127, 0, 0, 1].into(),
        port: 2222,
        host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx5yYl0Qv0m5m4r1v1pV0J0mJ3b0wqfXqk7q3sXbJ2c".to_owned(),
        login: Login::Password(Secret::new(CANARY)),
        vars,
        secrets: vec![Secret::new(VARIABLE)],
        limit: Duration::from_secs(30),
        patience: Duration::from_secs(15),
    }
}

async fn started(events: &mut Receiver<PlaybookEvent>) -> String {
    match timeout(SOON, events.recv()).await {
        Ok(Some(PlaybookEvent::TaskStarted { name, .. })) => name,
        other => panic!("no task started: {other:?}"),
    }
}

#[tokio::test]
async fn events_come_live_and_the_password_is_in_private_files_only() {
    let lab = Lab::new(
        r#"
        for file in cmdline environ; do cat /proc/$$/$file /proc/$PPID/$file; done >"$LAB/public"
        stat -c '%a %n' . inventory.json vars.json known_hosts events >"$LAB/modes"
        cp inventory.json vars.json known_hosts "$LAB"
        event '{"event":"play_start","play":"Set up","tasks":2}'
        event '{"event":"task_start","n":1,"of":2,"task":"Install docker"}'
        read -r _ <"$LAB/gate"
        event '{"event":"changed","task":"Install docker","ms":1200}'
        event '{"event":"stats","hosts":{"vps-1":{"ok":2,"changed":1}}}'"#,
    );
    let (sender, mut events) = tokio::sync::mpsc::channel(100);
    let ansible = lab.ansible();
    let listen = async {
        assert_eq!(started(&mut events).await, "Install docker");
        // Only now may the task go on.
        tokio::fs::write(lab.path("gate"), "go\n").await.unwrap();
        events.recv().await
    };
    let (end, next) = tokio::join!(ansible.run(run(Playbook::Base), sender), listen);
    assert_eq!(end.unwrap(), Recap { ok: 2, changed: 1, health: None });
    assert_eq!(next, Some(PlaybookEvent::TaskDone { name: "Install docker".into(), changed: true, ms: Some(1200) }));

    let public = String::from_utf8_lossy(&fs::read(lab.path("public")).unwrap()).into_owned();
    assert!(public.contains("RACKHAND_EVENTS=") && public.contains("playbooks/base.yml"), "{public}");
    assert!(!public.contains("canary"), "{public}");
    assert_eq!(lab.read("modes"), "700 .\n600 inventory.json\n600 vars.json\n600 known_hosts\n600 events\n");
    let inventory: Value = serde_json::from_str(&lab.read("inventory.json")).unwrap();
    assert_eq!(inventory["all"]["hosts"]["vps-1"]["ansible_password"]["__ansible_unsafe"], CANARY);
    assert!(lab.read("known_hosts").starts_with("[127.0.0.1]:2222 ssh-ed25519 AAAA"));
    assert_eq!(lab.runs(), 0, "the private directory is deleted");
}

#[tokio::test]
async fn each_end_is_told_apart_and_never_tells_the_password() {
    use FaultKind::{Bug, Conflict, NeedsPerson, Unavailable};
    let failed = |msg: &str| json!({"event": "failed", "task": "Log in", "result": {"msg": msg}}).to_string();
    let lost = |msg: &str| json!({"event": "unreachable", "task": "Log in", "result": {"msg": msg}}).to_string();
    let cases = [
        (failed(&format!("no {CANARY}")), 2, Conflict, "task \"Log in\" failed: no [redacted]"),
        (failed(&format!("no {VARIABLE}!")), 2, Conflict, "task \"Log in\" failed: no [redacted]!"),
        (lost("Connection refused"), 4, Unavailable, "the server is out of reach: Connection refused"),
        (lost("Host key verification failed."), 4, NeedsPerson, "SSH host key is not the pinned one"),
        (failed("Host Key checking is enabled"), 2, NeedsPerson, "SSH host key is not the pinned one"),
        (
            failed("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @"),
            2,
            NeedsPerson,
            "is not the pinned one: @ WARN",
        ),
        // A mistake in a playbook has the exit code of an unreachable server.
        (String::new(), 4, Bug, "ansible-playbook broke: exit status: 4: ERROR! [redacted] is no task"),
        ("not JSON".to_owned(), 1, Bug, "ansible-playbook broke: exit status: 1: ERROR! [redacted] is no task"),
    ];
    for (event, code, kind, words) in cases {
        let lab = Lab::new(&format!(
            "cat >>\"$RACKHAND_EVENTS\" <<'END'\n{event}\nEND\ncat >&2 <<'END'\nERROR! {CANARY} is no task\n\nEND\nexit {code}"
        ));
        let (end, events) = lab.run(run(Playbook::Access)).await;
        let error = end.unwrap_err();
        let text = chain(&error);
        assert!(text.contains(words), "{text} has no {words}");
        assert_eq!(error.kind(), kind, "{text}");
        assert!(!format!("{error:?}{events:?}").contains("canary"), "{error:?}{events:?}");
    }
}

#[tokio::test]
async fn a_health_check_that_finds_something_is_an_answer() {
    let lab = Lab::new(
        r#"event '{"event":"health","checks":[{"name":"disk","ok":false,"detail":"3% free"}]}'
        event '{"event":"failed","task":"Fail if something is wrong","result":{"msg":"Not healthy: disk"}}'
        exit 2"#,
    );
    let (end, _) = lab.run(run(Playbook::HealthCheck)).await;
    assert_eq!(end.unwrap().health.unwrap()[0]["detail"], "3% free");
    assert!(matches!(lab.run(run(Playbook::Base)).await.0, Err(AnsibleError::TaskFailed { .. })));
}

#[tokio::test]
async fn a_listener_that_lags_misses_no_failure_and_learns_of_the_newest_progress() {
    let lab = Lab::new(
        r#"for n in 1 2 3 4 5 6; do
            event "{\"event\":\"task_start\",\"n\":$n,\"of\":6,\"task\":\"Task $n\"}"
            case $n in
            2 | 3) event "{\"event\":\"failed\",\"task\":\"Task $n\",\"ignored\":true,\"result\":{\"msg\":\"no $n\"}}" ;;
            6) event '{"event":"failed","task":"Task 6","result":{"msg":"no more"}}' ;;
            *) event "{\"event\":\"ok\",\"task\":\"Task $n\",\"ms\":1}" ;;
            esac
        done
        exit 2"#,
    );
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let end = timeout(Duration::from_secs(20), lab.ansible().run(run(Playbook::Base), sender)).await;
    assert!(matches!(end.expect("it waits for nobody"), Err(AnsibleError::TaskFailed { .. })));
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(match event {
            PlaybookEvent::TaskStarted { number, .. } => format!("started {number}"),
            PlaybookEvent::TaskDone { name, .. } => format!("done {name}"),
            PlaybookEvent::TaskFailed { message, .. } => message,
        });
    }
    assert_eq!(seen, ["started 1", "no 2", "no 3", "started 6", "no more"]);
}

#[tokio::test]
async fn at_its_time_limit_a_run_is_stopped_whole() {
    let lab = Lab::new(SPREAD);
    let ended = lab.watch();
    let (end, _) = lab.run(PlaybookRun { limit: Duration::from_millis(500), ..run(Playbook::Base) }).await;
    let error = end.unwrap_err();
    assert!(matches!(&error, AnsibleError::TimedOut { task: Some(task), .. } if task == "Spread"), "{error:?}");
    lab.assert_nothing_left(&ended).await;
}

#[tokio::test]
async fn a_dropped_run_is_stopped_whole() {
    let lab = Lab::new(SPREAD);
    let ended = lab.watch();
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let ansible = lab.ansible();
    tokio::select! {
        end = ansible.run(run(Playbook::Base), sender) => panic!("{end:?}"),
        _ = started(&mut events) => {}
    }
    lab.assert_nothing_left(&ended).await;
}

#[tokio::test]
async fn nothing_is_left_of_a_run_whose_owner_is_killed() {
    let lab = Lab::new(SPREAD);
    let ended = lab.watch();
    victim(&lab).0.kill().unwrap();
    lab.assert_nothing_left(&ended).await;
}

#[tokio::test]
async fn no_secret_is_left_of_an_owner_that_is_killed_while_it_writes_them() {
    let lab = Lab::new("sleep 1000");
    let mut owner = start_victim(&lab, Duration::from_secs(30), 4);
    let written = async {
        let runs = || fs::read_dir(lab.path("run")).into_iter().flatten().flatten();
        while !runs().any(|run| run.path().join("inventory.json").exists()) {
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, written).await.expect("the password is written");
    owner.kill().unwrap();
    owner.wait().unwrap();
    lab.assert_no_directory_left().await;
}

#[tokio::test]
async fn a_run_ends_while_its_owner_stands_still_and_the_owner_learns_of_it() {
    let lab = Lab::new(SPREAD);
    let ended = lab.watch();
    let (mut owner, mut out) = victim(&lab);
    // It is alive for longer than its patience, and nothing ends.
    assert!(ended.recv_timeout(PATIENCE + Duration::from_secs(1)).is_err());
    let pid = owner.id().to_string();
    kill(&["-STOP", &pid]);
    lab.assert_nothing_left_after(PATIENCE, &ended).await;
    assert!(fs::read_to_string(format!("/proc/{pid}/stat")).unwrap().contains(") T "), "the owner still stands");
    kill(&["-CONT", &pid]);
    let mut said = String::new();
    out.read_to_string(&mut said).unwrap();
    assert!(said.contains("Broken") && said.contains("stood still for more than 2 s"), "{said}");
    assert!(owner.wait().unwrap().success() && lab.runs() == 0);
}

#[tokio::test]
async fn a_sweep_ends_what_outlived_its_owner_and_its_supervisor() {
    let lab = Lab::new(SPREAD);
    let ended = lab.watch();
    let mut owner = victim(&lab).0;
    assert_eq!(lab.ansible().sweep().await.unwrap(), 0, "its owner lives");
    let group = format!("-{}", lab.read("supervisor").trim());
    // Stopped, the owner cannot see that its supervisor died.
    let pid = owner.id().to_string();
    kill(&["-STOP", &pid]);
    kill(&["-KILL", "--", &group]);
    kill(&["-KILL", &pid]);
    owner.wait().unwrap();
    assert!(ended.try_recv().is_err() && lab.runs() == 1, "what is in other sessions goes on");
    assert_eq!(lab.ansible().sweep().await.unwrap(), 1);
    lab.assert_nothing_left(&ended).await;
}

fn kill(args: &[&str]) {
    assert!(Command::new("kill").args(args).status().unwrap().success(), "{args:?}");
}

/// Starts the process that owns a run of the program of `lab`, with this patience and variables of about `mib` MiB.
fn start_victim(lab: &Lab, patience: Duration, mib: usize) -> Child {
    Command::new(program("examples/ansible_owner"))
        // Not by its name, by which we look for what is left.
        .current_dir(lab.dir.path())
        .arg(".")
        .args([patience.as_millis().to_string(), mib.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The same, whose task has begun, and what it says.
fn victim(lab: &Lab) -> (Child, ChildStdout) {
    let mut child = start_victim(lab, PATIENCE, 0);
    let mut out = child.stdout.take().unwrap();
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("BEGUN") {
        let mut buffer = [0; 256];
        let count = out.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&buffer[..count]);
    }
    (child, out)
}

#[tokio::test]
async fn a_missing_ansible_is_named_with_the_command_that_installs_it() {
    let lab = Lab::new("");
    let missing = ansible(lab.dir.path(), lab.path("nowhere"));
    let error = missing.version().await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::NeedsPerson);
    let words = ["nowhere is not", "apt install python3-venv", "/opt/ansible/bin/pip install", "ansible.bin = \"/opt/"];
    assert!(words.iter().all(|words| error.to_string().contains(words)), "{error}");
}

#[test]
fn the_tree_is_unpacked_once_and_mended_when_damaged() {
    let dir = TempDir::new().unwrap();
    let tree = tree::unpack(dir.path()).unwrap();
    let file = tree.join(Playbook::Base.file());
    let text = fs::read_to_string(&file).unwrap();
    let made = fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(tree::unpack(dir.path()).unwrap(), tree);
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), made, "it is used as it is");
    fs::write(&file, "").unwrap();
    tree::unpack(dir.path()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft stays");
}

#[tokio::test]
async fn the_real_ansible_says_its_version_and_what_is_out_of_reach() {
    let Some(program) = need(Peer::Ansible) else { return };
    let dir = TempDir::new().unwrap();
    let ansible = ansible(dir.path(), program.into());
    let version = ansible.version().await.unwrap();
    assert!(version.starts_with("ansible-playbook [core 2."), "{version}");

    // Nobody listens any more on a port that was just free.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (sender, mut events) = tokio::sync::mpsc::channel(100);
    let end = ansible.run(PlaybookRun { port, ..run(Playbook::HealthCheck) }, sender).await;
    let error = end.unwrap_err();
    // Which of the two ssh says depends on how far it came when the other side hung up.
    let AnsibleError::Unreachable { message } = &error else { panic!("{error:?}") };
    assert!(message.contains("refused") || message.contains("Broken pipe"), "{message}");
    assert!(started(&mut events).await.starts_with("Look at SSH"));
}

#[tokio::test]
async fn no_ssh_and_no_password_is_left_of_a_real_run_that_is_dropped() {
    let Some(program) = need(Peer::Ansible) else { return };
    let dir = TempDir::new().unwrap();
    let ansible = ansible(dir.path(), program.into());
    // It takes connections, and never says anything.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, _events) = tokio::sync::mpsc::channel(100);
    let accepted = tokio::select! {
        end = ansible.run(PlaybookRun { port, ..run(Playbook::Access) }, sender) => panic!("{end:?}"),
        accepted = listener.accept() => accepted,
    };
    let mut stream = accepted.unwrap().0;
    let mut said = Vec::new();
    let banner = timeout(SOON, tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut said));
    banner.await.expect("ssh ends").ok();
    for file in fs::read_dir("/dev/shm").unwrap().flatten() {
        let kept = fs::read(file.path()).unwrap_or_default();
        assert!(!kept.windows(6).any(|part| part == b"canary"), "{} keeps the password", file.path().display());
    }
}
