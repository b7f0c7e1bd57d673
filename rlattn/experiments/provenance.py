"""What a run was made with: command, versions, machine, source revision, corpus and host."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from rlattn.agents.record import command_line
from rlattn.hosts.names import last_part

_PACKAGES = (
    "rlattn",
    "torch",
    "transformers",
    "tokenizers",
    "stable-baselines3",
    "gymnasium",
    "numpy",
    "babel",
    "sacrebleu",
)

MADE_WITH = ("corpus_resolved", "host_resolved", "provenance")
"""What `made_with` tells, by name."""


class Identified(Protocol):
    """A corpus or a host."""

    @property
    def name(self) -> str:
        """Where it comes from."""

    @property
    def fingerprint(self) -> str:
        """A digest that changes whenever it does."""


class Identity(NamedTuple):
    """What a corpus or a host is known by, where there is no more of it."""

    name: str
    fingerprint: str


def made_with(corpus: Identified | None, host: Identified) -> dict[str, Any]:
    """Describes what a run is made with, ready for JSON.

    Args:
        corpus: What it reads; None where that is made up.
        host: The frozen model.

    Returns:
        ``corpus_resolved`` and ``host_resolved``, each a name and a fingerprint, and `provenance`.
        Of a folder that a name begins with only the last part is told: where it is on this machine
        is nobody else's matter.
    """
    return {
        "corpus_resolved": None if corpus is None else _identity(corpus),
        "host_resolved": _identity(host),
        "provenance": provenance(),
    }


def _identity(thing: Identified) -> dict[str, str]:
    return {"name": last_part(thing.name), "fingerprint": thing.fingerprint}


def provenance() -> dict[str, object]:
    """Describes the software and the machine of this process, ready for JSON.

    Returns:
        The command as a shell takes it, Python and platform, versions by package name (None where
        one is not installed), cores and PyTorch threads, the accelerator's name or None, and the
        git revision of the source tree, ending in ``-dirty`` if it was changed, or None outside of
        one.
    """
    return {
        "command": shlex.join(command_line()),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "cpu_cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "git_revision": _git_revision(Path(__file__).resolve().parents[2]),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_revision(tree: Path) -> str | None:
    # A package installed below somebody else's checkout must not claim that checkout's revision.
    if not (tree / ".git").exists():
        return None
    describe = ["git", "-C", str(tree), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        # No tag is wanted, only the full hash.
        answer = subprocess.run([*describe, "--exclude=*"], capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() or None
