# Servers, people, the whole.

server-status-discovered = discovered
server-status-pending-setup = waits to be set up
server-status-provisioning = being set up
server-status-force-rebuild = will be rebuilt
server-status-ready = ready
server-status-in-use = in use
server-status-error = error
server-status-maintenance = maintenance
server-status-reserved = reserved
server-status-decommissioned = decommissioned

servers-title = <b>Servers</b>
servers-none = No servers yet. They appear here within a minute of being ordered at the provider.
servers-line = <b>{ $handle }</b> { $address }
servers-line-status = { " " }· { $status }
servers-line-labels = { " " }· <i>{ $labels }</i>
server-unknown = I know no server “{ $name }”.
server-close = Did you mean:
server-managed = Managed: Rackhand may work on it.
server-untouchable =
    { $why ->
        [reserved] 🔒 Reserved: nothing touches it until it is released.
        [decommissioned] Gone for good: nothing touches it.
        *[other] Not managed: nothing touches it.
    }
server-address = Address: <code>{ $address }</code>
server-provider = { $provider } No. { $id }
server-labels = Labels: { $labels }
server-verified = Checked over SSH: { $at }
server-attempts = ⚠️ Failed { $attempts } of { $of } { $of ->
        [one] attempt
        *[other] attempts
    } in a row
server-missing = ⚠️ Not in the provider's list since { $at }
server-incident = 🚨 { $what } (since { $at })
server-job = ⚙️ A job has it: { $state }

done-manage = ✅ { $handle } is ours now: its set-up begins within a minute.
done-unmanage = ✅ Let go of { $handle }: nothing touches it any more.
done-reserve = 🔒 { $handle } is reserved.
done-release =
    { $was ->
        [reserved] 🔓 { $handle } is released. It is not managed until an admin takes it.
        [maintenance] 🔓 The work on { $handle } is over: it is set up again within a minute.
        *[other] 🔓 The rebuild of { $handle } is called off.
    }
done-provision = 🔧 { $handle }: started.
done-rebuild = ♻️ { $handle }: started.
done-force-rebuild = ♻️ { $handle } will be rebuilt.
done-reset-attempts = 🔁 { $handle } may be tried again.

choose-manage = Which server is ours to manage?
choose-unmanage = Let go of which server?
choose-reserve = Reserve which server?
choose-release = Release which server?
choose-provision = Set up which server? Its disk stays.
choose-rebuild = Rebuild which server? You will see the plan first.
choose-force-rebuild = Rebuild which server by status? You will see the plan first.
choose-reset-attempts = Allow new attempts for which server?
choose-cancel = Cancel which job?
choose-retry = Send which job on?
choose-none-manage = There is no new server to take.
choose-none-unmanage = There is no server that could be let go of now.
choose-none-reserve = There is no server that could be reserved now.
choose-none-release = No server is reserved.
choose-none-provision = There is no managed server that could be set up now.
choose-none-rebuild = There is no managed server that could be rebuilt now.
choose-none-force-rebuild = There is no managed server that could be rebuilt now.
choose-none-reset-attempts = No server has failed attempts.
choose-none-cancel = No job is under way.
choose-none-retry = No job waits to be sent on.

users-title = <b>People</b>
users-line = <b>{ $name }</b> · { $role } · last seen { $at }
user-card = 👤 <b>{ $name }</b>
    { $full } · number <code>{ $id }</code>
    Role: <b>{ $role }</b> · last seen { $at }
    Change it to:
invite-choice = Invite somebody as:
invite-made = 🎟 An invite for one { $role }, works once, within { $left }. Pass it on:
invite-link = https://t.me/{ $bot }?start={ $code }
invite-code = Or they send me: <code>/start { $code }</code>
invite-code-alone = They send to the bot: <code>/start { $code }</code>

status-calm = 🟢 <b>All is well.</b>
status-trouble = 🔴 <b>Something is wrong:</b>
status-incident = 🚨 <b>{ $about }</b>: { $what } (since { $at }): { $details }
status-servers = <b>Servers</b>
status-jobs = <b>Jobs</b>
status-approvals = ❓ { $count ->
        [one] { $count } question waits
        *[other] { $count } questions wait
    } for an answer
status-outbox = ✉️ { $count ->
        [one] { $count } message waits
        *[other] { $count } messages wait
    } to be sent, since { $at }
status-version = Rackhand { $version }
