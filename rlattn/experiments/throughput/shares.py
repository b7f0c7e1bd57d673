"""Where time goes: methods that are timed for a while, by wrapping them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

from rlattn.experiments.throughput.measure import Clock

Methods = Mapping[str, Sequence[tuple[type, str]]]
"""Classes and names of their methods, by what their time is called."""


@contextmanager
def timed(methods: Methods, clock: Clock, seconds: dict[str, float]) -> Iterator[None]:
    """Times methods until the context ends, when all of them are what they were.

    A timed method that another one calls counts for its caller.

    Args:
        methods: What to time; each class defines the method itself.
        clock: Read before and after each call.
        seconds: What each call's time is added to, by what it is called.
    """
    inside = False

    def wrap(label: str, method: Any) -> Any:
        @wraps(method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside:
                return method(*args, **kwargs)
            inside, started = True, clock()
            try:
                return method(*args, **kwargs)
            finally:
                seconds[label] += clock() - started
                inside = False

        return wrapper

    originals = [
        (owner, name, vars(owner)[name], label)
        for label, places in methods.items()
        for owner, name in places
    ]
    try:
        for owner, name, method, label in originals:
            setattr(owner, name, wrap(label, method))
        yield
    finally:
        for owner, name, method, _ in originals:
            setattr(owner, name, method)
