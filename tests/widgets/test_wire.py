"""What a real pseudo-terminal is sent: few bytes, and no control byte that is not the driver's own."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

from tests.bench.wire import TABLE_STEPS, Step, measure

DRIVER = re.compile(
    rb"\x1b\[[\d;]*[Hm]"  # cursor position, style
    rb"|\x1b\[\?\d+[hl]"  # modes: alternate screen, mouse, paste, cursor
    rb"|\x1b\[\?\d+\$p"  # what modes there are
    rb"|\x1b\[[<>=]\d*[\d;]*u"  # keyboard protocol
    rb"|\x1b\[\d*t"  # window size
    rb"|\x1b\]22;[a-z-]*\x07"  # shape of the mouse pointer
    rb"|\r?\n"
)
C1_OR_INVISIBLE = re.compile("[\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def test_hostile_names_and_logs_send_only_what_the_driver_sends() -> None:
    start, answers = measure(
        [sys.executable, "-m", "tests.widgets.hostile_app"], [Step("down", b"j", times=3), Step("mark", b" ")]
    )
    data = start.data + b"".join(answer.data for answer in answers)
    text = DRIVER.sub(b"", data)
    assert b"\xe4\xba\xa4" in text
    assert not re.findall(rb"[\x00-\x1f\x7f]", text)
    assert not C1_OR_INVISIBLE.findall(text.decode("utf-8"))


def test_the_table_keeps_to_its_bytes_in_true_colour() -> None:
    argv = [sys.executable, "-m", "tests.bench.table_app", "10000"]
    steps = [replace(step, seconds=min(step.seconds, 1.0), times=1) for step in TABLE_STEPS]
    _, answers = measure(argv, steps, env={"COLORTERM": "truecolor"})
    assert {answer.step.name: answer.bytes for answer in answers if answer.bytes > (answer.step.budget or 0)} == {}
    assert all(answer.bytes > 0 for answer in answers if answer.step.keys)
