"""Reward terms by name: those that ship, and those that users add."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence, Set
from functools import partial
from inspect import signature
from typing import Any, TypeVar, get_args, overload

from torch import Tensor

from rlattn.errors import InputError, closest
from rlattn.rewards.base import Reward, SentenceReward
from rlattn.rewards.step import Need, Step

Term = Callable[[Step], Tensor]
Scorer = Callable[[Sequence[str], Sequence[str], Sequence[str]], Sequence[float]]
R = TypeVar("R", bound=type[Reward])
F = TypeVar("F", bound=Term)
S = TypeVar("S", bound=Scorer)

REWARDS: dict[str, Callable[[], Reward]] = {}
"""What makes a term, by its name."""

WRAPPERS: dict[str, Callable[[Reward], Reward]] = {}
"""What makes a term out of another, by what stands before the colon of its name."""

_DEEPEST = 8
"""How many of these may stand before a term."""


class FunctionReward(Reward):
    """A term that is a plain function.

    Args:
        function: Gives one number per lane.
        needs: What it asks for.
        immediate: As `Reward` has it.
    """

    def __init__(self, function: Term, needs: frozenset[Need], immediate: bool) -> None:
        self.name = function.__name__
        self.needs, self.immediate = needs, immediate
        self._function = function

    def __call__(self, step: Step) -> Tensor:
        """What the function gives, ``[lanes]``."""
        return self._function(step)


class FunctionScore(SentenceReward):
    """A score of finished sentences that is a plain function.

    Args:
        function: Gives one number per sentence.
    """

    def __init__(self, function: Scorer) -> None:
        self.name = function.__name__
        self._function = function

    def score(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Sequence[float]:
        """What the function gives."""
        return self._function(sources, hypotheses, references)


@overload
def register_reward(term: R) -> R: ...


@overload
def register_reward(term: F, *, needs: Set[Need] = frozenset(), immediate: bool = True) -> F: ...


@overload
def register_reward(
    *, needs: Set[Need] = frozenset(), immediate: bool = True
) -> Callable[[F], F]: ...


def register_reward(
    term: Any = None, *, needs: Set[Need] = frozenset(), immediate: bool = True
) -> Any:
    """Makes a term known by its name, to environments and to ``--reward``; a decorator.

    Example::

        @register_reward(needs={"native"})
        def surprise(step):
            return -step.native_log_prob(step.token)

    Args:
        term: A subclass of `Reward`; or a function from a `Step` to one number per lane, a tensor
            ``[lanes]``, whose name is the term's.
        needs: What a function asks for; a class says it by its attribute.
        immediate: Whether a function's number at a step is owed to that step alone, likewise.

    Raises:
        InputError: If the name is taken by another term, or cannot be a name.
    """
    if term is None:
        return partial(register_reward, needs=needs, immediate=immediate)
    if isinstance(term, type):
        if not issubclass(term, Reward):
            raise InputError(f"{term.__name__} is no reward: expected a subclass of Reward")
        _check_needs(term.__name__, term.needs)
        _register(getattr(term, "name", ""), term)
    else:
        _check_needs(_called(term, "step"), needs)
        _register(term.__name__, partial(FunctionReward, term, frozenset(needs), immediate))
    return term


def register_scorer(scorer: S) -> S:
    """Makes a batched text function known as a score of finished sentences; a decorator.

    Any metric will do, a neural one too: it is called once a step, for all sentences that ended.

    Example::

        @register_scorer
        def brevity(sources, hypotheses, references):
            return [-len(hypothesis) for hypothesis in hypotheses]

    Args:
        scorer: From source sentences, what was written, and what should have been written, to one
            number for each sentence; its name is the term's.

    Raises:
        InputError: If the name is taken by another term.
    """
    _called(scorer, "sources, hypotheses, references")
    _register(scorer.__name__, partial(FunctionScore, scorer))
    return scorer


def _called(function: Any, arguments: str) -> str:
    """The name of a function, if it can be called with some arguments."""
    try:
        signature(function).bind(*arguments.split(", "))
    except TypeError as error:
        raise InputError(
            f"{getattr(function, '__name__', repr(function))} cannot be registered: expected a "
            f"function of ({arguments}) ({error})"
        ) from error
    name: str = function.__name__
    return name


def _check_needs(name: str, needs: Any) -> None:
    known = get_args(Need)
    if isinstance(needs, str) or not set(needs) <= set(known):
        raise InputError(
            f"the reward {name!r} needs {needs!r}: expected a set of {', '.join(known)}"
        )


def _register(name: str, make: Callable[[], Reward]) -> None:
    if not re.fullmatch(r"\w+", name):
        raise InputError(f"a reward cannot be named {name!r}: expected letters, digits and _")
    # What is defined again, as a cell of a notebook is, takes its own place.
    if name in WRAPPERS or _origin(REWARDS.get(name, make)) != _origin(make):
        raise InputError(f"a reward named {name!r} is already registered")
    REWARDS[name] = make


def _origin(make: Any) -> tuple[str, str]:
    defined = make.args[0] if isinstance(make, partial) else make
    return defined.__module__, defined.__qualname__


def make_reward(name: str) -> Reward:
    """The term of a name, such as ``chrf``, or of a term in a wrapper, such as ``spread:chrf``.

    Raises:
        InputError: If there is none.
    """
    if not isinstance(name, str):
        raise InputError(f"unknown reward {name!r}: expected a name")
    if name.count(":") > _DEEPEST:
        raise InputError(f"reward {name:.40}…: expected at most {_DEEPEST} names before a term's")
    outer, colon, inner = name.partition(":")
    if colon and outer in WRAPPERS:
        return WRAPPERS[outer](make_reward(inner))
    if colon:
        raise InputError(f"unknown reward {name!r}: for {outer}: {closest(outer, WRAPPERS)}")
    if name not in REWARDS:
        known = [*REWARDS, *(f"{outer}:NAME" for outer in WRAPPERS)]
        raise InputError(f"unknown reward {name!r}: {closest(name, known)}")
    return REWARDS[name]()
