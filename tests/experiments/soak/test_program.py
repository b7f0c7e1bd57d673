"""The soak program, for seconds."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from rlattn.errors import InputError
from rlattn.experiments.soak import __main__ as program
from rlattn.experiments.soak.flatness import Flatness
from rlattn.experiments.throughput.memory import peak_rss_mb, rss_mb

QUICK = program.Config(minutes=0.02, warm_up=0.0, lanes=2)
FLAT = Flatness(500.0, 0.5, 1000.0, 990.0, 150)


@pytest.mark.parametrize("part", ["env", "generate"])
def test_a_part_ends_with_what_it_found(
    part: program.Part,
    task: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # For a moment, by a clock of its own: whether memory is flat shows in minutes only.
    ticks = count(step=0.05)
    clock = SimpleNamespace(monotonic=lambda: next(ticks), process_time=time.process_time)
    monkeypatch.setattr(program, "time", clock)
    monkeypatch.setattr(program, "is_flat", lambda found: True)
    config = replace(QUICK, part=part, host=task["host"], corpus=task["corpus"], json=True)
    found = program.run(config)
    assert list(found) == [part]
    assert found[part].samples >= 6
    assert found[part].first > 0
    assert found[part].last > 0
    assert 50 < found[part].rss <= peak_rss_mb() + 1
    assert json.loads(capsys.readouterr().out)[part]["samples"] == found[part].samples


@pytest.mark.parametrize(
    ("changes", "flat"),
    [({}, True), ({"growth": 2.0}, False), ({"growth": -5.0}, True), ({"last": 890.0}, False)],
)
def test_what_is_not_flat_is_a_failure(
    changes: dict[str, float],
    flat: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = replace(FLAT, **changes)
    monkeypatch.setattr(program, "_alone", lambda config, part: found)
    if flat:
        assert program.run(program.Config()) == {"env": found, "generate": found}
    else:
        with pytest.raises(SystemExit) as end:
            program.run(program.Config())
        assert end.value.code == 1
    said = capsys.readouterr().out
    assert ("not flat" in said) != flat
    assert f"{found.growth:+.2f} %" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 0.0}, "--minutes 0.0: expected a number above 0"),
        ({"minutes": float("nan")}, "--minutes nan: expected a number above 0"),
        ({"warm_up": 1.0}, "--warm-up 1.0: expected a share from 0 to 0.9"),
        ({"lanes": 0}, "--lanes 0: expected at least 1"),
        ({"sentences": 0}, "--sentences 0: expected at least 1"),
        ({"seed": -1}, "--seed -1: expected a number from 0"),
        ({"part": "all"}, "--part 'all': expected"),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        program.run(replace(program.Config(), **changes))
    assert message in str(error.value)


def test_memory_is_held() -> None:
    before = rss_mb()
    held = bytearray(50_000_000)
    for place in range(0, len(held), 4096):
        held[place] = 1
    assert rss_mb() - before > 40
