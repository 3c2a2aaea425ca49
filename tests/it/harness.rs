//! What all tests share: where the repository is, the real peers that a run has, and files that are printed from code.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

/// The longest wait for what comes soon on a calm machine: only a test that fails waits so long, and the machines are
/// small and noisy.
pub const SOON: Duration = Duration::from_mins(3);

/// Gives this process its one TLS provider, as every `main` does in its first line.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// A real outside system that some tests run against. `tests/peers/with.sh` starts them and says by these variables
/// where they are.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    /// A private PostgreSQL server; the address of its database `postgres`, as a superuser.
    Postgres,
    /// A virtual environment with ansible-core; the path of its `ansible-playbook`.
    Ansible,
    /// Debian hosts in systemd-nspawn; the directory of the scripts that make them.
    Hosts,
    /// A fuzzer of interfaces that OpenAPI describes; the path of its program.
    Schemathesis,
    /// The OpenSSH server; the path of its program, which each test starts for itself.
    Sshd,
    /// Python's and TypeScript's MCP clients, the conformance suites of two revisions, and their node; the directory of all.
    Mcp,
    /// OpenStack Ironic, which asks for no login; its address. Nodes of `fake-hardware` with `scripted` interfaces do
    /// what is written on them (`tests/peers/openstack/ironic_scripted.py`). All tests of a run share it.
    Ironic,
    /// An emulator of 50 BMCs that speak Redfish; the address of its service, with the login that it asks for.
    Bmcs,
}

impl Peer {
    const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "RACKHAND_TEST_POSTGRES",
            Self::Ansible => "RACKHAND_TEST_ANSIBLE",
            Self::Hosts => "RACKHAND_TEST_HOSTS",
            Self::Schemathesis => "RACKHAND_TEST_SCHEMATHESIS",
            Self::Sshd => "RACKHAND_TEST_SSHD",
            Self::Mcp => "RACKHAND_TEST_MCP",
            Self::Ironic => "RACKHAND_TEST_IRONIC",
            Self::Bmcs => "RACKHAND_TEST_BMCS",
        }
    }
}

/// Where the peer is, or `None` when this run has none: the test then returns at once. Says so loudly, and fails
/// instead where peers are required (`CI=1` or `RACKHAND_REQUIRE_PEERS=1`).
pub fn need(peer: Peer) -> Option<String> {
    let found = setting(peer.variable());
    if found.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let line = format!("SKIPPED: {test} needs {peer:?}, and {} is not set: run `make test`\n", peer.variable());
        let required = ["CI", "RACKHAND_REQUIRE_PEERS"].into_iter().filter_map(setting).any(|value| value != "0");
        assert!(!required, "{line}");
        // Past the capture of the test runner, which hides what passing tests print.
        let _ = io::stderr().write_all(line.as_bytes());
        if let Some(log) = setting("RACKHAND_SKIPPED_LOG") {
            let log = OpenOptions::new().create(true).append(true).open(log);
            log.and_then(|mut log| log.write_all(line.as_bytes())).expect("the list of skipped tests can be written");
        }
    }
    found
}

/// Fails when the checked-in file at `path` (from the repository's root) is not `text`. With
/// `RACKHAND_WRITE_GENERATED=1` writes it instead; `make generated` does so for the tests with `printed` in their name.
pub fn assert_generated(path: &str, text: &str) {
    let file = root().join(path);
    if setting("RACKHAND_WRITE_GENERATED").is_some() {
        fs::create_dir_all(file.parent().expect("below the root")).expect("its directory can be made");
        fs::write(&file, text).expect("the generated file can be written");
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == text, "{path} is stale: run `make generated` and commit it");
}

/// Whatever came in, each line of a log is one event: nothing in it can move a cursor, turn the reading direction, or
/// look like another event.
#[track_caller]
pub fn assert_is_clean(log: &str) {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let dirty: Vec<&str> =
        log.lines().filter(|line| line.chars().any(|c| c.is_control() || turns(c))).take(5).collect();
    assert!(dirty.is_empty(), "in the log: {dirty:?}");
}

/// A program of the workspace (`rackhand`) or an example (`examples/NAME`), which `make build` puts beside the tests.
pub fn program(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("this test's path");
    let built = here.parent().and_then(Path::parent).expect("target/debug").join(name);
    assert!(built.exists(), "{} is missing: `make build` builds it", built.display());
    built
}

/// The PATH of a machine on which `rackhand` is installed.
pub fn path_with_the_program() -> String {
    let dir = program("rackhand").parent().expect("its directory").display().to_string();
    format!("{dir}:{}", setting("PATH").unwrap_or_default())
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository")
}

/// Every file below `dir` (from the repository's root) whose name ends in one of `ends`, as a path from the root; what
/// is built or downloaded is left out.
pub fn files(dir: &str, ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![root().join(dir)];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !["target", "node_modules", "data"].contains(&name.as_str()) && !name.starts_with('.') {
                    left.push(path);
                }
            } else if ends.iter().any(|end| name.ends_with(end)) {
                found.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The one place where tests read the environment; a variable that is set to nothing counts as unset.
#[allow(clippy::disallowed_methods, reason = "the one place where tests read the environment")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
