"""Deploy and power interfaces that do what is written on the node, in node.extra["script"]:

validate_error    text: the deploy interface is not fit, for this reason
prepare_s         seconds in "deploying" before the deploy step
deploy_s          seconds in "deploying" within the deploy step
wait_s            then so many seconds in "wait call-back", and "deploying" again; -1: until somebody aborts
deploy_hold       true: a step named `hold` follows: "deploy hold" until somebody says unhold, and "wait call-back"
                  until the machine calls back, a second later
deploy            "fail": "deploy failed", with `message` in last_error
message           what a failure says
tear_down_s       seconds in "deleting"
tear_down         "fail": "error"
clean_s           seconds in "cleaning"
clean_wait_s      then so many seconds in "clean wait"; -1: until somebody aborts
clean_hold        true: a step named `hold` follows: "clean hold" until somebody says unhold, and "clean wait" until the
                  machine calls back, a second later
clean             "fail": "clean failed", and maintenance
power_s           seconds that a change of power takes
power             "fail": it fails; "stuck": nothing happens

What is not written takes no time and goes well. For nodes of the types fake-hardware and redfish.
"""
import time

from ironic.common import exception
from ironic.common import states
from ironic.conductor import periodics
from ironic.conductor import utils
from ironic.drivers import base
from ironic.drivers import redfish
from ironic.drivers.modules import fake

UNTIL = 'script_until'
HOLD = 'hold'


def script(task):
    return task.node.extra.get('script') or {}


def nap(task, key):
    time.sleep(max(0.0, float(script(task).get(key, 0))))


def may_fail(task, key):
    if script(task).get(key) == 'fail':
        raise exception.InstanceDeployFailure(script(task).get('message') or 'scripted failure of %s' % key)


def may_wait(task, key, state):
    """The state of waiting when the script says so; the periodic task below ends it."""
    wait = float(script(task).get(key, 0))
    if not wait:
        return None
    task.node.set_driver_internal_info(UNTIL, time.time() + wait if wait > 0 else None)
    task.node.save()
    return state


def with_hold(task, key, steps, priority):
    """The steps, with one in between that no driver carries out: Ironic knows it by its name."""
    if not script(task).get(key):
        return steps
    return [*steps, {'interface': 'deploy', 'step': HOLD, 'priority': priority, 'abortable': True, 'argsinfo': None,
                     'requires_ramdisk': False}]


def is_over(node):
    """Whether the machine calls back: when the script says so, and soon after somebody ended a hold."""
    until = node.driver_internal_info.get(UNTIL)
    step = node.deploy_step or node.clean_step or {}
    return time.time() >= until if until else step.get('step') == HOLD


class ScriptedDeploy(fake.FakeDeploy):

    def get_deploy_steps(self, task):
        return with_hold(task, 'deploy_hold', super().get_deploy_steps(task), 75)

    def get_clean_steps(self, task):
        return with_hold(task, 'clean_hold', super().get_clean_steps(task), 7)

    def validate(self, task):
        message = script(task).get('validate_error')
        if message:
            raise exception.InvalidParameterValue(message)

    def prepare(self, task):
        nap(task, 'prepare_s')

    @base.deploy_step(priority=100)
    def deploy(self, task):
        nap(task, 'deploy_s')
        waiting = may_wait(task, 'wait_s', states.DEPLOYWAIT)
        if waiting:
            return waiting
        may_fail(task, 'deploy')

    @base.deploy_step(priority=50)
    def finish(self, task):
        may_fail(task, 'deploy')

    def tear_down(self, task):
        nap(task, 'tear_down_s')
        may_fail(task, 'tear_down')
        return states.DELETED

    def clean_up(self, task):
        pass

    def take_over(self, task):
        pass

    @base.clean_step(priority=10)
    def erase(self, task):
        nap(task, 'clean_s')
        waiting = may_wait(task, 'clean_wait_s', states.CLEANWAIT)
        if waiting:
            return waiting
        may_fail(task, 'clean')

    @base.clean_step(priority=5)
    def erase_finish(self, task):
        may_fail(task, 'clean')

    @periodics.node_periodic(
        purpose='scripted waits', spacing=1,
        filters={'reserved': False, 'maintenance': False,
                 'provision_state_in': [states.DEPLOYWAIT, states.CLEANWAIT]},
        predicate_extra_fields=['driver_internal_info', 'deploy_step', 'clean_step'],
        predicate=is_over)
    def _wait_is_over(self, task, manager, context):
        if not is_over(task.node):
            return
        task.node.set_driver_internal_info(UNTIL, None)
        task.node.save()
        task.upgrade_lock()
        if task.node.provision_state == states.DEPLOYWAIT:
            utils.notify_conductor_resume_deploy(task)
        elif task.node.provision_state == states.CLEANWAIT:
            utils.notify_conductor_resume_clean(task)


class ScriptedPower(fake.FakePower):

    def set_power_state(self, task, power_state, timeout=None):
        nap(task, 'power_s')
        how = script(task).get('power')
        if how == 'fail':
            raise exception.PowerStateFailure(pstate=power_state)
        if how != 'stuck':
            super().set_power_state(task, power_state, timeout=timeout)

    def reboot(self, task, timeout=None):
        nap(task, 'power_s')
        if script(task).get('power') == 'fail':
            raise exception.PowerStateFailure(pstate=states.REBOOT)
        task.node.power_state = states.POWER_ON


# The type redfish takes only interfaces that it lists.
_listed = redfish.RedfishHardware.supported_deploy_interfaces.fget
redfish.RedfishHardware.supported_deploy_interfaces = property(lambda self: [*_listed(self), ScriptedDeploy])
