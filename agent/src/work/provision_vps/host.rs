//! The steps on the host: be let in, run the playbooks, verify by our own eyes.

use std::time::Duration;

use rackhand_core::{
    clients::{
        ansible::{AnsibleError, Login, Playbook, PlaybookEvent, PlaybookRun},
        ssh::{self, Auth, HostFacts, HostKey, Session, SshError, Target},
    },
    model::{EventLevel, ProvisionParams, Reason},
    work::{StepCx, Verdict},
};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::{Halt, ProvisionVps, reasons};

/// One login, from the first packet to the shell.
const LOGIN_DEADLINE: Duration = Duration::from_secs(15);
/// Our whole list of checks.
const FACTS_DEADLINE: Duration = Duration::from_mins(1);
/// The ports that are open in the end, and no others.
const OPEN_PORTS: [u16; 3] = [22, 80, 443];
/// Less free disk than this is no ready server, in MiB.
const LEAST_DISK_MIB: u64 = 512;
/// Events of a playbook that may wait to be written down.
const EVENTS_WAITING: usize = 256;
/// The account that a rented server gives us.
const ROOT: &str = "root";

impl ProvisionVps {
    /// Waits until the host lets us in, and pins its key.
    pub(super) async fn await_ssh(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let pinned = self.pinned(cx, params).await?;
        match self.let_in(cx, params, pinned).await? {
            Ok(session) => {
                let key = session.host_key().to_string();
                let mut tx = cx.begin().await?;
                tx.pin_host_key(params.server, Some(&key), cx.now()).await?;
                Ok(cx.commit_done(tx, json!({ "host_key": key })).await?)
            }
            Err(SshError::HostKeyChanged { pinned, seen }) => {
                let reason = reasons::identity("host_key", &pinned.to_string(), &seen.to_string());
                Ok(Verdict::Park(reason))
            }
            Err(error) if cx.now().since(cx.step.started_at) > self.times.ssh_limit => {
                let seconds = self.times.ssh_limit.as_secs();
                let reason = reasons::ssh(&error);
                let text = format!("the host did not let us in within {seconds} s: {}", reason.text);
                Ok(Verdict::Fail(Reason { text, ..reason }.with("seconds", seconds)))
            }
            // OpenSSH 9.8 and later shuts out for a while whoever is refused too often in a row.
            Err(error @ SshError::AuthRefused) => {
                Ok(Verdict::Wait { reason: reasons::ssh(&error), after: self.times.ssh_poll * 2 })
            }
            Err(error) => Ok(Verdict::Wait { reason: reasons::ssh(&error), after: self.times.ssh_poll }),
        }
    }

    /// Our key in, passwords out.
    pub(super) async fn access(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        // Run again after a crash, the password may be locked out already, and then the key is in.
        let pinned = self.pinned(cx, params).await?;
        let login = match self.kept_password(cx, params).await? {
            Some(password) if self.logs_in(params, pinned, Auth::Password(&password)).await => {
                Login::Password(password)
            }
            _ => Login::Key(self.tools.key.path().to_owned()),
        };
        self.play(cx, params, Playbook::Access, login).await
    }

    /// Everything that each server has.
    pub(super) async fn base(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let login = Login::Key(self.tools.key.path().to_owned());
        self.play(cx, params, Playbook::Base, login).await
    }

    /// Looks for itself; Ansible's word is not enough.
    pub(super) async fn verify(&self, cx: &mut StepCx, params: &ProvisionParams) -> Result<Verdict, Halt> {
        let pinned = self.pinned(cx, params).await?;
        let target = self.target(params, pinned)?;
        let retry = |error: SshError| Halt::Verdict(Verdict::Retry { reason: reasons::ssh(&error), after: None });
        let refused = ssh::password_refused(&target, ROOT, LOGIN_DEADLINE).await.map_err(retry)?;
        let session = ssh::login(&target, ROOT, Auth::Key(&self.tools.key), LOGIN_DEADLINE).await.map_err(retry)?;
        let facts = HostFacts::gather(&session, FACTS_DEADLINE).await.map_err(retry)?;
        let handle = cx.read().await?.require_server(params.server).await?.handle;
        let failed = failed_checks(&facts, refused, &handle);
        if !failed.is_empty() {
            let failed = failed.join(", ");
            let text = format!("the playbooks ran, but our own checks say otherwise: {failed}");
            return Ok(Verdict::Fail(Reason::new("verify-failed", text).with("failed", failed)));
        }
        cx.log(EventLevel::Info, "verified: key in, passwords out, Docker, firewall, timezone, hostname, fail2ban")
            .await?;
        Ok(Verdict::Done(json!({ "os": format!("{} {}", facts.os_id, facts.os_version) })))
    }

    /// Whether our key is let in right now.
    pub(super) async fn key_logs_in(&self, params: &ProvisionParams) -> bool {
        let pinned = params.host_key.as_deref().and_then(|line| line.parse().ok());
        self.logs_in(params, pinned, Auth::Key(&self.tools.key)).await
    }

    async fn logs_in(&self, params: &ProvisionParams, pinned: Option<HostKey>, auth: Auth<'_>) -> bool {
        let Ok(target) = self.target(params, pinned) else { return false };
        ssh::login(&target, ROOT, auth, LOGIN_DEADLINE).await.is_ok()
    }

    /// The key that the host shows right now.
    pub(super) async fn host_key(&self, params: &ProvisionParams) -> Result<HostKey, SshError> {
        let target = self.target(params, None).map_err(|_| SshError::Dropped)?;
        ssh::host_key(&target, LOGIN_DEADLINE).await
    }

