"""A disk that is full ends each program with one line, and leaves what was written whole."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import rlattn
from rlattn.experiments import ppo_classify, ppo_translate
from rlattn.experiments.budget import __main__ as budget
from rlattn.experiments.compare import __main__ as compare
from rlattn.inference.folder import CARD
from tests.disks import small_disk

LINE = r"error: .*/disk-\w+/out/\S+: cannot be written \(No space left on device\): make room .*"


@pytest.fixture
def fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., set[str]]:
    """Calls a program with an out folder on a small disk; the names of the files that it left."""

    def calls(main: Callable[[], None], size: str, task: dict[str, Any], **more: Any) -> set[str]:
        with small_disk(tmp_path, size) as disk:
            arguments = ["program", "--out", str(disk / "out")]
            for name, value in {**task, **more}.items():
                values = value if isinstance(value, tuple) else (value,)
                arguments += [f"--{name.replace('_', '-')}", *map(str, values)]
            monkeypatch.setattr(sys, "argv", arguments)
            with pytest.raises(SystemExit) as end:
                main()
            said = capsys.readouterr().err
            assert end.value.code == 2, said
            assert "Traceback" not in said
            *_, last = said.strip().splitlines()
            assert re.fullmatch(LINE, last), said
            return {check(path) for path in (disk / "out").rglob("*") if path.is_file()}

    return calls


def check(path: Path) -> str:
    """Makes sure that a file is whole; its name."""
    assert not path.name.startswith("."), path
    if path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".png":
        with Image.open(path) as picture:
            picture.load()
    elif path.suffix == ".csv":
        assert len({line.count(",") for line in path.read_text().splitlines()}) <= 1
    elif path.suffix == ".safetensors" and (path.parent / CARD).is_file():
        rlattn.load(path.parent)
    return path.name


SHORT = {"steps": 256, "lanes": 4, "validations": 2}


FIRST = {"00000000.json", "00000000.safetensors"}
"""The checkpoint that a training begins with."""

POLICY = {"policy.safetensors", "policy.json"}


@pytest.mark.parametrize(
    ("size", "left"),
    [
        ("4k", {"config.json"}),
        ("80k", {"config.json", "progress.csv"}),
        ("1000k", FIRST),
        ("1840k", {*FIRST, *POLICY}),
        ("1920k", {*FIRST, *POLICY, "curves.png"}),
        ("2060k", {*FIRST, *POLICY, "curves.png", "samples.md"}),  # results are the last
    ],
)
def test_a_training_on_translation(
    size: str, left: set[str], small: dict[str, Any], fails: Callable[..., set[str]]
) -> None:
    assert fails(ppo_translate.main, size, small, valid_sentences=6, **SHORT) >= left


def test_a_training_on_classification(
    moods: dict[str, Any], fails: Callable[..., set[str]]
) -> None:
    found = fails(ppo_classify.main, "16k", moods, valid_texts=6, **SHORT)
    assert "config.json" in found


def test_a_comparison(small: dict[str, Any], fails: Callable[..., set[str]]) -> None:
    few = {"methods": ("native",), "valid_sentences": 4, "test_sentences": 4, "workers": 1}
    assert "comparison.json" in fails(compare.main, "8k", small, **few, **SHORT)


def test_a_measurement(fails: Callable[..., set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlattn.experiments.budget.points.peak", lambda *_: 1.0)
    tiny = {"size": "tiny", "source_length": 130, "batch": 2, "tokens": 4, "rounds": 1}
    assert fails(budget.main, "4k", tiny) == {"config.json"}
