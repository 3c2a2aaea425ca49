//! How soon `rackhand serve` is ready, and how much memory it holds when nothing is asked of it: `idle PROGRAM [SECONDS]`,
//! its REST door open, beside a simulated Telegram and a simulated provider with six servers.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::IpAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use rackhand_core::clock::{Clock, SystemClock};
use rackhand_tests::{
    sim_ansible,
    sim_host::SimHost,
    telegram::Telegram,
    time4vps::{ServerSpec, Time4VpsSim},
};

/// A process that is ended when this goes.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args().skip(1);
    let program = PathBuf::from(args.next().context("PROGRAM is missing")?).canonicalize()?;
    let seconds = args.next().map_or(Ok(10), |text| text.parse())?;

    let dir = tempfile::tempdir()?;
    let provider = Time4VpsSim::start(Arc::new(SystemClock)).await?;
    for last in 1..=6_u8 {
        let host = SimHost::start(IpAddr::from([127, 79, 0, last]), 2222, "as-delivered")?;
        provider.add_server(ServerSpec::new(267_178 + i64::from(last)), host);
    }
    let telegram = Telegram::start().await?;
    let ansible = sim_ansible::write_wrapper(dir.path(), &program, "simulated-ansible-playbook")?;

    let (clock, started) = (SystemClock, SystemClock.now());
    let mut child = Command::new(&program)
        .arg("serve")
        .current_dir(dir.path())
        .env_clear()
        .env("RACKHAND_DATA_DIR", dir.path().join("data"))
        .env("TELEGRAM_BOT_TOKEN", telegram.token())
        .env("TELEGRAM_API_URL", telegram.api_url())
        .env("TIME4VPS_BASE_URL", provider.url())
        .env("TIME4VPS_USERNAME", provider.username())
        .env("TIME4VPS_PASSWORD", provider.password())
        .env("RACKHAND_SSH_PORT", "2222")
        .env("RACKHAND_ANSIBLE_BIN", ansible)
        .env("RACKHAND_API_LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let story = BufReader::new(child.stderr.take().context("its log")?);
    let status = format!("/proc/{}/status", child.id());
    let _child = Ended(child);
    // Kept to the end, as a log that nobody reads any more is one that cannot be written.
    let mut story = story.lines().map_while(Result::ok);
    let ready = story.find(|line| line.contains("ready")).context("it never was ready")?;
    println!("ready after {} ms: {ready}", clock.now().0 - started.0);

    clock.sleep(Duration::from_secs(seconds)).await;
    println!("after {seconds} s of nothing to do:");
    let status = fs::read_to_string(status)?;
    let wanted = |line: &&str| ["VmRSS", "VmHWM", "RssAnon", "Threads"].iter().any(|name| line.starts_with(name));
    status.lines().filter(wanted).for_each(|line| println!("  {line}"));
    Ok(())
}
