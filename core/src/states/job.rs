//! A durable job.

super::machine! {
    /// Where a job is.
    "job" JobStatus {
        /// Waits for a worker, or for its target to be free.
        Queued,
        /// A worker holds its lease.
        Running,
        /// Waits for a time or for the outside, and holds no worker.
        Waiting,
        /// All steps are done.
        Succeeded,
        /// A step failed for good and what could be undone was undone.
        Failed,
        /// A person called it off.
        Cancelled,
        /// Only a person can go on: it keeps its target until retried or cancelled.
        Parked,
    }
    /// What can happen to a job.
    JobEvent {
        /// A worker takes it, or takes it over from one whose lease ran out.
        Claim,
        /// A step waits.
        Wait,
        /// The worker stops and hands it over.
        Release,
        /// Its last step is done.
        Succeed,
        /// A step failed for good.
        Fail,
        /// A person called it off.
        Cancel,
        /// A step, or an undo, needs a person.
        Park,
        /// A person sends it on.
        Retry,
    }
    Queued + Claim => Running: "a worker takes it";
    Waiting + Claim => Running: "what it waited for may have come";
    Running + Claim => Running: "the lease ran out: another worker takes over, with a higher epoch";
    Running + Wait => Waiting: "the outside needs time";
    Running + Release => Queued: "the process stops and hands it over";
    Running + Succeed => Succeeded: "all steps are done";
    Running + Fail => Failed: "a step failed for good";
    Running + Cancel => Cancelled: "called off, and undone";
    Queued + Cancel => Cancelled: "called off before it began";
    Running + Park => Parked: "only a person can go on";
    Parked + Retry => Queued: "it is sent on";
    Parked + Cancel => Queued: "called off: a worker undoes what was done";
    Waiting + Cancel => Queued: "called off: a worker undoes what was done";
}
