//! The simulated `ansible-playbook` is like the real one for whoever runs it, and its effect is on the simulated server.

use std::{net::IpAddr, process::Command, sync::Arc, time::Duration};

use rackhand_core::{
    clients::{
        ansible::{Ansible, AnsibleError, Login, Playbook, PlaybookEvent, PlaybookRun, Recap, tree},
        ssh::OrchestratorKey,
    },
    secret::Secret,
};
use rackhand_tests::{
    sim_ansible::write_wrapper,
    sim_host::{Fault, FaultKind, SimHost},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc::channel;

use crate::{
    ansible::named_by_a_process,
    harness::{Peer, SOON, need, program},
};

const PASSWORD: &str = "first password";

/// A simulated server, and a runner whose program is the simulation.
struct Lab {
    dir: TempDir,
    host: Arc<SimHost>,
    key: OrchestratorKey,
    ansible: Ansible,
}

impl Lab {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let wrapper = write_wrapper(dir.path(), &program("rackhand"), "simulated-ansible-playbook").unwrap();
        Self {
            host: SimHost::start(IpAddr::from([127, 0, 0, 1]), 0, PASSWORD).unwrap(),
            key: OrchestratorKey::load_or_generate(&dir.path().join("id_ed25519")).unwrap(),
            ansible: Ansible::new(Some(wrapper), tree::unpack(dir.path()).unwrap(), dir.path().join("run")),
            dir,
        }
    }

    fn by_password(&self, password: &str) -> PlaybookRun {
        let vars = json!({
            "rackhand_public_key": self.key.public_line(), "rackhand_hostname": "node-7", "rackhand_sim_task_ms": 1,
        });
        let Value::Object(vars) = vars else { unreachable!() };
        PlaybookRun {
            playbook: Playbook::Access,
            handle: "vps-1".to_owned(),
            address: [127, 0, 0, 1].into(),
            port: self.host.port(),
            host_key: self.host.host_key().to_string(),
            login: Login::Password(Secret::new(password)),
            vars,
            secrets: Vec::new(),
            limit: SOON,
            patience: SOON,
        }
    }

    fn by_key(&self, playbook: Playbook) -> PlaybookRun {
        PlaybookRun { playbook, login: Login::Key(self.key.path().to_owned()), ..self.by_password("") }
    }

    /// Its end, and the names of the tasks that were started.
    async fn run(&self, run: PlaybookRun) -> (Result<Recap, AnsibleError>, Vec<String>) {
        let (sender, mut events) = channel(200);
        let end = self.ansible.run(run, sender).await;
        let mut names = Vec::new();
        while let Some(event) = events.recv().await {
            if let PlaybookEvent::TaskStarted { number, total, name } = event {
                names.push(name);
                assert!(number as usize == names.len() && total >= Some(number), "{number} of {total:?}");
            }
        }
        (end, names)
    }
}

#[tokio::test]
async fn playbooks_change_the_simulated_server_once() {
    let lab = Lab::new();
    let refused = lab.run(lab.by_key(Playbook::Base)).await.0.unwrap_err();
    assert!(matches!(&refused, AnsibleError::Unreachable { message } if message.contains("denied")), "{refused:?}");

    assert!(lab.run(lab.by_password(PASSWORD)).await.0.unwrap().changed > 0);
    let refused = lab.run(lab.by_password(PASSWORD)).await.0.unwrap_err();
    assert!(matches!(refused, AnsibleError::Unreachable { .. }), "passwords are off: {refused:?}");
    assert_eq!(lab.run(lab.by_key(Playbook::Access)).await.0.unwrap().changed, 0);

    let (first, names) = lab.run(lab.by_key(Playbook::Base)).await;
    assert!(first.unwrap().changed > 0);
    assert!(names.contains(&"Set the hostname to node-7".to_owned()), "{names:?}");
    assert_eq!((lab.host.state().hostname.as_str(), lab.host.state().docker), ("node-7", true));
    let again = lab.run(lab.by_key(Playbook::Base)).await.0.unwrap();
    assert_eq!((again.changed, again.ok as usize), (0, names.len()));

    let checks = lab.run(lab.by_key(Playbook::HealthCheck)).await.0.unwrap().health.unwrap();
    assert!(checks.as_array().unwrap().iter().all(|check| check["ok"] == true), "{checks}");
}