    async fn let_in(
        &self,
        cx: &StepCx,
        params: &ProvisionParams,
        pinned: Option<HostKey>,
    ) -> Result<Result<Session, SshError>, Halt> {
        let target = self.target(params, pinned)?;
        if let Some(password) = self.kept_password(cx, params).await? {
            let tried = ssh::login(&target, ROOT, Auth::Password(&password), LOGIN_DEADLINE).await;
            // A host that was set up before may take no password at all; then our key counts.
            if !matches!(tried, Err(SshError::AuthRefused)) {
                return Ok(tried);
            }
        }
        Ok(ssh::login(&target, ROOT, Auth::Key(&self.tools.key), LOGIN_DEADLINE).await)
    }

    async fn play(
        &self,
        cx: &StepCx,
        params: &ProvisionParams,
        playbook: Playbook,
        login: Login,
    ) -> Result<Verdict, Halt> {
        let server = cx.read().await?.require_server(params.server).await?;
        let target = self.target(params, None)?;
        let Some(host_key) = server.host_key else {
            let text = "no host key is pinned: the host was never logged in to";
            return Ok(Verdict::Fail(Reason::new("ssh-refused", text).with("detail", text)));
        };
        let run = PlaybookRun {
            playbook,
            handle: server.handle.clone(),
            address: target.address,
            port: target.port,
            host_key: host_key.clone(),
            login,
            vars: self.variables(&server.handle),
            secrets: Vec::new(),
            limit: self.times.playbook,
            patience: self.tools.config.work.lease / 2,
        };
        let (events, mut incoming) = mpsc::channel(EVENTS_WAITING);
        let playing = self.tools.ansible.run(run, events);
        let telling = async {
            while let Some(event) = incoming.recv().await {
                if let Some((level, line)) = line(&event) {
                    cx.log(level, &line).await?;
                }
            }
            Ok::<(), Halt>(())
        };
        let (ended, told) = tokio::join!(playing, telling);
        told?;
        Ok(match ended {
            Ok(recap) => Verdict::Done(json!({ "ok": recap.ok, "changed": recap.changed })),
            Err(error @ (AnsibleError::Unreachable { .. } | AnsibleError::Broken { .. })) => {
                Verdict::Retry { reason: reasons::playbook(&error), after: None }
            }
            Err(AnsibleError::HostKeyChanged { .. }) => {
                Verdict::Park(reasons::identity("host_key", &host_key, "another one"))
            }
            Err(error @ AnsibleError::Missing { .. }) => Verdict::Park(reasons::playbook(&error)),
            Err(error) => Verdict::Fail(reasons::playbook(&error)),
        })
    }

    fn variables(&self, handle: &str) -> Map<String, Value> {
        let mut vars = Map::new();
        vars.insert("rackhand_public_key".into(), json!(self.tools.key.public_line()));
        // A login with it is tried before password login goes off: nobody is locked out.
        vars.insert("rackhand_private_key_file".into(), json!(self.tools.key.path()));
        vars.insert("rackhand_hostname".into(), json!(handle));
        vars
    }

    async fn pinned(&self, cx: &StepCx, params: &ProvisionParams) -> Result<Option<HostKey>, Halt> {
        let server = cx.read().await?.require_server(params.server).await?;
        let Some(line) = server.host_key else { return Ok(None) };
        // A pin that cannot be read is no reason to trust whatever answers.
        let unreadable = |_| Halt::Verdict(Verdict::Park(reasons::identity("host_key", &line, "unreadable")));
        line.parse().map(Some).map_err(unreadable)
    }

    fn target(&self, params: &ProvisionParams, pinned: Option<HostKey>) -> Result<Target, Halt> {
        let address = params.address.ok_or_else(|| {
            Halt::Verdict(Verdict::Fail(Reason::new("bad-params", "the job knows no address for its server")))
        })?;
        Ok(Target { address, port: self.tools.config.ssh.port, pinned })
    }
}

/// What is not as it should be, as codes.
fn failed_checks(facts: &HostFacts, password_refused: bool, handle: &str) -> Vec<String> {
    let mut failed = Vec::new();
    let mut check = |ok: bool, what: String| {
        if !ok {
            failed.push(what);
        }
    };
    check(password_refused && !facts.password_login, "password login is still possible".into());
    check(facts.docker_ok, "Docker does not run".into());
    check(facts.ufw_active, "the firewall is off".into());
    let mut ports = facts.ufw_ports.clone();
    ports.sort_unstable();
    check(ports == OPEN_PORTS && facts.ufw_other.is_empty(), format!("open ports are {ports:?} {:?}", facts.ufw_other));
    check(is_utc(&facts.timezone), format!("the timezone is {}", facts.timezone));
    check(facts.hostname == handle, format!("the hostname is {}", facts.hostname));
    check(facts.fail2ban_ok, "fail2ban does not run".into());
    check(facts.disk_free_mib >= LEAST_DISK_MIB, format!("{} MiB of disk are free", facts.disk_free_mib));
    failed
}

fn is_utc(timezone: &str) -> bool {
    matches!(timezone, "UTC" | "Etc/UTC" | "Etc/Universal" | "Universal" | "Zulu")
}

/// A playbook's event as a line of the job's story.
fn line(event: &PlaybookEvent) -> Option<(EventLevel, String)> {
    match event {
        PlaybookEvent::TaskStarted { number, total: Some(total), name } => {
            Some((EventLevel::Detail, format!("task {number} of {total}: {name}")))
        }
        PlaybookEvent::TaskStarted { number, total: None, name } => {
            Some((EventLevel::Detail, format!("task {number}: {name}")))
        }
        PlaybookEvent::TaskFailed { name, message, ignored: false } => {
            Some((EventLevel::Error, format!("failed: {name}: {message}")))
        }
        PlaybookEvent::TaskFailed { .. } | PlaybookEvent::TaskDone { .. } => None,
    }
}
