//! A question to a person: may exactly this plan run?

super::machine! {
    /// Where an approval is.
    "approval" ApprovalStatus {
        /// Waits for a person.
        Asked,
        /// A person said yes; the plan is about to run.
        Approved,
        /// A person said no.
        Refused,
        /// Its time ran out, or the target changed since it was asked.
        Expired,
        /// The plan was started with it: it cannot serve again.
        Used,
    }
    /// What can happen to an approval.
    ApprovalEvent {
        /// A person says yes.
        Approve,
        /// A person says no.
        Refuse,
        /// Whoever asked takes it back.
        Withdraw,
        /// Its time runs out, or the plan is no longer what was shown.
        Expire,
        /// The plan starts.
        Use,
    }
    Asked + Approve => Approved: "a person who may said yes";
    Asked + Refuse => Refused: "a person who may said no";
    Asked + Withdraw => Refused: "whoever asked took it back, as its outcome says";
    Asked + Expire => Expired: "nobody answered in time, or the target changed";
    Approved + Use => Used: "the plan was started, in the same transaction as the yes";
    Approved + Expire => Expired: "the plan could not be started any more";
}
