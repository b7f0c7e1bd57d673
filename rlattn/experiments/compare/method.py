"""What a method of a comparison is, and where those of a kind of host are known by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rlattn.corpora import Pair
from rlattn.errors import InputError, closest
from rlattn.experiments.compare.scene import Found, Outcome
from rlattn.experiments.compare.tasks import ObjectiveName

MethodKind = Literal["rule", "gradient", "rl", "control", "bound"]

Train = Callable[[Any], Outcome[Any]]
"""Learns or chooses whatever a method has to, on the training and validation pairs of a scene."""

Write = Callable[[Any, Found, Sequence[Pair], bool], Any]
"""Has a scene's host write or label pairs with what was found, with where it looked if the last
argument says so; only a bound looks at the targets."""


@dataclass(frozen=True)
class Method:
    """How runs of a method are made.

    Attributes:
        name: What it is called.
        kind: What it is told apart by in tables and pictures.
        train: Learns or chooses what has to be.
        write: Translates, or labels, with that.
        objectives: What it can be asked for; none for a method that is the same whatever is asked,
            and runs once.
        seeded: Whether chance plays a part, so that it runs once for each seed.
        needs_native: Whether each step needs a full native pass first.
        few_sentences: Whether it takes so long that it gets the first few test sentences only.
    """

    name: str
    kind: MethodKind
    train: Train
    write: Write
    objectives: tuple[ObjectiveName, ...] = ()
    seeded: bool = False
    needs_native: bool = False
    few_sentences: bool = False


class Methods(Mapping[str, Method]):
    """Methods by their names, in the order of tables."""

    def __init__(self) -> None:
        self._known: dict[str, Method] = {}

    def __getitem__(self, name: str) -> Method:
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def register(self, method: Method) -> Method:
        """Makes a method known; modules that ``--imports`` names may add their own.

        Raises:
            InputError: If its name is taken.
        """
        if method.name in self._known:
            raise InputError(f"a method named {method.name!r} is already registered")
        self._known[method.name] = method
        return method

    def chosen(self, names: Sequence[str]) -> list[Method]:
        """The methods of some names, or all; native attention comes first in any case.

        Raises:
            InputError: If there is no such method.
        """
        for name in names:
            if name not in self:
                raise InputError(f"--methods {name}: {closest(name, self._known)}")
        return [m for m in self.values() if not names or m.name in names or m.name == "native"]
