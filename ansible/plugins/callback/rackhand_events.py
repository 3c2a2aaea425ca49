"""Live events of a playbook run: one JSON object a line, to the file or FIFO named in RACKHAND_EVENTS.

stdout stays the ordinary human log.  Without RACKHAND_EVENTS the plug-in is off.  README.md lists the events.
Results are cut to a few KB, and a task with no_log shows nothing of its result.
"""
from __future__ import annotations

import json
import os
import time

from ansible import constants as C
from ansible.playbook.block import Block
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
    name: rackhand_events
    type: notification
    short_description: live per-task events as JSON lines
    description: [Writes one JSON object a line to the file or FIFO named in the environment variable RACKHAND_EVENTS.]
"""

KEPT = ("msg", "rc", "stderr", "stdout", "attempts", "retries", "skip_reason", "censored")
TEXT_MAX = 2000  # characters of each text in a result: its beginning and, mostly, its end
HEALTH = "rackhand_health"  # a result with this key is a report of checks


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "rackhand_events"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        path = os.environ.get("RACKHAND_EVENTS")
        self.disabled = not path
        if path:
            self.out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.seq = 0
        self.task_no = 0  # in this play, from 1
        self.task_count = 0
        self.started = {}  # (host, task id) -> time

    # ---- what happened, in the order of a run ----

    def v2_playbook_on_start(self, playbook):
        self._emit("playbook_start", playbook=os.path.basename(playbook._file_name))

    def v2_playbook_on_play_start(self, play):
        self.task_no, self.task_count = 0, count_tasks(play)
        self._emit("play_start", play=play.get_name(), tasks=self.task_count)

    def v2_playbook_on_task_start(self, task, is_conditional):
        if is_meta(task):
            return
        self.task_no += 1
        # Only tasks that are included while running are not known before.
        self.task_count = max(self.task_count, self.task_no)
        self._emit("task_start", n=self.task_no, of=self.task_count, **describe(task))

    def v2_playbook_on_handler_task_start(self, task):
        self._emit("handler_start", **describe(task))

    def v2_runner_on_start(self, host, task):
        self.started[host.get_name(), task._uuid] = time.monotonic()

    def v2_runner_on_ok(self, result):
        self._result("changed" if result._result.get("changed") else "ok", result)
        if HEALTH in result._result:
            self._emit("health", host=result._host.get_name(), checks=result._result[HEALTH])

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_runner_retry(self, result):
        self._result("retry", result)

    def v2_runner_item_on_ok(self, result):
        self._item("item_changed" if result._result.get("changed") else "item_ok", result)

    def v2_runner_item_on_failed(self, result):
        self._item("item_failed", result)

    def v2_runner_item_on_skipped(self, result):
        self._item("item_skipped", result)

    def v2_playbook_on_no_hosts_matched(self):
        self._emit("no_hosts_matched")

    def v2_playbook_on_stats(self, stats):
        self._emit("stats", hosts={host: stats.summarize(host) for host in sorted(stats.processed)})

    # ---- writing ----

    def _item(self, event, result):
        hidden = result._task.no_log or "censored" in result._result
        self._result(event, result, item=None if hidden else shorten(str(result._result.get("_ansible_item_label"))))

    def _result(self, event, result, **more):
        host, task = result._host.get_name(), result._task
        start = self.started.get((host, task._uuid))
        self._emit(
            event,
            host=host,
            changed=bool(result._result.get("changed")),
            ms=None if start is None else int((time.monotonic() - start) * 1000),
            result=cut_result(result._result, task.no_log),
            **describe(task),
            **more,
        )

    def _emit(self, event, **fields):
        self.seq += 1
        line = json.dumps({"seq": self.seq, "ts": round(time.time(), 3), "event": event, **fields}, default=str)
        try:
            data = line.encode() + b"\n"
            while data:
                data = data[os.write(self.out, data):]
        except OSError:  # the reader is gone: the servers' work goes on without it
            self.disabled = True


def describe(task):
    role = getattr(task, "_role", None)
    name = task.get_name(include_role_fqcn=False).strip()
    return {"task": name.split(" : ", 1)[-1], "role": role.get_name() if role else None, "task_id": task._uuid}


def is_meta(task):
    return task.resolved_action in C._ACTION_META


def count_tasks(play):
    """Tasks of a play, with those of its roles and imported files, without meta tasks and handlers."""

    def count(blocks):
        total = 0
        for each in blocks:
            if isinstance(each, Block):
                total += count(each.block) + count(each.always)
            else:
                total += not is_meta(each)
        return total

    tagged = [block.filter_tagged_tasks({}) for block in play.compile()]
    return count(tagged) + bool(play.gather_facts)


def cut_result(result, no_log):
    if no_log:
        return {"censored": "hidden by no_log"}
    kept = {key: result[key] for key in KEPT if result.get(key) not in (None, "")}
    return {key: value if isinstance(value, (int, bool)) else shorten(value) for key, value in kept.items()}


def shorten(value):
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) <= TEXT_MAX:
        return text
    return f"{text[:TEXT_MAX // 4]}\n[... {len(text) - TEXT_MAX} characters ...]\n{text[-TEXT_MAX * 3 // 4:]}"
