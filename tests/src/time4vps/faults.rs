//! What can go wrong at the provider, in the order that a test asks for.

use std::{collections::VecDeque, time::Duration};

/// The kinds of calls that a fault can be put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// `GET /server`.
    Servers,
    /// `GET /server/{id}`.
    Server,
    /// `GET /server/{id}/oses`.
    Oses,
    /// `GET /server/{id}/task/{task}`.
    Task,
    /// `POST /server/{id}/resetpassword`.
    ResetPassword,
    /// `POST /server/{id}/reinstall`.
    Reinstall,
    /// `POST /server/{id}/reboot`.
    Reboot,
}

impl Route {
    /// The route of a request, with its server and the last part of its path.
    pub(super) fn parse<'a>(method: &str, path: &'a str) -> Option<(Self, Option<i64>, &'a str)> {
        let path = path.strip_prefix("/api/")?.trim_end_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["server"]) => Some((Self::Servers, None, "")),
            ("GET", ["server", id]) => Some((Self::Server, id.parse().ok(), "")),
            ("GET", ["server", id, "oses"]) => Some((Self::Oses, id.parse().ok(), "")),
            ("GET", ["server", id, "task", task]) => Some((Self::Task, id.parse().ok(), task)),
            ("POST", ["server", id, "resetpassword"]) => Some((Self::ResetPassword, id.parse().ok(), "")),
            ("POST", ["server", id, "reinstall"]) => Some((Self::Reinstall, id.parse().ok(), "")),
            ("POST", ["server", id, "reboot"]) => Some((Self::Reboot, id.parse().ok(), "")),
            _ => None,
        }
    }

    pub(super) fn is_action(self) -> bool {
        matches!(self, Self::ResetPassword | Self::Reinstall | Self::Reboot)
    }
}

/// What goes wrong with one call. Where `effect` is asked, true means that the call does its work all the same.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 401 with `wait_x_between_action` and this many seconds.
    RateLimited(u64),
    /// 401 with `ipnotallowed`.
    AddressNotAllowed,
    /// 401 with `wronglogin`.
    WrongLogin,
    /// An error list with HTTP 200.
    Errors(Vec<String>),
    /// This status with a page of HTML.
    Html {
        /// Such as 500 or 502.
        status: u16,
        /// Whether the work is done.
        effect: bool,
    },
    /// HTTP 200 with the right JSON, cut in its middle.
    BrokenJson {
        /// Whether the work is done.
        effect: bool,
    },
    /// No answer, ever.
    Hang {
        /// Whether the work is done.
        effect: bool,
    },
    /// The connection is cut without an answer.
    Drop {
        /// Whether the work is done.
        effect: bool,
    },
    /// The right answer, after this long on the simulator's clock.
    Slow(Duration),
}

/// What goes wrong with one task.
#[derive(Clone, Debug)]
pub enum TaskFault {
    /// It is taken, and neither takes effect nor ends.
    NeverCompletes,
    /// It takes effect, but its results hold no password.
    NoPassword,
    /// It takes no effect, and its results are these words.
    Fails(String),
}

/// Faults that wait for their call.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Waiting>);

#[derive(Debug)]
struct Waiting {
    route: Route,
    server: Option<i64>,
    fault: Fault,
    times: usize,
}

impl Faults {
    pub(super) fn push(&mut self, route: Route, server: Option<i64>, fault: Fault, times: usize) {
        self.0.push_back(Waiting { route, server, fault, times });
    }

    /// The first fault for this call, used up by one.
    pub(super) fn take(&mut self, route: Route, server: Option<i64>) -> Option<Fault> {
        let fits = |w: &Waiting| w.route == route && (w.server.is_none() || w.server == server);
        let at = self.0.iter().position(|waiting| waiting.times > 0 && fits(waiting))?;
        let waiting = &mut self.0[at];
        waiting.times -= 1;
        let fault = waiting.fault.clone();
        if waiting.times == 0 {
            self.0.remove(at);
        }
        Some(fault)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
