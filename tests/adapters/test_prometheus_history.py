"""A leak that only shows over hours, in a real Prometheus that remembers them (backfilled by promtool)."""

import math
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_server import prometheus

from runbook.adapters.clock import SystemClock
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.adapters.prometheus import PrometheusProbes
from runbook.engine.diagnose import diagnose
from runbook.issues.memory_leak import RUNBOOK
from runbook.model.answer import Answer
from runbook.model.finding import Diagnosis, NodeDiagnosis
from runbook.model.settings import defaults
from runbook.model.target import Node, Target
from runbook.ports import ReadPorts

HOURS, STEP_SECONDS = 7, 15
PER_HOUR = 350e6
NAMES = ("leaking", "restarted", "young", "calm", "filled", "ended")
NODES = tuple(Node(name, f"http://10.0.0.{at}:7432") for at, name in enumerate(NAMES))
AGE_HOURS = {"restarted": 2.0, "young": 0.1, "ended": 0.03}
"""How long ago these processes began; the others began before anybody looked."""


def resident(name: str, hours_ago: float) -> float:
    """What a node kept then; the rise is 97 kB a second, over a wiggle that frees as much as it takes."""
    wiggle = 1e5 * math.sin(hours_ago * 700)
    age = AGE_HOURS.get(name, 24.0) - hours_ago
    if age < 0:
        return 6e9 + wiggle  # the process before
    if name == "calm":
        return 1e9 + wiggle
    if name == "filled":  # by 2.4 GB in the first hour that is known, and then no more
        return 1e9 + 2.4e9 * min(HOURS - hours_ago, 1.0) + wiggle
    return 1e9 + PER_HOUR * age + wiggle


def openmetrics(now: float) -> Iterator[str]:
    """Seven hours of six nodes, a sample every quarter of a minute, as promtool reads it."""
    moments = [now - seconds for seconds in range(HOURS * 3600, -1, -STEP_SECONDS)]
    for metric in ("process_resident_memory_bytes", "process_start_time_seconds"):
        yield f"# TYPE {metric} gauge\n"
        for node in NODES:
            for at in moments:
                ago = (now - at) / 3600
                age = AGE_HOURS.get(node.name, 24.0)
                began = now - 3600 * (age if ago <= age else 24.0)
                value = resident(node.name, ago) if metric.endswith("bytes") else began
                yield f'{metric}{{instance="{node.instance}",job="engram"}} {value:.0f} {at:.3f}\n'
    yield "# TYPE engram_oom_restarts counter\n"
    for node in NODES:
        for at in moments:
            again = node.name == "ended" and (now - at) / 3600 <= AGE_HOURS["ended"]
            yield f'engram_oom_restarts_total{{instance="{node.instance}",job="engram"}} {2 + again} {at:.3f}\n'
    yield "# EOF\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that remembers."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (make setup installs it as root)")
    folder = tmp_path_factory.mktemp("history")
    (folder / "history.txt").write_text("".join(openmetrics(time.time())))
    backfill = [promtool, "tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"]
    subprocess.run(backfill, cwd=folder, check=True, capture_output=True, timeout=60)
    with prometheus(folder, [], interval="1m") as url:
        yield url


class NoTalk:
    """The port `Talk`; nobody listens."""

    def say(self, text: str) -> None:
        """Nothing."""

    def progress(self, label: str, done: float, total: float) -> None:
        """Nothing."""


def diagnosed(server: str, warm_up: timedelta = timedelta(0)) -> Diagnosis:
    """All nodes, over the usual five minutes and whatever else is asked."""
    target = Target("fleet", "test", Path("inventory"), NODES, server, warm_up=warm_up)
    probes = PrometheusProbes(server)
    ports = ReadPorts(probes, MemoryNodes({name: defaults() for name in NAMES}), SystemClock(), NoTalk())
    return diagnose(RUNBOOK, target, ports, None, probes.usual_window)[0]


def of(diagnosis: Diagnosis, name: str) -> NodeDiagnosis:
    """One node."""
    return next(node for node in diagnosis.nodes if node.node == name)


def test_what_grows_slowly_for_six_hours_is_a_leak_though_the_last_minutes_alone_are_not(server: str) -> None:
    """350 MB/h: NO by 1 GB/h at once and by 500 MB/h for three hours, YES by 200 MB/h for six."""
    found = of(diagnosed(server), "leaking")
    assert found.present is Answer.YES
    finding = found.symptoms[0]
    now, over_3, over_6 = finding.arithmetic.split("; ")
    assert now.endswith("all at or under 1000")
    assert over_3.startswith("over 3 h 350 MB/h")
    assert over_3.endswith("all at or under 500")
    assert over_6.startswith("over 6 h 350 MB/h")
    assert over_6.endswith("all above 200")
    assert (finding.source, finding.limit) == (server, 200.0)
    assert finding.value == pytest.approx(350, abs=2)


def test_two_hours_of_a_fresh_process_are_not_six(server: str) -> None:
    """The same growth since a restart two hours ago: only the minutes are asked, and they say NO."""
    found = of(diagnosed(server), "restarted")
    assert found.present is Answer.NO
    assert "over" not in found.symptoms[0].arithmetic
    assert found.symptoms[0].arithmetic.endswith("all at or under 1000")


def test_what_the_kernel_ended_in_the_window_has_run_out_of_memory(server: str) -> None:
    """Under two minutes ago, by a count that the new process goes on with; too young for a slope, and ill all the same.

    The others were ended twice, long ago.
    """
    diagnosis = diagnosed(server)
    told = {node.node: (node.symptoms[1].answer, node.symptoms[1].value) for node in diagnosis.nodes}
    assert told.pop("ended") == (Answer.YES, 1.0)
    assert set(told.values()) == {(Answer.NO, 0.0)}
    assert of(diagnosis, "ended").present is Answer.YES


def test_a_healthy_fleet_is_told_from_a_leaking_one(server: str) -> None:
    """One node that is calm, and one that filled up long ago: six hours do not see it."""
    diagnosis = diagnosed(server)
    for name in ("calm", "filled"):
        found = of(diagnosis, name)
        assert found.present is Answer.NO, found.symptoms[0].arithmetic
        assert found.symptoms[0].arithmetic.count("over ") == 2
    assert diagnosis.present is Answer.YES


def test_what_warms_up_is_not_judged_and_the_others_are(server: str) -> None:
    """Six minutes old, with a warm-up of ten: no data, with its reason. Without a warm-up it is judged."""
    assert of(diagnosed(server), "young").present is Answer.NO
    diagnosis = diagnosed(server, timedelta(minutes=10))
    young = of(diagnosis, "young")
    assert young.present is Answer.UNKNOWN
    assert "the warm-up of 600 s is not over" in young.symptoms[0].arithmetic
    assert of(diagnosis, "leaking").present is Answer.YES
