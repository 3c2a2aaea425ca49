//! `rackhand bench api`: what Rackhand costs between a program and a fast upstream.
//!
//! The same questions go to an Ironic that answers at once, directly and through a Rackhand of its own process, in turns,
//! so that what else happens on the machine meets both.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use rackhand_core::{
    clock::{Clock, SystemClock},
    config::{self, Config},
    keyring::Keyring,
    model::{Actor, Role},
    ops::{Answer, CreateToken, CreateTokenInput},
};
use rackhand_tests::{
    fast_ironic::{FastIronic, UUID},
    load::{Measured, Question},
};

use super::Scratch;
use crate::process::Process;

/// Questions that are asked at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// How often each is measured; the median counts.
const ROUNDS: usize = 5;
/// How long one measurement takes.
const ROUND: Duration = Duration::from_secs(1);
/// How long Rackhand may take to open its door.
const SOON: Duration = Duration::from_secs(10);

/// Measures and prints: requests per second, the times that answers take, and what of the upstream's speed is left.
pub async fn api(dir: &Path) -> anyhow::Result<()> {
    let scratch = Scratch::new(dir)?;
    let upstream = FastIronic::start().await?;
    let door = free_address()?;
    let file = scratch.0.join("rackhand.toml");
    fs::write(&file, configuration(&scratch.0, door, upstream.address()))?;
    let token = token(&file).await?;
    let rackhand = Rackhand::start(&file, door).await?;

    let direct = Question::new(
        upstream.address(),
        &format!("/v1/nodes/{UUID}"),
        &["X-OpenStack-Ironic-API-Version: 1.56".to_owned()],
    );
    let bearer = format!("Authorization: Bearer {token}");
    let through = Question::new(door, &format!("/api/v1/provision/{UUID}"), &[bearer]);
    println!("GET /api/v1/provision/{{id}} through Rackhand, and GET /v1/nodes/{{id}} of the same upstream, directly.");
    println!(
        "Asker, upstream and Rackhand share this machine: where they fill it, processor time says more than rates."
    );
    println!("Rackhand holds {}", rackhand.memory()?);
    // The last one twice: what is held grows with who asks at once, and not with how much was asked.
    for connections in CONNECTIONS.into_iter().chain(CONNECTIONS.last().copied()) {
        measure(connections, &direct, &through, &rackhand).await?;
    }
    Ok(())
}

async fn measure(connections: usize, direct: &Question, through: &Question, rackhand: &Rackhand) -> anyhow::Result<()> {
    direct.ask(connections, ROUND / 2).await?;
    through.ask(connections, ROUND / 2).await.context("Rackhand")?;
    let (mut directly, mut relayed) = (Vec::new(), Vec::new());
    let (mut beside, mut around, mut own) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let here = std::process::id();
    for _ in 0..ROUNDS {
        let began = busy(here)?;
        directly.push(direct.ask(connections, ROUND).await?);
        let (between, before) = (busy(here)?, busy(rackhand.0.id())?);
        relayed.push(through.ask(connections, ROUND).await.context("Rackhand")?);
        beside += between.saturating_sub(began);
        around += busy(here)?.saturating_sub(between);
        own += busy(rackhand.0.id())?.saturating_sub(before);
    }
    let (beside, around, own) = (each(beside, &directly)?, each(around, &relayed)?, each(own, &relayed)?);
    let (directly, relayed) = (median(directly), median(relayed));
    println!(
        "{connections:>3} at once: {} directly, {} through Rackhand: {:.0} % of the requests/s, p50 {:.1} times as long, \
         p99 {:.1} times",
        words(&directly),
        words(&relayed),
        100.0 * relayed.per_second / directly.per_second,
        relayed.p50.as_secs_f64() / directly.p50.as_secs_f64(),
        relayed.p99.as_secs_f64() / directly.p99.as_secs_f64(),
    );
    println!(
        "             processor for each answer: {beside} us of asker and upstream directly; {own} us of Rackhand and \
         {around} us of the others through it. Rackhand holds {}",
        rackhand.memory()?,
    );
    Ok(())
}

/// Processor time for each answer, in us.
fn each(busy: Duration, rounds: &[Measured]) -> anyhow::Result<u128> {
    let answers = u32::try_from(rounds.iter().map(|round| round.answers).sum::<usize>())?.max(1);
    Ok((busy / answers).as_micros())
}

fn words(measured: &Measured) -> String {
    let ms = |wait: Duration| wait.as_secs_f64() * 1_000.0;
    format!("{:.0}/s (p50 {:.2} ms, p99 {:.2} ms)", measured.per_second, ms(measured.p50), ms(measured.p99))
}

/// The round in the middle.
fn median(mut rounds: Vec<Measured>) -> Measured {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    rounds.swap_remove(rounds.len() / 2)
}

fn configuration(dir: &Path, door: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "data_dir = \"{}\"\n[api]\nlisten = \"{door}\"\nrequests_per_minute = 1000000\n\
         [ironic]\nurl = \"http://{upstream}\"\n",
        dir.join("data").display()
    )
}

async fn token(file: &Path) -> anyhow::Result<String> {
    let config: Config =
        config::load(|_| None, Some(file.to_owned())).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    fs::create_dir_all(&config.data_dir)?;
    // Made here, since nobody needs to be told to back up the key of a bench.
    Keyring::open_or_create(&config.master_key_file)?;
    let process = Process::open(config).await?;
    let input = CreateTokenInput { name: "bench".to_owned(), role: Role::Viewer, expires_days: None };
    let answer = process.ops.call::<CreateToken>(&Actor::shell(), &input, None).await?;
    process.ops.store.close().await;
    match answer {
        Answer::Done(new) => Ok(new.secret),
        Answer::AwaitingApproval(id) => bail!("it waits for an approval: {id}"),
    }
}

/// A port that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// This program as a process of its own, with its door only. Dropped, it is killed.
struct Rackhand(Child);

impl Rackhand {
    async fn start(file: &Path, door: SocketAddr) -> anyhow::Result<Self> {
        let mut command = Command::new(this_program()?);
        let child = command
            .arg("--config")
            .arg(file)
            .args(["serve", "--only", "api"])
            .env_clear()
            .stderr(Stdio::null())
            .spawn()?;
        let mut rackhand = Self(child);
        let open = async {
            while tokio::net::TcpStream::connect(door).await.is_err() {
                if let Some(ended) = rackhand.0.try_wait()? {
                    bail!("Rackhand ended at once: {ended}");
                }
                SystemClock.sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        };
        tokio::time::timeout(SOON, open).await.context("Rackhand does not open its door")??;
        Ok(rackhand)
    }

    /// What it holds of the machine's memory: its own, and with the parts of its file that are loaded.
    fn memory(&self) -> anyhow::Result<String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let mib = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a line of /proc")?;
            let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kib / 1024.0)
        };
        Ok(format!("{:.1} MiB ({:.1} with its program)", mib("RssAnon:")?, mib("VmRSS:")?))
    }
}

/// How long a process has kept processors busy, in itself and in the kernel.
fn busy(process: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in brackets may hold anything; the 12th and 13th number behind it are what is wanted.
    let (_, numbers) = stat.rsplit_once(") ").context("stat")?;
    let ticks = numbers.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second().max(1)))
}

impl Drop for Rackhand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn this_program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("where this program is")
}
