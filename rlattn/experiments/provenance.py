"""What a run was made with: versions, machine and source revision."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

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


def provenance() -> dict[str, object]:
    """Describes the software and the machine of this process, ready for JSON.

    Returns:
        Python and platform, versions by package name (None where one is not installed), cores and
        PyTorch threads, the accelerator's name or None, and the git revision of the source tree,
        ending in ``-dirty`` if it was changed, or None outside of one.
    """
    return {
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
