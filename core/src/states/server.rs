//! A server: a host that Rackhand runs things on.

super::machine! {
    /// Where a server is in its life.
    "server" ServerStatus {
        /// Seen at the provider; nobody has said yet that it is ours to manage.
        Discovered,
        /// Ours to manage, not set up yet.
        PendingSetup,
        /// A job is setting it up or rebuilding it.
        Provisioning,
        /// A person allowed that it be wiped and set up again; the reconciler starts the job.
        ForceRebuild,
        /// Set up and verified.
        Ready,
        /// Ready, with services on it.
        InUse,
        /// The last attempt failed; a person may look.
        Error,
        /// A person works on it by hand.
        Maintenance,
        /// Kept for something; never touched.
        Reserved,
        /// Gone for good; its record stays.
        Decommissioned,
    }
    /// What can happen to a server.
    ServerEvent {
        /// An admin takes it under management.
        Manage,
        /// An admin lets go of it.
        Unmanage,
        /// A provisioning job starts on it.
        Start,
        /// The job verified it.
        Finish,
        /// The job failed or was cancelled.
        Fail,
        /// A person allowed a rebuild by status.
        ForceRebuild,
        /// A service was placed on it.
        Occupy,
        /// Its last service went.
        Vacate,
        /// A person takes it for work by hand.
        Maintain,
        /// A person keeps it.
        Reserve,
        /// The keeping or the work by hand is over.
        Release,
        /// It is gone for good.
        Decommission,
    }
    Discovered + Manage => PendingSetup: "an admin said that it is ours";
    PendingSetup + Unmanage => Discovered: "an admin let go of it";
    Ready + Unmanage => Discovered: "an admin let go of it";
    Error + Unmanage => Discovered: "an admin let go of it";
    PendingSetup + Start => Provisioning: "the first set-up";
    ForceRebuild + Start => Provisioning: "the rebuild that was allowed";
    Ready + Start => Provisioning: "set up again, or rebuilt";
    InUse + Start => Provisioning: "set up again, or rebuilt";
    Error + Start => Provisioning: "the next attempt of the episode";
    Provisioning + Finish => Ready: "our own checks passed";
    Provisioning + Fail => Error: "the job failed, or was cancelled half-way";
    Ready + ForceRebuild => ForceRebuild: "allowed by a person";
    InUse + ForceRebuild => ForceRebuild: "allowed by a person";
    Error + ForceRebuild => ForceRebuild: "allowed by a person";
    PendingSetup + ForceRebuild => ForceRebuild: "allowed by a person";
    ForceRebuild + Release => Error: "the rebuild was called off";
    Ready + Occupy => InUse: "a service was placed on it";
    InUse + Vacate => Ready: "its last service went";
    Ready + Maintain => Maintenance: "a person works on it";
    InUse + Maintain => Maintenance: "a person works on it";
    Error + Maintain => Maintenance: "a person works on it";
    Maintenance + Release => PendingSetup: "what was done by hand is not known, so it is set up again";
    Discovered + Reserve => Reserved: "kept for something";
    PendingSetup + Reserve => Reserved: "kept for something";
    Ready + Reserve => Reserved: "kept for something";
    Error + Reserve => Reserved: "kept for something";
    Reserved + Release => Discovered: "an admin decides anew whether it is ours";
    Discovered + Decommission => Decommissioned: "gone for good";
    Ready + Decommission => Decommissioned: "gone for good";
    Error + Decommission => Decommissioned: "gone for good";
    Maintenance + Decommission => Decommissioned: "gone for good";
    Reserved + Decommission => Decommissioned: "gone for good";
}
