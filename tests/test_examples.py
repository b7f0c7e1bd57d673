"""The examples are short, learn in about a minute, and do what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
TUTORIALS = {"short": "custom-reward", "monotone": "custom-family", "sentiment": "custom-task"}
EVERY_EXAMPLE = pytest.mark.parametrize("name", list(TUTORIALS))


def run(name: str, cache: Path) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, DOCS / "examples" / f"{name}.py"],
        env={**os.environ, "RLATTN_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples, and all processes that run them: the host is trained once."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return folder / "hosts"


def test_every_example_has_a_tutorial() -> None:
    assert {path.stem for path in (DOCS / "examples").glob("*.py")} == set(TUTORIALS)


@EVERY_EXAMPLE
def test_it_has_fewer_than_30_lines(name: str) -> None:
    lines = (DOCS / "examples" / f"{name}.py").read_text("utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) < 30


@EVERY_EXAMPLE
def test_the_tutorial_shows_what_the_example_defines(name: str) -> None:
    page = (DOCS / f"{TUTORIALS[name]}.md").read_text("utf-8")
    code = (DOCS / "examples" / f"{name}.py").read_text("utf-8")
    definitions = re.findall(
        r"^@register_\w+\n(?:(?:def|class) .*\n)(?:(?: .*)?\n)+?(?=\S|\Z)", code, re.M
    )
    assert definitions
    assert all(definition.strip() in page for definition in definitions)


@pytest.mark.slow
def test_brevity_makes_translations_shorter(cache: Path) -> None:
    words = re.findall(r"^(\w+): ([\d.]+) words", run("short", cache), re.MULTILINE)
    lengths = {name: float(count) for name, count in words}
    assert lengths.keys() == {"native", "brief"}
    assert lengths["brief"] < lengths["native"] - 1


@pytest.mark.slow
def test_a_monotone_window_translates_and_never_goes_back(cache: Path) -> None:
    found = re.search(r"(\d+)% right at (\d+)% reads, (\d+) steps back", run("monotone", cache))
    assert found is not None
    right, reads, back = map(int, found.groups())
    assert back == 0
    assert right > 60
    assert reads < 85


@pytest.mark.slow
def test_the_sentiment_is_kept_at_few_reads(cache: Path) -> None:
    found = re.search(r"kept in (\d+)% at (\d+)% reads", run("sentiment", cache))
    assert found is not None
    kept, reads = map(int, found.groups())
    assert kept >= 80, "by chance it would be about half"
    assert reads < 60
