"""A policy as it leaves a training, and what it tells of that."""

from __future__ import annotations

import copy
import os
import sys
from importlib import metadata
from pathlib import Path

from rlattn.hosts import Host
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference import TrainedPolicy, Training
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("rlattn", "torch", "transformers", "stable-baselines3")


def as_trained(
    policy: AttentionPolicy,
    host: Host,
    seed: int | None,
    env_steps: int,
    reading: Reading | None = None,
) -> TrainedPolicy:
    """A copy of a policy that this process trains, with how it came about.

    Args:
        policy: What is trained; later steps leave the copy as it is.
        host: What it is for.
        seed: Seed of the training, if it had one.
        env_steps: Environment steps so far.
        reading: How it reads texts, where the host is a classifier.
    """
    training = Training(
        command=command_line(),
        seed=seed,
        env_steps=env_steps,
        versions={name: metadata.version(name) for name in _PACKAGES},
    )
    copied = copy.deepcopy(policy)
    labels = host.labels if isinstance(host, ClassifierHost) else None
    known = (training, None, reading, labels)  # nothing was measured yet
    return TrainedPolicy(copied, host.name, host.fingerprint, *known)


def command_line() -> tuple[str, ...]:
    """This process's command line, as another machine can run it."""
    words = list(sys.argv)
    # What was started with -m has the path of its file in place of its name.
    if (program := getattr(sys.modules["__main__"], "__spec__", None)) is not None:
        words[:1] = ["-m", program.name.removesuffix(".__main__")]
    elif _ROOT in (path := Path(words[0])).parents:  # a process that one of our programs began
        parts = path.relative_to(_ROOT).with_suffix("").parts
        words[:1] = ["-m", ".".join(parts).removesuffix(".__main__")]
    # A file's name may be no UTF-8, and JSON is nothing else.
    return ("python", *(os.fsencode(word).decode("utf-8", "replace") for word in words))
