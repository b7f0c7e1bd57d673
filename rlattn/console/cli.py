"""What the programs share: options that may be left out, common checks, and how bad input ends."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any, NoReturn, TypeVar

import torch
import tyro

from rlattn.checks import check_whole
from rlattn.errors import InputError, RlattnError, StoppedError
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.inference import TrainedPolicy, load
from rlattn.storage.files import explain, is_full

T = TypeVar("T")
Maybe = Annotated[T | None, tyro.conf.DisallowNone, tyro.conf.arg(help_behavior_hint="")]
"""An option that may be left out; its help text says what happens then."""

Modules = Annotated[tuple[str, ...], tyro.conf.arg(metavar="[MODULE ...]", help_behavior_hint="")]
"""Modules to import, none by default."""


def run_program(module: str, description: str, config: type[T], run: Callable[[T], object]) -> None:
    """Reads the command line and runs; bad input prints one line on stderr and exits with 2.

    So does a disk that is full, or that cannot be written any more.

    Args:
        module: What follows ``python -m``.
        description: Stands above the options in the help.
        config: A dataclass, each of whose attributes becomes an option.
        run: The program.
    """
    options = tyro.cli(config, prog=f"python -m {module}", description=description)
    # Without a network the hub's client would put a dozen lines above the one that counts.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    try:
        run(options)
        sys.stdout.flush()
    except StoppedError as error:
        print(error, file=sys.stderr)
        sys.exit(128 + error.signal)
    except RlattnError as error:
        _end(str(error))
    except BrokenPipeError:
        # Whoever reads standard output has enough.
        _drop_output()
    except OSError as error:
        if not is_full(error) and error.errno != errno.EROFS:
            raise
        # Not all that is written goes through `rlattn.storage`: journals of other libraries do not.
        _end(f"{error.filename or 'output'}: {explain(error)}")


def _end(reason: str) -> NoReturn:
    # Some reasons come from other libraries, and those may take several lines.
    print("error:", *reason.splitlines(), file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()
    sys.exit(2)


def _drop_output() -> None:
    """Lets standard output go nowhere, so that what is still buffered does not fail, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def flag(name: str) -> str:
    """The option that sets an attribute."""
    return f"--{name.replace('_', '-')}"


def check_counts(config: object, *names: str) -> None:
    """Makes sure that attributes are whole numbers from 1 on.

    Raises:
        InputError: If one is not.
    """
    for name in names:
        check_whole(flag(name), getattr(config, name))


def import_modules(names: Sequence[str]) -> None:
    """Imports modules in which a user's own rewards and action families register themselves.

    Raises:
        InputError: If one cannot be imported.
    """
    for name in names:
        try:
            import_module(name)
        except ImportError as error:
            raise InputError(
                f"--imports {name}: {error}; expected a module that Python finds, such as "
                "my_rewards for my_rewards.py in this folder"
            ) from error


def check_device(name: str) -> None:
    """Makes sure that tensors on a device can be made and read.

    Raises:
        InputError: If they cannot.
    """
    try:
        torch.zeros(1, device=name).item()
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name}: not available here; try cpu") from error


def find_policy(
    name: str, host: str | None, device: str = "cpu"
) -> tuple[TrainedPolicy, Seq2SeqHost]:
    """Loads a policy of a translator, and the host that it was trained on.

    Args:
        name: The policy's folder, or its name on the Hugging Face hub.
        host: Where the host is; None for where the training found it.
        device: Where the host goes.

    Raises:
        InputError: If one of them cannot be used, or they do not belong together.
    """
    policy = load(name)
    if policy.reading is not None:
        raise InputError(
            f"{name}: this policy reads texts for a classifier, which writes nothing: use python "
            "-m rlattn.classify"
        )
    with _place_asked_for():
        found = load_host(host or policy.host_name, device)
    policy.check(found.model)
    return policy, found


def find_classifier_policy(
    name: str, host: str | None, device: str = "cpu"
) -> tuple[TrainedPolicy, ClassifierHost[Any]]:
    """Loads a policy of a classifier, and the host that it was trained on.

    Arguments and errors are those of `find_policy`.
    """
    policy = load(name)
    if policy.reading is None:
        raise InputError(
            f"{name}: this policy was trained on a translator, which labels nothing: use python "
            "-m rlattn.translate"
        )
    with _place_asked_for():
        found = load_classifier(host or policy.host_name, device=device, labels=policy.labels)
    policy.check(found.model)
    return policy, found


@contextmanager
def _place_asked_for() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{error}; say with --host where the policy's host is") from error
