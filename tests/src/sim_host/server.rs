//! The SSH server of a simulated machine: who gets in, and how commands and their input arrive.

use std::{collections::HashMap, sync::Arc, time::Duration};

use russh::{
    Channel, ChannelId, Error, MethodKind, MethodSet, SshId,
    server::{Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey, run_stream},
};

use super::{Machine, control::Answer, power::Line, state::public};

/// The most that a command may be given as input, in bytes.
const STDIN_LIMIT: usize = 1024 * 1024;

/// Talks to one client until it leaves.
pub(super) async fn serve(machine: Arc<Machine>, line: Line) {
    let config = Arc::new(config(&machine));
    let visit = Visit { machine, shells: HashMap::new() };
    if let Ok(session) = run_stream(config, line, visit).await {
        // A client that breaks off is nothing to report.
        let _ = session.await;
    }
}

fn config(machine: &Machine) -> Config {
    let state = machine.lock();
    let mut methods = MethodSet::from([MethodKind::PublicKey].as_slice());
    if state.password_login {
        methods.push(MethodKind::Password);
    }
    Config {
        server_id: SshId::Standard("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10".into()),
        methods,
        keys: vec![state.pair.clone()],
        auth_rejection_time: Duration::ZERO,
        max_auth_attempts: 6,
        nodelay: true,
        ..Config::default()
    }
}

/// One client's connection.
struct Visit {
    machine: Arc<Machine>,
    /// Scripts whose input has not come to its end.
    shells: HashMap<ChannelId, (String, Vec<u8>)>,
}

impl Visit {
    /// Whether root's key or password `fits`; counts what does not.
    fn answer(&self, user: &str, fits: bool) -> Auth {
        if user == "root" && fits {
            return Auth::Accept;
        }
        self.machine.lock().logins.refused += 1;
        Auth::reject()
    }

    fn knows(&self, key: &russh::keys::PublicKey) -> bool {
        self.machine.lock().authorized_keys.contains(&public(key))
    }

    fn run(&self, command: &str, stdin: &[u8], channel: ChannelId, session: &mut Session) -> Result<(), Error> {
        let Answer { status, stdout, stderr } = self.machine.lock().run(command, stdin);
        if !stdout.is_empty() {
            session.data(channel, stdout)?;
        }
        if !stderr.is_empty() {
            session.extended_data(channel, 1, stderr)?;
        }
        session.exit_status_request(channel, status)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

impl Handler for Visit {
    type Error = Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Error> {
        let fits = self.machine.lock().lets_in(password, self.machine.clock.now());
        let answer = self.answer(user, fits);
        self.machine.lock().logins.password += u32::from(answer == Auth::Accept);
        Ok(answer)
    }

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Error> {
        Ok(self.answer(user, self.knows(offer.public_key)))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Error> {
        let answer = self.answer(user, self.knows(key.public_key));
        self.machine.lock().logins.key += u32::from(answer == Auth::Accept);
        Ok(answer)
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, channel: ChannelId, command: &[u8], session: &mut Session) -> Result<(), Error> {
        session.channel_success(channel)?;
        let command = String::from_utf8_lossy(command).into_owned();
        if command.trim() == "sh -s" {
            self.shells.insert(channel, (command, Vec::new()));
            return Ok(());
        }
        self.run(&command, &[], channel, session)
    }

    async fn data(&mut self, channel: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Error> {
        let Some((_, stdin)) = self.shells.get_mut(&channel) else { return Ok(()) };
        stdin.extend_from_slice(data);
        if stdin.len() > STDIN_LIMIT { session.close(channel) } else { Ok(()) }
    }

    async fn channel_eof(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Error> {
        let Some((command, stdin)) = self.shells.remove(&channel) else { return Ok(()) };
        self.run(&command, &stdin, channel, session)
    }
}
