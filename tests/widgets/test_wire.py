"""What a real pseudo-terminal is sent: few bytes, and no control byte that is not the driver's own."""

from __future__ import annotations

import sys
from dataclasses import replace

from tests.bench.wire import TABLE_STEPS, Step, measure
from tests.terminal import strangers


def test_hostile_names_and_logs_send_only_what_the_driver_sends() -> None:
    start, answers = measure(
        [sys.executable, "-m", "tests.widgets.hostile_app"], [Step("down", b"j", times=3), Step("mark", b" ")]
    )
    data = start.data + b"".join(answer.data for answer in answers)
    assert "交" in data.decode("utf-8")
    assert strangers(data) == []


def test_the_table_keeps_to_its_bytes_in_true_colour() -> None:
    argv = [sys.executable, "-m", "tests.bench.table_app", "10000"]
    steps = [replace(step, seconds=min(step.seconds, 1.0), times=1) for step in TABLE_STEPS]
    _, answers = measure(argv, steps, env={"COLORTERM": "truecolor"})
    assert {answer.step.name: answer.bytes for answer in answers if answer.bytes > (answer.step.budget or 0)} == {}
    assert all(answer.bytes > 0 for answer in answers if answer.step.keys)
