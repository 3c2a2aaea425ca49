# Why something was not done (error-…), and why a job waits, failed or is parked (reason-…, with what to do as .do).

error-unknown-operation = I do not know how to do that. /help shows what I can.
error-bad-input = That does not fit: { $path }: { $message }.
error-forbidden = This takes the role { $needs }; you are { $has }. Ask an admin.
error-people-only = Only a person may do this.
error-own-request = You asked for it, so somebody else has to approve it.
error-not-asker = { $asker } asked for this, and nobody else takes it back. An admin can refuse it.
error-admins-by-people = Only a person may make somebody an admin, or change one.
error-not-found =
    { $what ->
        [server] I know no server “{ $name }”.
        [job] I know no job “{ $name }”. /jobs shows them.
        [approval] This question is gone.
        [user] I know nobody with the number { $name }.
        *[other] There is no { $what } “{ $name }”.
    }
error-ambiguous = “{ $name }” fits more than one. Type more of it.
error-untouchable =
    { $why ->
        [reserved] 🔒 { $handle } is reserved: nothing touches it until an admin releases it.
        [decommissioned] { $handle } is gone for good: nothing touches it.
        *[other] { $handle } is not managed: nothing touches it until an admin takes it.
    }
error-attempts-spent = { $handle } failed { $attempts } times in a row. Look at it first; then an admin allows new attempts.
error-busy = { $handle } is busy: job { $job } has it. Wait for its end, or cancel it.
error-approval-over = Job { $job } would wipe the disk, and the yes to that is too old or missing. Cancel it and ask anew.
error-no-address = { $handle } has no address yet: the provider is still making it. Try again in a few minutes.
error-rebuild-wished = { $handle } waits for its rebuild. To set it up without wiping it, an admin calls the rebuild off first.
error-bad-code = This code is unknown, used or too old. Ask an admin for a new one.
error-last-admin = This is the last admin. Make somebody else admin first.
error-illegal =
    { $machine ->
        [server] The server cannot do that now: { $from }.
        [job] The job is over, or does something else now: { $from }.
        *[other] That does not go any more: { $from }.
    }
error-not-as-seen = It has changed since you looked. Look again, and decide anew.
error-key-reused = This was handled already.
error-store = My database does not answer. Try again in a minute.
error-bug = Something broke on my side. It is in the log; try again, and tell whoever runs me if it stays so.

reason-identity-mismatch = ⚠️ It may not be the same server: its { $what ->
        [address] address
        [host_key] host key
        *[other] { $what }
    } was <code>{ $known }</code> and is <code>{ $seen }</code> now. Nothing was sent to it.
    .do = { $what ->
        [host_key] Find out who reinstalled it, and cancel this job. If all is right, let go of the server and manage it anew: that accepts the key.
        *[other] Ask at the provider what happened. If it is right as it is now, cancel this job and start anew; if not, cancel and let go of the server.
    }
reason-not-approved = ⚠️ Nobody approved what this job would do: its approval is missing or does not fit. Nothing was done.
    .do = Cancel it. Find out who wrote it into the database; if the rebuild is wanted, ask for it anew.
reason-untouchable-server = The server is { $why ->
        [reserved] reserved
        [unmanaged] not managed
        *[other] gone for good
    }: nothing may touch it.
    .do = If it is ours to work on, an admin manages or releases it; then try again.
reason-too-many-attempts = It failed { $attempts } times in a row, so it is left alone.
    .do = Look at what happened, mend it, then allow new attempts.
reason-provider-rate-limited = The provider asks us to wait before the next request.
reason-provider-address = The provider refuses our address.
    .do = Put this machine's address on the account's allow-list at the provider, then go on.
reason-provider-login = The provider refuses our login.
    .do = Check TIME4VPS_USERNAME and TIME4VPS_PASSWORD, restart, then go on.
reason-provider-unknown-server = The provider does not know this server any more.
    .do = Look at the provider whether it was given up. If so, cancel this job.
reason-provider-busy = The provider is busy with the server: { $detail }.
    .do = Try again once the provider is done with it.
reason-provider-refused = The provider refused: { $detail }.
    .do = Look at the server in the provider's panel, then try again.
reason-provider-away = The provider does not answer: { $detail }.
    .do = Try again when the provider is back.
reason-provider-suspended = The provider has suspended this server.
    .do = Settle it with the provider (often an unpaid bill), then go on.
reason-provider-too-slow = The provider did not finish within { $seconds ->
        [one] { $seconds } second
        *[other] { $seconds } seconds
    }.
    .do = Look in the provider's panel whether it is stuck, then try again.
reason-provider-task-failed = The provider says that its task failed: { $detail }
    .do = Try again; if it fails again, open a ticket at the provider.
reason-provider-no-password = The provider reset the password but does not say what it is.
    .do = Try again; if it happens again, tell the provider.
reason-provider-works = The provider is working on it.
reason-settling = Looking whether the provider got our request.
reason-no-os = The provider does not say which system the server has.
    .do = Set fleet.reinstall_os in the configuration, restart, then go on.
reason-ssh-away =
    { $seconds ->
        [0] The server does not answer over SSH yet.
        [one] The server did not answer over SSH within { $seconds } second.
        *[other] The server did not answer over SSH within { $seconds } seconds.
    }
    .do = Look at its console in the provider's panel, then try again.
reason-ssh-refused = The server refuses our login: { $detail }.
    .do = Try again: a new password will be asked for. If it stays so, rebuild it.
reason-ssh-too-slow = The server did not let us in within { $seconds ->
        [one] { $seconds } second
        *[other] { $seconds } seconds
    }.
    .do = Look at its console in the provider's panel, then try again or rebuild it.
reason-ansible-missing = Ansible is not installed where Rackhand runs: { $detail }
    .do = Install it there, then go on.
reason-ansible-unreachable = Ansible lost the server: { $detail }
    .do = Look whether it is up, then try again. A second run repeats nothing that is done.
reason-ansible-task-failed = The task “{ $task }” failed: { $detail }
    .do = Mend what it says, then try again. A second run repeats nothing that is done.
reason-ansible-timed-out = The playbook ran longer than { $seconds ->
        [one] { $seconds } second
        *[other] { $seconds } seconds
    } and was stopped at “{ $task }”.
    .do = Try again: it goes on from what is done. Should it be slow by nature, raise PROVISIONING_TIMEOUT.
reason-ansible-broken = Ansible did not run as it should: { $detail }
    .do = Look at the log where Rackhand runs, then try again.
reason-verify-failed = Our own checks found: { $failed }
    .do = Try again; if it stays so, rebuild it.
reason-keyring = What was kept sealed cannot be opened.
    .do = Check that RACKHAND_MASTER_KEY_FILE is the key it was sealed with, restart, then go on.
reason-store = Rackhand's database did not answer.
    .do = Try again.
reason-illegal-status = The server is in a state that does not allow this: { $status }.
    .do = Open the server and see what fits its state.
reason-cancelled = It was called off.
reason-ready = It is ready.
reason-unknown-step = This version of Rackhand does not know this step.
    .do = Run the newest version everywhere, then try again.
reason-bad-params = The job's parameters cannot be read.
    .do = Ask for it anew.
reason-panicked = Something broke in Rackhand itself.
    .do = Look at the log where Rackhand runs, report it, then go on or try again.
reason-succeeded = It is done.
