//! Logins, pins and a machine's life, on the simulated host.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::join_all;
use rackhand_core::{
    clients::ssh::{Auth, HostFacts, OrchestratorKey, SshError, banner, host_key, login, password_refused},
    clock::{Manual, ManualClock},
    fault::{Fault as _, FaultKind},
    secret::Secret,
    units::Timestamp,
};
use rackhand_tests::{
    host::Host,
    sim_host::{Fault, FaultKind as Kind, Logins, SimHost},
};

use super::{HERE, PATIENCE, PLENTY, SHORT, by_password, host, mode, private_dir, said, target};

#[tokio::test]
async fn nothing_is_said_to_a_host_with_another_key_than_the_pinned_one() {
    let host = host();
    let session = by_password(&target(&host, None), "Welcome-1").await.unwrap();
    let pinned = target(&host, Some(session.host_key().clone()));
    assert_eq!(session.host_key(), &host.host_key());
    assert_eq!(host_key(&pinned, PATIENCE).await.unwrap(), host.host_key());
    assert!(banner(&pinned, PATIENCE).await.unwrap().starts_with("SSH-2.0-"));

    host.change_host_key();
    let before = host.state().logins;
    let expected = |error: SshError| match error {
        SshError::HostKeyChanged { pinned: was, seen } => {
            assert_eq!((Some(&was), &seen), (pinned.pinned.as_ref(), &host.host_key()));
        }
        other => panic!("{other:?}"),
    };
    expected(by_password(&pinned, "Welcome-1").await.unwrap_err());
    expected(host_key(&pinned, PATIENCE).await.unwrap_err());
    expected(password_refused(&pinned, "root", PATIENCE).await.unwrap_err());
    assert_eq!(host.state().logins, before);
    // The line of the key survives the way into the database and back.
    assert_eq!(host.host_key().to_string().parse(), Ok(host.host_key()));
    assert!(host.host_key().fingerprint().starts_with("SHA256:"));
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_host_that_is_down_and_from_one_that_is_frozen() {
    let host = host();
    let target = target(&host, None);
    let session = by_password(&target, "Welcome-1").await.unwrap();
    let wrong = by_password(&target, "Welcome-2").await.unwrap_err();
    assert!(matches!(wrong, SshError::AuthRefused), "{wrong:?}");
    assert_eq!(wrong.kind(), FaultKind::Unauthenticated);
    assert_eq!(host.state().logins, Logins { password: 1, key: 0, refused: 1 });

    host.freeze().await;
    assert!(matches!(banner(&target, SHORT).await, Err(SshError::NoBanner)));
    let frozen = login(&target, "root", Auth::Password(&Secret::new("Welcome-1")), SHORT).await;
    assert!(matches!(frozen, Err(SshError::NoBanner)), "{frozen:?}");
    let waiting = session.run("true", None, SHORT, PLENTY).await;
    assert!(matches!(waiting, Err(SshError::Timeout { .. })), "{waiting:?}");
    host.thaw().await;
    assert_eq!(said(&session, "true").await, "");

    host.down().await;
    let down = banner(&target, PATIENCE).await.unwrap_err();
    assert!(matches!(down, SshError::Unreachable { .. }), "{down:?}");
    let dropped = session.run("true", None, PATIENCE, PLENTY).await;
    assert!(matches!(dropped, Err(SshError::Dropped)), "{dropped:?}");
    host.up().await.unwrap();
    by_password(&target, "Welcome-1").await.unwrap();
}

#[tokio::test]
async fn a_host_is_set_up_as_the_playbooks_do() {
    let (_dir, dir) = private_dir();
    let key = OrchestratorKey::load_or_generate(&dir.join("id_ed25519")).unwrap();
    let host = host();
    let target = target(&host, Some(host.host_key()));
    let session = by_password(&target, "Welcome-1").await.unwrap();
    assert!(!password_refused(&target, "root", PATIENCE).await.unwrap());
    let fresh = HostFacts::gather(&session, PATIENCE).await.unwrap();
    assert_eq!((fresh.hostname.as_str(), fresh.timezone.as_str()), ("fresh-vps", "Etc/GMT+5"));
    assert!(fresh.password_login && !fresh.docker_ok && !fresh.ufw_active && !fresh.fail2ban_ok);
    let early = login(&target, "root", Auth::Key(&key), PATIENCE).await;
    assert!(matches!(early, Err(SshError::AuthRefused)), "{early:?}");

    let access = format!("rackhand-sim apply access {}", STANDARD.encode(key.public_line()));
    assert_eq!(said(&session, &access).await, "changed=3\n");
    assert_eq!(said(&session, &access).await, "changed=0\n");
    assert!(password_refused(&target, "root", PATIENCE).await.unwrap());
    let by_key = login(&target, "root", Auth::Key(&key), PATIENCE).await.unwrap();
    assert_eq!(said(&by_key, "rackhand-sim apply base vps-7").await, "changed=5\n");
    assert_eq!(said(&by_key, "rackhand-sim apply base vps-7").await, "changed=0\n");

    let ready = HostFacts::gather(&by_key, PATIENCE).await.unwrap();
    assert_eq!((ready.hostname.as_str(), ready.timezone.as_str()), ("vps-7", "Etc/UTC"));
    assert_eq!((ready.ufw_ports, ready.ufw_other), (vec![22, 80, 443], vec![]));
    assert!(!ready.password_login && ready.docker_ok && ready.ufw_active && ready.fail2ban_ok);

    host.lose_key();
    let lost = login(&target, "root", Auth::Key(&key), PATIENCE).await;
    assert!(matches!(lost, Err(SshError::AuthRefused)), "{lost:?}");
}

#[tokio::test]
async fn planned_faults_of_playbooks_are_met_once_each() {
    let host = host();
    let session = by_password(&target(&host, None), "Welcome-1").await.unwrap();
    host.fail_playbook("access", Fault { at_task: 3, kind: Kind::Failed("no\nspace left".to_owned()) });
    host.fail_playbook_times("base", Fault { at_task: 1, kind: Kind::Unreachable }, 2);
    host.fail_playbook("base", Fault { at_task: 9, kind: Kind::Hang });
    let fault = async |playbook: &str| said(&session, &format!("rackhand-sim fault {playbook}")).await;
    assert_eq!(fault("access").await, "failed 3 no space left\n");
    assert_eq!(fault("access").await, "none\n");
    let base = [fault("base").await, fault("base").await, fault("base").await, fault("base").await];
    assert_eq!(base, ["unreachable 1\n", "unreachable 1\n", "hang 9\n", "none\n"]);
    assert_eq!(
        said(&session, "rackhand-sim task base 1").await + &said(&session, "rackhand-sim task base 2").await,
        ""
    );
    assert_eq!(host.state().tasks["base"], 2);
    assert_eq!(session.run("reboot", None, PATIENCE, PLENTY).await.unwrap().status, 127);
    let script = session.run("sh -s", Some(b"rm -rf /"), PATIENCE, PLENTY).await.unwrap();
    assert_eq!(script.status, 127);
}

#[tokio::test]
async fn an_old_password_lingers_and_a_reinstalled_host_is_another_one() {
    let clock = ManualClock::new(Timestamp(1_000));
    let host = SimHost::start_with(HERE, 0, "Welcome-1", Arc::new(Manual(clock.clone()))).unwrap();
    let target = target(&host, None);
    host.keep_old_password(Duration::from_secs(5)).await;
    host.set_root_password("Welcome-2").await;
    by_password(&target, "Welcome-1").await.unwrap();
    by_password(&target, "Welcome-2").await.unwrap();
    clock.advance(Duration::from_secs(5));
    assert!(matches!(by_password(&target, "Welcome-1").await, Err(SshError::AuthRefused)));

    let before = host.host_key();
    host.reinstall("debian-12", None, "Welcome-3").await;
    assert!(matches!(banner(&target, PATIENCE).await, Err(SshError::Unreachable { .. })));
    clock.advance(Duration::from_secs(1));
    // It comes up by itself; until then the machine refuses connections.
    let session = loop {
        match by_password(&target, "Welcome-3").await {
            Err(SshError::Unreachable { .. }) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    assert_ne!(session.host_key(), &before);
    let state = host.state();
    assert_eq!((state.os.as_str(), state.reinstalls, state.reboots), ("debian-12", 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_logins_at_once() {
    let host = host();
    let target = target(&host, Some(host.host_key()));
    let sessions = join_all((0..200).map(|_| by_password(&target, "Welcome-1"))).await;
    let sessions: Vec<_> = sessions.into_iter().collect::<Result<_, _>>().unwrap();
    let answers = join_all(sessions.iter().map(|session| said(session, "true"))).await;
    assert_eq!((answers.len(), host.state().logins.password), (200, 200));
}

#[tokio::test]
async fn our_key_is_made_once_and_kept_from_others() {
    let (_dir, dir) = private_dir();
    let path = dir.join("keys/id_ed25519");
    let made = OrchestratorKey::load_or_generate(&path).unwrap();
    let public = std::fs::read_to_string(dir.join("keys/id_ed25519.pub")).unwrap();
    assert_eq!(public.trim_end(), made.public_line());
    assert_eq!((mode(&path), mode(path.parent().unwrap()), made.path()), (0o600, 0o700, path.as_path()));
    assert_eq!(OrchestratorKey::load_or_generate(&path).unwrap().public_line(), made.public_line());
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 2);

    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, open).unwrap();
    let exposed = OrchestratorKey::load_or_generate(&path).unwrap_err();
    assert!(exposed.to_string().ends_with("others can read it (mode 644): chmod 600 it"), "{exposed}");
    assert_eq!(exposed.kind(), FaultKind::NeedsPerson);
}
