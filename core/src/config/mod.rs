//! What a deployment may choose: one TOML file, overlaid by environment variables, read once at start.
//!
//! Everything follows from one table (`settings.rs`): the typed result, the checks, `rackhand.example.toml` and
//! docs/configuration.md. All problems are reported together. Nothing here opens a database, calls out or makes a
//! directory, and the environment comes in as an argument.

mod api;
mod database;
mod glob;
mod ironic;
mod kind;
mod print;
mod problem;
mod reader;
mod settings;

use std::path::PathBuf;

pub use database::DatabaseUrl;
pub use glob::Glob;
pub use print::{docs, example};
pub use problem::{ConfigErrors, Problem};
pub use settings::{
    Ansible, Api, ApiAuth, ApiJwt, Approvals, Fleet, Ironic, IronicAuth, IronicInterface, JwtAlgorithm, Log, LogFormat,
    Mcp, Notify, Provisioning, Root, Ssh, Sync, Telegram, Time4Vps, Work,
};

use reader::Reader;

/// Everything a deployment chose, complete and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The directory that holds what Rackhand makes.
    pub data_dir: PathBuf,
    /// The database of record.
    pub database_url: DatabaseUrl,
    /// The file of the key that everything secret at rest hangs on.
    pub master_key_file: PathBuf,
    /// The bot's account.
    pub telegram: Telegram,
    /// The account at the provider of rented servers.
    pub time4vps: Time4Vps,
    /// The OpenStack Ironic that drives our bare machines.
    pub ironic: Ironic,
    /// How servers are logged in to.
    pub ssh: Ssh,
    /// How playbooks are run.
    pub ansible: Ansible,
    /// Which servers are ours to touch, and what is put on them.
    pub fleet: Fleet,
    /// How the provider's list is compared with ours.
    pub sync: Sync,
    /// The limits of setting up one server.
    pub provisioning: Provisioning,
    /// How a person allows what destroys.
    pub approvals: Approvals,
    /// How fast people may be written to.
    pub notify: Notify,
    /// The job engine.
    pub work: Work,
    /// The door for programs.
    pub api: Api,
    /// Whose tokens it trusts beside our own.
    pub api_jwt: ApiJwt,
    /// The door for language models.
    pub mcp: Mcp,
    /// What the process says about itself.
    pub log: Log,
    /// What is allowed and yet unwise, each a sentence to be shown at start.
    pub warnings: Vec<String>,
}

/// Reads the configuration: `file` if given, else the one named by `RACKHAND_CONFIG`, else `./rackhand.toml`, else
/// `/etc/rackhand/rackhand.toml`, else none; then the environment over it. A file that was named must exist.
/// A variable that is set to nothing counts as unset.
pub fn load(env: impl Fn(&str) -> Option<String>, file: Option<PathBuf>) -> Result<Config, ConfigErrors> {
    let mut reader = Reader::open(&env, file);
    let root = Root::read(&mut reader);
    let telegram = Telegram::read(&mut reader);
    let time4vps = Time4Vps::read(&mut reader);
    let ironic = Ironic::read(&mut reader);
    let ssh = Ssh::read(&mut reader);
    let ansible = Ansible::read(&mut reader);
    let fleet = Fleet::read(&mut reader);
    let sync = Sync::read(&mut reader);
    let provisioning = Provisioning::read(&mut reader);
    let approvals = Approvals::read(&mut reader);
    let notify = Notify::read(&mut reader);
    let work = Work::read(&mut reader);
    let api = Api::read(&mut reader);
    let api_jwt = ApiJwt::read(&mut reader);
    let mcp = Mcp::read(&mut reader);
    let log = Log::read(&mut reader);
    let (mut problems, warnings) = reader.finish();

    let whole = || {
        let Root { data_dir, database_url, master_key_file } = root?;
        Some(Config {
            data_dir,
            database_url,
            master_key_file,
            telegram: telegram?,
            time4vps: time4vps?,
            ironic: ironic?,
            ssh: ssh?,
            ansible: ansible?,
            fleet: fleet?,
            sync: sync?,
            provisioning: provisioning?,
            approvals: approvals?,
            notify: notify?,
            work: work?,
            api: api?,
            api_jwt: api_jwt?,
            mcp: mcp?,
            log: log?,
            warnings,
        })
    };
    let config = whole();
    problems.extend(config.as_ref().map(contradictions).unwrap_or_default());
    match config {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(ConfigErrors(problems)),
    }
}

/// Settings that are right each by itself and wrong together.
fn contradictions(config: &Config) -> Vec<Problem> {
    let Config { time4vps, ssh, provisioning, approvals, notify, work, api, .. } = config;
    let half_an_account = |path, missing: &str, other: &str| {
        Problem::new(path, "nothing", format!("{missing}, because {other} is set (or neither of them)"))
    };
    let mut problems = Vec::new();
    match (&time4vps.username, &time4vps.password) {
        (Some(_), None) => {
            problems.push(half_an_account("time4vps.password", "the account's password", "time4vps.username"));
        }
        (None, Some(_)) => {
            problems.push(half_an_account("time4vps.username", "the account's name", "time4vps.password"));
        }
        _ => {}
    }
    problems.extend(ironic::contradictions(&config.ironic));
    problems.extend(api::contradictions(api, &config.api_jwt));
    let pairs = [
        ("ssh.poll_s", ssh.poll, "ssh.await_limit_s", ssh.await_limit),
        ("provisioning.reset_poll_s", provisioning.reset_poll, "provisioning.reset_limit_s", provisioning.reset_limit),
        (
            "provisioning.reinstall_poll_s",
            provisioning.reinstall_poll,
            "provisioning.reinstall_limit_s",
            provisioning.reinstall_limit,
        ),
        ("approvals.warn_before_s", approvals.warn_before, "approvals.expires_s", approvals.expires),
        ("work.poll_ms", work.poll, "work.lease_s", work.lease),
    ];
    for (path, short, limit_path, limit) in pairs {
        if short >= limit {
            problems.push(Problem::new(
                path,
                format!("{short:?}"),
                format!("less than {limit_path}, which is {limit:?}"),
            ));
        }
    }
    if notify.chat_per_second > notify.per_second {
        problems.push(Problem::new(
            "notify.chat_per_second",
            notify.chat_per_second.to_string(),
            format!("at most notify.per_second, which is {}", notify.per_second),
        ));
    }
    problems
}
