//! A provider, hosts, a Telegram, and the program between them.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rackhand_core::{
    clients::time4vps::TaskKind,
    clock::SystemClock,
    store::{Engine, Store},
};
use rackhand_tests::{
    sim_ansible,
    sim_host::SimHost,
    telegram::{Person, Shown, Telegram},
    time4vps::{ServerSpec, Time4VpsSim},
};

use super::canary;
use crate::{
    databases::Database,
    harness::{self, SOON, program},
};

/// Everything outside the program.
pub struct World {
    pub provider: Time4VpsSim,
    pub telegram: Telegram,
    pub admin: Person,
    pub dir: tempfile::TempDir,
    pub port: u16,
    network: u8,
    database: Option<Database>,
    settings: Mutex<Vec<(&'static str, String)>>,
}

/// The program, running. Dropped, it is killed.
pub struct Running {
    child: Child,
    /// Every line of its standard output so far.
    pub output: Arc<Mutex<Vec<String>>>,
    /// Its story at trace level.
    pub log: PathBuf,
}

impl World {
    /// A world without hosts.
    pub async fn new() -> Self {
        // Worlds of one run do not share addresses.
        static NETWORKS: AtomicU8 = AtomicU8::new(1);
        harness::init();
        let network = NETWORKS.fetch_add(1, Ordering::SeqCst);
        let dir = tempfile::tempdir().expect("a directory");
        let provider = Time4VpsSim::start(Arc::new(SystemClock)).await.expect("a provider");
        let telegram = Telegram::start().await.expect("a Telegram");
        let listener = TcpListener::bind((Ipv4Addr::new(127, 80, network, 1), 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let ansible = sim_ansible::write_wrapper(dir.path(), &program("rackhand"), "simulated-ansible-playbook")
            .expect("a script");
        let settings = vec![
            ("RACKHAND_DATA_DIR", dir.path().join("data").display().to_string()),
            ("TELEGRAM_BOT_TOKEN", telegram.token()),
            ("TELEGRAM_API_URL", telegram.api_url().to_owned()),
            ("TIME4VPS_BASE_URL", provider.url().to_owned()),
            ("TIME4VPS_USERNAME", provider.username().to_owned()),
            ("TIME4VPS_PASSWORD", provider.password().to_owned()),
            ("RACKHAND_SSH_PORT", port.to_string()),
            ("RACKHAND_ANSIBLE_BIN", ansible.display().to_string()),
            ("RACKHAND_SYNC_INTERVAL_S", "1".to_owned()),
            ("PASSWORD_RESET_POLL_INTERVAL", "0.1".to_owned()),
            ("RACKHAND_REINSTALL_POLL_S", "0.1".to_owned()),
            ("RACKHAND_SSH_POLL_S", "0.1".to_owned()),
            ("RACKHAND_SETTLE_S", "0.5".to_owned()),
            ("RACKHAND_WORK_POLL_MS", "50".to_owned()),
            ("RACKHAND_WORK_LEASE_S", "3".to_owned()),
            ("RACKHAND_NOTIFY_CHAT_PER_SECOND", "100".to_owned()),
            ("RACKHAND_NOTIFY_PER_SECOND", "1000".to_owned()),
            ("NOTIFICATION_RATE_LIMIT", "1000".to_owned()),
            ("RACKHAND_LOG", "trace".to_owned()),
        ];
        let admin = Person::new(1001, "Anna");
        let settings = Mutex::new(settings);
        Self { provider, telegram, admin, dir, port, network, database: None, settings }
    }

    /// The same on PostgreSQL, where this run has one.
    pub async fn on_postgres() -> Option<Self> {
        let database = Database::fresh(Engine::Postgres).await?;
        let mut world = Self::new().await;
        world.set("DATABASE_URL", database.url());
        world.database = Some(database);
        Some(world)
    }

    /// Changes a setting of the program, from its next start on.
    pub fn set(&self, name: &'static str, value: impl Into<String>) {
        let mut settings = self.settings.lock().expect("settings");
        settings.retain(|(known, _)| *known != name);
        settings.push((name, value.into()));
    }

    /// Real hosts and real Ansible: what simulated ones are hurried through takes its time there.
    pub fn set_for_real_hosts(&self, ansible: &Path) {
        self.set("RACKHAND_ANSIBLE_BIN", ansible.display().to_string());
        self.set("RACKHAND_SSH_PORT", "22");
        self.set("RACKHAND_SSH_POLL_S", "1");
        self.set("RACKHAND_WORK_LEASE_S", "30");
    }

    /// A simulated host that appears at the provider.
    pub fn host(&self, id: i64) -> Arc<SimHost> {
        let last = u8::try_from(id % 250).expect("below 250") + 1;
        let address = IpAddr::V4(Ipv4Addr::new(127, 80, self.network, last));
        let host = SimHost::start(address, self.port, "as-delivered").expect("a host");
        self.provider.add_server(ServerSpec::new(id), host.clone());
        host
    }

    /// Starts the program and waits until it hears.
    pub fn start(&self) -> Running {
        self.spawn(&program("rackhand"), &["serve"])
    }

    /// Starts the witnessed process instead.
    pub fn start_witnessed(&self, args: &[&str]) -> Running {
        self.spawn(&program("examples/witnessed"), args)
    }

    fn spawn(&self, program: &Path, args: &[&str]) -> Running {
        let log = self.dir.path().join(format!("log-{}", uuid::Uuid::now_v7()));
        // Also when the tests are killed, it does not outlive them.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.settings.lock().expect("settings").iter().map(|(name, value)| (*name, value.clone())))
            .env("PATH", harness::setting("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).expect("a log"))
            .spawn()
            .expect("the program starts: was it built?");
        let output = Arc::new(Mutex::new(Vec::new()));
        let (lines, kept) = (BufReader::new(child.stdout.take().expect("its output")), output.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                kept.lock().expect("lines").push(line);
            }
        });
        Running { child, output, log }
    }

    /// The first admin, by the code on the program's terminal.
    pub async fn first_admin(&self, running: &Running) {
        let code = running.wait_for_line(|line| line.trim().strip_prefix("/start ").map(str::to_owned)).await;
        self.telegram.say(&self.admin, &format!("/start {code}"));
        self.wait("a welcome", |shown| shown.iter().any(|message| message.text.contains("admin"))).await;
    }

    /// Waits until the admin's chat shows something.
    pub async fn wait(&self, what: &str, seen: impl Fn(&[Shown]) -> bool) {
        self.wait_long(SOON, what, seen).await;
    }

    /// The same, for what takes its time.
    pub async fn wait_long(&self, limit: Duration, what: &str, seen: impl Fn(&[Shown]) -> bool) {
        let found = self.telegram.wait_for(self.admin.id, limit, |shown| seen(shown).then_some(())).await;
        if found.is_err() {
            let texts: Vec<String> =
                self.telegram.transcript(self.admin.id).into_iter().map(|message| message.text).collect();
            panic!("the chat never showed {what}; it shows:\n{}", texts.join("\n---\n"));
        }
    }

    /// Presses the button of this label in the admin's chat, once it is there.
    pub async fn tap(&self, label: &str) {
        self.wait(&format!("a button {label:?}"), |shown| shown.iter().any(|m| m.button(label).is_some())).await;
        self.telegram.tap(&self.admin, self.admin.id, label).expect("the button");
    }

    /// The admin opens a server's card and takes it, and so has it set up.
    pub async fn manage(&self, handle: &str) {
        self.telegram.say(&self.admin, &format!("/server {handle}"));
        let card = |message: &&Shown| message.text.contains(handle) && message.button("Manage").is_some();
        self.wait(&format!("the card of {handle}"), |shown| shown.iter().any(|message| card(&message))).await;
        let shown = self.telegram.transcript(self.admin.id);
        let card = shown.iter().rev().find(card).expect("the card");
        self.telegram.press(&self.admin, self.admin.id, card.id, card.button("Manage").expect("the button"));
    }

    /// How often something of this kind took effect at the provider.
    pub fn effects(&self, id: i64, kind: TaskKind) -> usize {
        self.provider.effects().iter().filter(|effect| effect.server == id && effect.kind == kind).count()
    }

    /// A second pair of eyes on the program's database.
    pub async fn store(&self) -> Store {
        match &self.database {
            Some(database) => database.open().await,
            None => Store::open_sqlite(&self.dir.path().join("data/rackhand.db")).await.expect("the database"),
        }
    }

    /// What another process of the program is started with, to work on the same configuration.
    pub fn environment(&self) -> BTreeMap<&'static str, String> {
        self.settings.lock().expect("settings").iter().cloned().collect()
    }

    /// The command line, on the same configuration.
    pub fn cli(&self, args: &[&str]) -> std::process::Output {
        Command::new(program("rackhand"))
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .envs(self.settings.lock().expect("settings").iter().map(|(name, value)| (*name, value.clone())))
            .env("RACKHAND_LOG", "off")
            .output()
            .expect("the program runs")
    }
}

/// In no walk does a password show up anywhere.
impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut secrets = self.provider.passwords();
        secrets.extend([self.provider.password().to_owned(), self.telegram.token()]);
        let calls = self.telegram.calls().into_iter().map(|call| call.args.to_string().into_bytes());
        canary::assert_absent(&secrets, "what was sent to Telegram", calls);
        canary::assert_absent_from_files(&secrets, self.dir.path());
        if let Some(database) = &self.database {
            canary::assert_absent(&secrets, "the database", [database.dump()]);
        }
    }
}

impl Running {
    /// The first line of output that `pick` takes.
    pub async fn wait_for_line<T>(&self, pick: impl Fn(&str) -> Option<T>) -> T {
        let found =
            eventually(SOON, async || self.output.lock().expect("lines").iter().find_map(|line| pick(line))).await;
        found.unwrap_or_else(|| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let end: Vec<&str> = log.lines().rev().take(15).collect();
            panic!("the program never said so; the end of its log, newest first:\n{}", end.join("\n"))
        })
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("the signal");
    }

    /// Whether it is frozen.
    pub fn is_stopped(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:\tT"))
    }

    /// Whether its log says this.
    pub fn log_contains(&self, words: &str) -> bool {
        fs::read_to_string(&self.log).is_ok_and(|log| log.contains(words))
    }

    /// Whether it has ended, and how.
    pub fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().expect("a child")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Looks until `look` finds something or time is up. The looked-at is another process, so there is nothing to be told by.
#[allow(clippy::disallowed_methods, reason = "another process is looked at, which no clock of ours drives")]
pub async fn eventually<T>(limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(limit, looking).await.ok()
}
