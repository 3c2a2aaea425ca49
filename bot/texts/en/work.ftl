# Jobs and approvals.

job-status-queued = queued
job-status-running = running
job-status-waiting = waiting
job-status-succeeded = done
job-status-failed = failed
job-status-cancelled = cancelled
job-status-parked = stopped, needs a person

job-name-setup = set-up
job-name-rebuild = rebuild
job-name-recover = recovery
job-name-other = job

job-doing-setup = Setting up <b>{ $handle }</b>
job-doing-rebuild = Rebuilding <b>{ $handle }</b>
job-doing-recover = Bringing <b>{ $handle }</b> back
job-doing-other = Working on <b>{ $handle }</b>
job-parked-setup = Setting up <b>{ $handle }</b> stopped: it needs you
job-parked-rebuild = Rebuilding <b>{ $handle }</b> stopped: it needs you
job-parked-recover = Bringing <b>{ $handle }</b> back stopped: it needs you
job-parked-other = The work on <b>{ $handle }</b> stopped: it needs you
job-failed-setup = <b>{ $handle }</b> could not be set up
job-failed-rebuild = <b>{ $handle }</b> could not be rebuilt
job-failed-recover = <b>{ $handle }</b> could not be brought back
job-failed-other = The work on <b>{ $handle }</b> failed
job-cancelled-setup = Setting up <b>{ $handle }</b> was called off
job-cancelled-rebuild = Rebuilding <b>{ $handle }</b> was called off
job-cancelled-recover = Bringing <b>{ $handle }</b> back was called off
job-cancelled-other = The work on <b>{ $handle }</b> was called off
job-done-setup = <b>{ $handle }</b> is ready: set up and checked in { $took }
job-done-rebuild = <b>{ $handle }</b> is ready: rebuilt and checked in { $took }
job-done-recover = <b>{ $handle }</b> is back: done in { $took }
job-done-other = <b>{ $handle }</b>: done in { $took }

job-queued = Waits for its turn.
job-cancelling = Calling it off, and undoing what can be undone…
job-undoing = Cleaning up after it…
job-step = Step { $n } of { $of }: { $step }
job-step-unknown = Step: { $step }
job-task =
    { $of ->
        [0] Task { $n }: { $name }
        *[other] Task { $n } of { $of }: { $name }
    }
job-time = { $elapsed } so far
job-time-left = { $elapsed } so far, about { $left } to go
job-time-over = { $elapsed } so far; it usually takes { $usual }
job-over-well = Done in { $took }.
job-over-badly = Failed after { $took }, at the step “{ $step }”.
job-stopped-at = At the step “{ $step }”:
job-failed-at = At the step “{ $step }”, after { $took }:
job-cancelled-by = By { $by }.
job-cancelled-half-way = ⚠️ It was half-way: set the server up again before you rely on it.

jobs-title = <b>Jobs</b>, newest first
jobs-title-server = <b>Jobs of { $handle }</b>, newest first
jobs-none = No jobs yet.
jobs-line = <b>{ $handle }</b> { $what } · <code>{ $id }</code> · { $at }
story-title = 📜 <b>{ $handle }</b>, job <code>{ $id }</code>
story-none = Nothing has happened yet.

step-authorize = check that it may be touched
step-prove-identity = prove that it is the right server
step-reinstall = ask the provider to reinstall it
step-await-reinstall = wait for the reinstall
step-reset-password = ask for a new root password
step-await-password = wait for the new password
step-await-ssh = wait until it lets us in
step-access = our key in, passwords off
step-base = packages, Docker, firewall
step-verify = our own checks
step-ready = sign it off

## Approvals

plan-rebuild-server = rebuild
plan-force-rebuild-server = rebuild by status
approval-title-rebuild-server = ♻️ <b>Rebuild { $handle }?</b>
approval-title-force-rebuild-server = ♻️ <b>Rebuild { $handle } by status?</b>
approval-what-rebuild-server = Its disk is wiped, its system is installed anew, and it is set up from scratch.
approval-what-force-rebuild-server = Its status becomes force_rebuild: its disk is wiped, its system is installed anew, and it is set up from scratch.
approval-fact = { $name }: <code>{ $value }</code>
approval-losses = <b>Lost for good:</b>
loss-disk = everything on its disk
loss-backups = the provider's own backups of it
fact-provider = Provider
fact-provider-id = Number there
fact-address = Address
fact-host-key = Host key
fact-target = Server
fact-operation = What is done
fact-input = What was asked
fact-losses = What is lost
fact-none = none
approval-asked-by = Asked by { $by }
approval-until = ⏱ { $left } to answer, until { $until }
approval-used = ✅ Approved by { $by }, { $at }
approval-refused = ✖️ Refused by { $by }, { $at }. Nothing was done.
approval-withdrawn = ↩️ Taken back by { $by }, who asked for it, { $at }. Nothing was done.
approval-expired = ⌛ Nobody answered in time. Nothing was done.
approval-stale = ⚠️ Nothing was done, because since you were asked:
approval-changed = • { $what } changed from <code>{ $was }</code> to <code>{ $is }</code>
approval-ask-anew = 👉 If it is still wanted, ask for it again.
approval-expiring = ⏱ <b>{ $handle }</b>: a question expires in { $left }.
approvals-none = No question waits for an answer.
approvals-title = <b>Questions that wait for a yes</b>
approvals-line = • <b>{ $handle }</b>: { $what }, asked by { $by }, { $left } left
approval-status-asked = open
approval-status-approved = approved
approval-status-refused = refused
approval-status-expired = expired
approval-status-used = approved
