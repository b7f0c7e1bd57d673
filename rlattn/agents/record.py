"""What a policy that leaves a training tells of it."""

from __future__ import annotations

import os
import sys
from importlib import metadata

from rlattn.inference import Training

_PACKAGES = ("rlattn", "torch", "transformers", "stable-baselines3")


def training_record(seed: int | None, env_steps: int) -> Training:
    """How a policy of this process came about.

    Args:
        seed: Seed of the training, if it had one.
        env_steps: Environment steps up to this policy.
    """
    return Training(
        command=_command_line(),
        seed=seed,
        env_steps=env_steps,
        versions={name: metadata.version(name) for name in _PACKAGES},
    )


def _command_line() -> tuple[str, ...]:
    """This process's command line, as another machine can run it."""
    words = list(sys.argv)
    if (program := getattr(sys.modules["__main__"], "__spec__", None)) is not None:
        # What was started with -m has the path of its file in place of its name.
        words[:1] = ["-m", program.name.removesuffix(".__main__")]
    # A file's name may be no UTF-8, and JSON is nothing else.
    return ("python", *(os.fsencode(word).decode("utf-8", "replace") for word in words))