#[tokio::test]
async fn planned_faults_come_at_their_task() {
    let lab = Lab::new();
    let cases = [
        (FaultKind::Failed("no space".to_owned()), "failed: no space"),
        (FaultKind::Unreachable, "out of reach"),
        (FaultKind::Hang, "stopped after 2 s"),
    ];
    for (kind, words) in cases {
        lab.host.fail_playbook("access", Fault { at_task: 3, kind });
        let run = PlaybookRun { limit: Duration::from_secs(2), ..lab.by_password(PASSWORD) };
        let (end, names) = lab.run(run).await;
        let error = end.unwrap_err().to_string();
        assert!(error.contains(words), "{error} has no {words}");
        assert_eq!(names.len(), 3);
    }
    let pinned = lab.by_password(PASSWORD);
    lab.host.change_host_key();
    let error = lab.run(pinned).await.0.unwrap_err().to_string();
    assert!(error.contains("not the pinned one"), "{error}");
    lab.host.down().await;
    let error = lab.run(lab.by_password(PASSWORD)).await.0.unwrap_err().to_string();
    assert!(error.contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn its_tasks_are_those_of_the_real_one() {
    let Some(program) = need(Peer::Ansible) else { return };
    let lab = Lab::new();
    lab.run(lab.by_password(PASSWORD)).await.0.unwrap();
    let tree = tree::unpack(lab.dir.path()).unwrap();
    for playbook in [Playbook::Access, Playbook::Base, Playbook::HealthCheck] {
        let (end, names) = lab.run(lab.by_key(playbook)).await;
        end.unwrap();
        let listed = Command::new(&program)
            .args(["-i", "localhost,", "--list-tasks"])
            .arg(tree.join(playbook.file()))
            .env("ANSIBLE_CONFIG", tree.join("ansible.cfg"))
            .env("ANSIBLE_HOME", lab.dir.path())
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let real: Vec<&str> = listed
            .lines()
            .filter_map(|line| line.strip_prefix("      ")?.split("\tTAGS").next())
            // What is for Ansible itself is listed, and runs without an event.
            .filter(|name| *name != "Close the connection")
            .collect();
        assert_eq!(real.len(), names.len(), "{real:?} {names:?}");
        for (real, name) in real.into_iter().zip(names).filter(|(real, _)| !real.contains("{{")) {
            assert_eq!(real.split(" : ").last().unwrap(), name);
        }
    }
}

#[tokio::test]
async fn the_real_one_logs_in_with_the_same_files() {
    let Some(program) = need(Peer::Ansible) else { return };
    let mut lab = Lab::new();
    lab.host.change(|state| state.authorized_keys.push(lab.key.public_line().parse().unwrap()));
    let tree = tree::unpack(lab.dir.path()).unwrap();
    lab.ansible = Ansible::new(Some(program.into()), tree, lab.dir.path().join("run"));

    // It gets in, and there finds a shell that knows no Python.
    for run in [lab.by_password(PASSWORD), lab.by_key(Playbook::Access)] {
        let error = lab.run(run).await.0.unwrap_err();
        assert!(
            matches!(&error, AnsibleError::TaskFailed { task, .. } if task == "Make sure that Python is there"),
            "{error:?}"
        );
        assert!(!named_by_a_process(lab.dir.path()), "ssh keeps a connection past the run");
    }
    let logins = lab.host.state().logins;
    assert!(logins.password > 0 && logins.key > 0 && logins.refused == 0, "{logins:?}");

    let wrong = lab.run(lab.by_password("{{ 7 * 7 }} \"wrong'")).await.0.unwrap_err();
    assert!(matches!(wrong, AnsibleError::Unreachable { .. }), "{wrong:?}");
    let pinned = lab.by_password(PASSWORD);
    lab.host.change_host_key();
    let changed = lab.run(pinned).await.0.unwrap_err().to_string();
    assert!(changed.contains("not the pinned one"), "{changed}");
}
