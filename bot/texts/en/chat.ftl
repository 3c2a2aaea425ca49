# What is said to everybody. Texts are Telegram's HTML: b, i, code; what comes from outside is escaped before it gets here.

as-is = { $text }
span-d = { $n } d
span-h = { $n } h
span-min = { $n } min
span-s = { $n } s

role-guest = guest
role-viewer = viewer
role-operator = operator
role-admin = admin

## Ways in

stranger = Hello, { $name }. This is Rackhand, the hired hand for somebody's servers. It works for invited people only.
    👉 Ask an admin for an invite link, or tell them your number: <code>{ $id }</code>
    If you have a code, send <code>/start CODE</code>.
welcome = 👋 Welcome, { $name }.
group = I work in private chats only: write to me directly.
text-only = I read text only. /help shows what I can do.
flood = That is a lot at once. I will listen again in { $seconds } s.
no-access-any-more = You no longer have access to this.
see-below = ⬇️ Shown again below.
notice-gone = This is gone meanwhile.

## Help

help-title = You are <b>{ $role }</b>. You can:
help-tail = A server's name alone shows its card. Without a name, a command lets you choose.
not-understood = I did not understand “{ $text }”.
did-you-mean = Did you mean { $what }?
not-understood-tail = Send a server's name, a command, or /help.
lang-choice = Which language?
lang-set = English it is.

topic-fleet = Servers
topic-ironic = Bare metal
topic-work = Jobs
topic-authority = People, programs, questions
topic-chat = This chat
topic-platform = Rackhand itself

named-usage = Type it like this: <code>{ $usage }</code>
named-required = needed
named-nothing = Nothing.
named-done = Done.
named-more = There is more: add <code>cursor={ $cursor }</code>
named-cut = … and more than fits here.

cmd-start = begin, or use an invite code
cmd-help = what you can do
cmd-status = how it all is
cmd-servers = all servers
cmd-server = one server
cmd-provision = set a server up (its disk stays)
cmd-rebuild = wipe a server and set it up anew
cmd-manage = take a server under management
cmd-unmanage = let go of a server
cmd-reserve = keep a server: nothing touches it
cmd-release = end the keeping
cmd-force-rebuild = rebuild by status
cmd-reset-attempts = allow new attempts after failures
cmd-label-server = give a server labels: /label_server HANDLE key=value …
cmd-jobs = all jobs, newest first
cmd-job = one job, live
cmd-cancel = call a job off
cmd-retry = send a stopped job on
cmd-story = what happened in a job
cmd-approvals = questions that wait for a yes
cmd-withdraw-approval = take back a question of yours that nobody has answered
cmd-users = people and their roles
cmd-put-user = make a person known by their number: /put_user NUMBER ROLE
cmd-list-tokens = tokens of programs
cmd-revoke-token = end a token for good: /revoke_token NAME
cmd-invite = make an invite
cmd-lang = language: English, Русский

## Buttons

button-servers = 🖥 Servers
button-server = 🖥 Server
button-jobs = Jobs
button-job = ⚙️ Job
button-history = 🗂 Its jobs
button-status = How it all is
button-approvals = ❓ Questions
button-users = « People
button-help = What can I do?
button-refresh = 🔄 Refresh
button-manage = ✅ Manage
button-unmanage = Let go
button-reserve = 🔒 Reserve
button-release = 🔓 Release
button-provision = 🔧 Set up
button-rebuild = ♻️ Rebuild…
button-force-rebuild = ♻️ Force rebuild…
button-reset-attempts = 🔁 Allow new attempts
button-again = 🔁 Try again
button-retry = ▶️ Go on
button-cancel = 🚫 Cancel
button-story = 📜 What happened
button-approve = ⚠️ Approve: wipe it
button-refuse = ✖️ Refuse
button-withdraw = ↩️ Take back
button-show-plan = Show the plan
button-admit = Give access…
button-invite = ➕ Invite
button-role-guest = 🚫 No access
button-role-viewer = 👁 Viewer
button-role-operator = 🔧 Operator
button-role-admin = 🔑 Admin
button-invite-viewer = 👁 Viewer: sees everything
button-invite-operator = 🔧 Operator: also sets up, cancels
button-invite-admin = 🔑 Admin: also wipes, lets people in

## Over the screen

toast-not-yours = This button is not yours.
toast-guest = You have no access. Ask an admin for an invite.
toast-unknown = This button is too old. Send /help.
toast-flood = Too fast. Wait half a minute.
toast-fresh = Up to date
toast-below = See below
toast-asked = Nothing has happened yet: read the plan below and approve it
toast-asked-before = It was asked already: here is the question
toast-started = Started: follow it below
toast-joined = It is under way already
toast-cancelling = Calling it off
toast-retried = It goes on
toast-role = { $name } is { $role } now
toast-approved = Approved: { $handle }. It begins
toast-withdrawn = Taken back: nothing was done
toast-withdrawn-by = { $by } asked for it, and took it back
toast-withdrawn-refused = It was refused already: nothing was done
toast-withdrawn-late = Too late: it was approved already
toast-stale = Nothing was done: { $what } changed since it was asked
toast-expired = Too late: the question has expired, nothing was done
toast-answered =
    { $status ->
        [refused] { $by } refused it
        *[other] { $by } approved it already: it runs once only
    }

## What is told without being asked

notice-discovered = 🆕 New server <b>{ $handle }</b> at { $provider }: { $address } · { $size } · { $label }
    Nothing touches it until an admin says that it is ours.
notice-guest = 👤 <b>{ $name }</b> (number { $id }) wrote to me and has no access.
notice-role = 🔑 { $by } changed your role. You are <b>{ $role }</b> now.
notice-incident = 🚨 <b>{ $about }</b>: { $what }
notice-incident-over = ✅ <b>{ $about }</b>: over – { $what }
digest-title = 📚 <b>{ $count } { $count ->
        [one] message
        *[other] messages
    }</b> beyond your hourly budget:
digest-older = … and { $count } older

incident-identity-mismatch = its identity is not what we know
    .do = Find out whether the provider moved it. Until then nothing touches it.
incident-provisioning-failed = it could not be set up
    .do = Open the server to see why, and try again from there.
incident-provider-api-unavailable = the provider's interface is out of reach
    .do = Nothing to do yet: it is tried again each minute. Jobs wait meanwhile.
incident-server-missing = the provider no longer lists it
    .do = Look whether it was given up, or is unpaid. Its record stays here.
incident-platform = The provider
