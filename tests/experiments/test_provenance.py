from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from rlattn.experiments.provenance import (
    MADE_WITH,
    Identity,
    _git_revision,
    made_with,
    provenance,
)


def test_versions_and_machine_are_named() -> None:
    facts = provenance()
    assert facts["python"] == platform.python_version()
    assert facts["threads"] == torch.get_num_threads()
    versions = facts["versions"]
    assert isinstance(versions, dict)
    assert versions["torch"].startswith("2.")
    assert all(versions[name] for name in versions if name != "rlattn")
    json.dumps(facts)


def test_the_command_can_be_given_to_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", ModuleSpec("a.program", None))
    monkeypatch.setattr(sys, "argv", ["/some/where/program.py", "--out", "a b", "--name", "x;y"])
    assert provenance()["command"] == "python -m a.program --out 'a b' --name 'x;y'"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("/cache/host-1f", "host-1f"),
        ("int8:/cache/host-1f", "int8:host-1f"),
        ("some/host", "some/host"),
        ("locale:en-de", "locale:en-de"),
        ("embedded", "embedded"),
    ],
)
def test_where_something_is_on_this_machine_is_not_told(given: str, told: str) -> None:
    found = made_with(None, Identity(given, "123"))
    assert tuple(found) == MADE_WITH
    assert found["host_resolved"] == {"name": told, "fingerprint": "123"}
    assert found["corpus_resolved"] is None


def git(tree: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(tree), *identity, *arguments], check=True, capture_output=True)


def test_the_revision_of_a_source_tree_says_whether_it_was_changed(tmp_path: Path) -> None:
    try:
        git(tmp_path, "init")
    except OSError:
        pytest.skip("git is not installed")
    (tmp_path / "file").write_text("old")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "tag", "v1")
    revision = _git_revision(tmp_path)
    assert revision is not None
    assert len(revision) == 40
    (tmp_path / "file").write_text("new")
    assert _git_revision(tmp_path) == f"{revision}-dirty"
    (tmp_path / "below").mkdir()
    assert _git_revision(tmp_path / "below") is None


def test_a_tree_without_git_has_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _git_revision(tmp_path) is None
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert _git_revision(tmp_path) is None
