//! Something is wrong with a server, or with what all servers stand on.

super::machine! {
    /// Where an incident is.
    "incident" IncidentStatus {
        /// Known, nothing done yet.
        Detected,
        /// A job works on it.
        Recovering,
        /// Over.
        Resolved,
        /// The ladder's end was reached; a person is asked.
        Failed,
    }
    /// What can happen to an incident.
    IncidentEvent {
        /// A recovery starts.
        Recover,
        /// It is over.
        Resolve,
        /// The recovery failed.
        Fail,
    }
    Detected + Recover => Recovering: "a recovery job started";
    Detected + Resolve => Resolved: "it passed by itself, or a person mended it";
    Recovering + Resolve => Resolved: "the recovery worked";
    Recovering + Fail => Failed: "the recovery's last rung failed";
    Failed + Recover => Recovering: "a person asked for another recovery";
    Failed + Resolve => Resolved: "a person mended it";
}
