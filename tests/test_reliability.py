"""``docs/reliability.md`` names tests and commands that are there, and all about bad input."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.security.artefacts import HEAD, HOST, POLICY
from tests.security.test_texts import HOSTILE

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE)))
COMMANDS = sorted(set(re.findall(r"`(?:\w+=\w+ )?python ([^`]+)`", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_a_test_that_is_named_is_one(path: str) -> None:
    assert "def test_" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", ["security", "hostile"])
def test_no_test_of_these_is_left_out(folder: str) -> None:
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / folder).glob("test_*.py")}
    assert found
    assert found <= set(NAMED)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_called_is_there(command: str) -> None:
    module = re.match(r"-m ([\w.]+)", command)
    if module is None:
        assert (ROOT / command.split()[0]).is_file()
    else:
        assert find_spec(module[1]) is not None


def test_what_is_tried_is_counted() -> None:
    assert f" {len(POLICY) + len(HOST) + len(HEAD)} such artefacts are tried." in PAGE
    assert f" {len(HOSTILE)} such texts are tried" in PAGE
