# Bare metal that OpenStack Ironic keeps. States of nodes are shown in Ironic's own words.

cmd-nodes = bare-metal nodes of Ironic
cmd-node = one node
cmd-unprovision = take a node down and wipe it
cmd-end-maintenance = end a node's maintenance, once it is mended

nodes-title = <b>Nodes</b>
nodes-none = Ironic keeps no nodes.
nodes-line = <b>{ $name }</b> · { $state }
nodes-line-maintenance = { " " }· 🛠 maintenance
node-class = Kind: { $class }
node-power = Power: { $power }
node-instance = Used for: <code>{ $instance }</code>
node-since = In this state since { $at }
node-maintenance = 🛠 Kept out of use: { $why }
node-error = ⚠️ { $error }
node-cleaning-off = Its cleaning is switched off: it is not wiped between uses.
node-protected = 🔒 Protected: Ironic does not take it down.
node-next-deploy-failed = 👉 Unprovision frees it; then it can be provisioned anew.
node-next-clean-failed = 👉 Mend what it says. Then press Manage, and after that Make available.
node-next-error = 👉 Mend what it says, then press Unprovision once more.
node-next-maintenance = 👉 Once it is mended, press End maintenance: until then nobody is given it.
node-next-maintenance-admin = 👉 Nobody is given it until an admin ends its maintenance.
node-next-held = ⏸ One of its steps holds it. 👉 It goes on when somebody says <code>unhold</code> to it in Ironic.
node-next-moving = ⏳ It is on its way: Refresh shows how far.
node-which = Which node? /nodes shows them.
node-which-unprovision = To take one down without wiping it, send <code>/unprovision NODE clean=false</code>.
node-which-image = Which image? Send <code>/provision { $name } IMAGE</code>, with an image's id, name or URL.

button-nodes = 🗄 Nodes
button-node = 🗄 Node
button-node-provision = 💿 Provision
button-node-unprovision = 🧹 Unprovision…
button-approve-down = ⚠️ Approve: take it down
button-approve-provide = ⚠️ Approve: make it available
button-node-manage = ✅ Manage
button-node-provide = 📤 Make available…
button-node-end-maintenance = 🛠 End maintenance
toast-node-started = Begun: { $name }
done-node-provision = 💿 { $name }: { $image } is being installed.
done-node-manage = ✅ { $name }: Ironic tries its BMC.
done-node-end-maintenance = 🛠 { $name }: its maintenance is over.

plan-unprovision-server = unprovision
approval-title-unprovision-server = 🧹 <b>Unprovision { $handle }?</b>
approval-what-unprovision-server = Ironic takes it down: whatever runs on it ends, and it becomes free for others.
loss-not-wiped = and yet nothing is wiped: whoever gets it next can read what is on its disks
plan-provide-node = make available
approval-title-provide-node = 📤 <b>Make { $handle } available?</b>
approval-what-provide-node = Ironic cleans it, where its cleaning is on, and it becomes free for whoever wants one.
loss-none = nothing: its cleaning is off, so nothing is wiped, and whoever gets it next can read what is on its disks
fact-node = Node
fact-name = Name
fact-instance = Used for
fact-provision-state = State
fact-since = In this state since
fact-image = On it
fact-cleaning = Cleaning
fact-cleaning-on = on
fact-cleaning-off = off
fact-cleaning-configured = as Ironic is configured

job-name-unprovision = unprovisioning
job-doing-unprovision = Taking <b>{ $handle }</b> down
job-parked-unprovision = Taking <b>{ $handle }</b> down stopped: it needs you
job-failed-unprovision = <b>{ $handle }</b> could not be taken down
job-cancelled-unprovision = Taking <b>{ $handle }</b> down was called off
job-done-unprovision = <b>{ $handle }</b> is free again, in { $took }
job-cancelled-half-way-node = ⚠️ What Ironic was told already goes on: look at the node.

job-name-provide = making available
job-doing-provide = Making <b>{ $handle }</b> available
job-parked-provide = Making <b>{ $handle }</b> available stopped: it needs you
job-failed-provide = <b>{ $handle }</b> could not be made available
job-cancelled-provide = Making <b>{ $handle }</b> available was called off
job-done-provide = <b>{ $handle }</b> is available, in { $took }

