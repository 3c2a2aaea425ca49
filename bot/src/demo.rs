//! `rackhand demo`: the whole product on a simulated provider with six simulated hosts, in this terminal.
//!
//! Everything but the outside is real: the database, the jobs, the SSH logins, the chat. In place of Ansible, this
//! program plays the playbooks' tasks on the simulated hosts.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use rackhand_core::{
    clients::time4vps::TaskKind,
    clock::{SharedClock, SystemClock},
    config,
    keyring::Keyring,
    model::Actor,
    ops::{Answer, HandleInput, ListServers, ListServersInput, ManageServer},
    states::ServerStatus,
};
use rackhand_tests::{
    sim_ansible,
    sim_host::SimHost,
    time4vps::{Delays, ServerSpec, Time4VpsSim},
};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::chat,
    logging::start_logging,
    process::{Parts, Process},
};

/// The servers of the demo: number at the provider, label.
const SERVERS: [(i64, &str); 6] = [
    (267_179, "shop-web"),
    (267_180, "shop-db"),
    (267_181, "mail"),
    (267_182, "build"),
    (267_183, "staging"),
    (267_184, "new-today"),
];
/// How many of them are set up before the chat begins.
const PREPARED: usize = 3;

/// Starts the simulators, prepares some servers, and opens the chat.
pub async fn demo() -> anyhow::Result<ExitCode> {
    let dir = std::env::temp_dir().join(format!("rackhand-demo-{}", std::process::id()));
    let ended = in_dir(&dir).await;
    let _ = std::fs::remove_dir_all(&dir);
    ended
}

async fn in_dir(dir: &Path) -> anyhow::Result<ExitCode> {
    let clock: SharedClock = Arc::new(SystemClock);
    let provider = Time4VpsSim::start(clock).await.context("the simulated provider cannot be started")?;
    provider.delays(TaskKind::ResetPassword, seconds(0.3, 1.5));
    provider.delays(TaskKind::Reinstall, seconds(0.5, 4.0));
    let port = free_port()?;
    let mut hosts = Vec::new();
    for (at, (id, label)) in (1_u8..).zip(SERVERS) {
        let address = IpAddr::V4(Ipv4Addr::new(127, 77, 0, at));
        let host = SimHost::start(address, port, &random_password())?;
        let spec = ServerSpec { label: label.to_owned(), ..ServerSpec::new(id) };
        provider.add_server(spec, host.clone());
        hosts.push(host);
    }
    let config = configuration(dir, &provider, port)?;
    // Made here, since nobody needs to be told to back up the key of a demo.
    Keyring::open_or_create(&config.master_key_file)?;
    let mut process = Process::open(config).await?;
    start_logging(&process.config)?;
    process.take_over().await?;
    println!(
        "\n  RACKHAND DEMO. Nothing here is real but Rackhand itself: the provider and\n  its {} servers are simulated in \
         this process, and all of it is gone when you\n  leave (Ctrl-D).\n",
        hosts.len()
    );
    prepare(&process).await?;
    println!(
        "\n  You are an admin. Try:  /servers   /rebuild vps-267179   /status   /help\n  Buttons have numbers: type what \
         stands before one to press it.\n"
    );
    let ended = chat::talk(&process).await?;
    println!("\n  The demo is over, and all of it is gone.");
    Ok(ended)
}

/// Sets the first servers up before anybody is there to be told, by the same jobs as ever.
async fn prepare(process: &Process) -> anyhow::Result<()> {
    print!("  Setting up {PREPARED} of them first ");
    let stop = CancellationToken::new();
    let working = process.run(None, Parts { bot: false, worker: true, api: false }, &stop);
    let watching = async {
        let watched = watch(process).await;
        stop.cancel();
        watched
    };
    let (worked, watched) = tokio::join!(working, watching);
    worked.and(watched)
}

async fn watch(process: &Process) -> anyhow::Result<()> {
    let actor = Actor::shell();
    loop {
        let Answer::Done(servers) = process.ops.call::<ListServers>(&actor, &ListServersInput::default(), None).await?
        else {
            continue;
        };
        for server in servers.items.iter().take(PREPARED).filter(|server| !server.managed) {
            let input = HandleInput { handle: server.handle.clone() };
            process.ops.call::<ManageServer>(&actor, &input, None).await?;
        }
        if servers.items.iter().filter(|server| server.status == ServerStatus::Ready).count() >= PREPARED {
            println!("done.");
            return Ok(());
        }
        print!(".");
        std::io::Write::flush(&mut std::io::stdout())?;
        process.ops.clock.sleep(Duration::from_millis(500)).await;
    }
}

fn configuration(dir: &Path, provider: &Time4VpsSim, port: u16) -> anyhow::Result<config::Config> {
    let program = std::env::current_exe()?;
    std::fs::create_dir_all(dir)?;
    let ansible = sim_ansible::write_wrapper(dir, &program, "simulated-ansible-playbook")?;
    let settings = [
        ("RACKHAND_DATA_DIR", dir.display().to_string()),
        ("TIME4VPS_BASE_URL", provider.url().to_owned()),
        ("TIME4VPS_USERNAME", provider.username().to_owned()),
        ("TIME4VPS_PASSWORD", provider.password().to_owned()),
        ("RACKHAND_SSH_PORT", port.to_string()),
        ("RACKHAND_ANSIBLE_BIN", ansible.display().to_string()),
        ("RACKHAND_SYNC_INTERVAL_S", "5".to_owned()),
        ("PASSWORD_RESET_POLL_INTERVAL", "0.5".to_owned()),
        ("RACKHAND_REINSTALL_POLL_S", "0.5".to_owned()),
        ("RACKHAND_SSH_POLL_S", "0.3".to_owned()),
        ("RACKHAND_WORK_POLL_MS", "100".to_owned()),
        ("RACKHAND_NOTIFY_CHAT_PER_SECOND", "20".to_owned()),
        ("RACKHAND_LOG", "off".to_owned()),
    ];
    let env = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    config::load(env, None).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// A port that is free on every loopback address that the demo uses.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::new(127, 77, 0, 1), 0))?.local_addr()?.port())
}

fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

fn seconds(taken: f64, completed: f64) -> Delays {
    Delays { taken: Duration::from_secs_f64(taken), completed: Duration::from_secs_f64(completed) }
}