step-clean-off = switch its cleaning off
step-delete = tell Ironic to take it down
step-provide = tell Ironic to make it available
step-await-available = wait until it is free
step-clean-back = switch its cleaning back

error-ironic-none = No Ironic is configured here.
error-node-unknown = I know no node “{ $name }”. /nodes shows them.
error-node-not-available = { $name } is not free: it is used, kept out of use, or not ready.
error-node-none-matches = No node is free that fits.
error-image-unknown = The image “{ $name }” cannot be used: { $detail }
error-node-not-provisioned = Nothing is on { $name } that could be taken down.
error-node-not-provisioning = Nothing provisions { $name }: it is { $seen }.
error-node-not-unprovisioning = Nothing unprovisions { $name }: it is { $seen }.
error-node-busy = Ironic is at work on { $name }. Try again in a moment.
error-node-past-calling-off =
    Ironic is at work on { $name } already, and that cannot be stopped from here: job { $job } follows it to its end.
    👉 A cleaning is stopped with “abort” in Ironic.
error-node-protected = { $name } is protected in Ironic. Whoever protected it has to end that first.
error-node-unfit = { $name } cannot be provisioned as it is: { $detail }
error-node-taken = There is a node “{ $name }” already.
error-node-wrong-state = { $name } is not in a state for this: { $detail }
error-ironic-refused = Ironic refused it: { $detail }
ironic-silent = Ironic does not answer. Nothing was done: try again in a moment.
ironic-silent-begun = Ironic has not answered yet. What you asked for is under way and may still happen: look at the node before you ask again.
error-ironic-away =
    Ironic does not answer as it should: { $detail }
    👉 Try again in a minute: /nodes shows how things stand.

reason-node-busy = Ironic is at work on the node: { $detail }
    .do = Try again once it is done.
reason-node-gone = Ironic does not know the node any more.
    .do = Cancel this job.
reason-node-other-job = Another job is at this node already.
reason-node-changed =
    ⚠️ It is not what was allowed: { $what ->
        [cleaning] its cleaning
        [image] what is on it
        [instance] what it is used for
        [name] its name
        [since] the moment since which it is in its state
        *[other] its state
    } was <code>{ $known }</code> and is <code>{ $seen }</code>. Ironic was told nothing.
    .do = Cancel this job, look at the node, and ask anew if it is still wanted.
reason-node-changed-state = ⚠️ The node is not in the state that was allowed: { $detail }. Ironic was told nothing.
    .do = Cancel this job, look at the node, and ask anew if it is still wanted.
reason-node-moves =
    { $percent ->
        [0] Ironic: { $seen }
        *[other] Ironic: { $seen }, about { $percent } %
    }
reason-node-halted =
    ⚠️ Ironic does not go on ({ $seen }): { $detail }
    👉 Mend the machine or its BMC. It goes on once Ironic uses the node again.
reason-node-still-going = The node is still { $seen }: its cleaning can only be switched back once that has ended.
    .do = Go on when the node has come to rest.
reason-node-failed = Ironic failed ({ $seen }): { $detail }
    .do = Mend what it says, then look at the node: its card says how it goes on.
reason-node-strayed = The node went somewhere else: { $seen }.
    .do = Find out in Ironic who moved it. Cancel this job, or go on once the node is on its way again.
reason-node-switch-waits = Its cleaning cannot be switched back yet, and is tried again: { $detail }
reason-node-free-wiped = Ironic cleaned it.
reason-node-free-kept = As asked, nothing was wiped.
reason-node-free-not-wiped = ⚠️ Nothing was wiped: automated cleaning is switched off in Ironic.
reason-node-free-unseen = ⚠️ No cleaning was seen: Ironic may be configured to do none. Count on nothing being wiped.
reason-ironic-refused = Ironic refused: { $detail }
    .do = Look at the node in Ironic, then go on.
reason-ironic-away = Ironic does not answer as it should: { $detail }
    .do = Go on when Ironic is back.
