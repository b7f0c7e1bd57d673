"""The errors that rlattn raises on purpose; every one says what was wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from rlattn.visible import visible


class RlattnError(Exception):
    """Base class of every error that rlattn raises on purpose.

    What a message quotes, such as a name in a file, may be anybody's: it cannot act on a terminal.
    """

    def __str__(self) -> str:
        return visible(super().__str__().replace("\r\n", "\n"), keep="\n\t")


class InputError(RlattnError, ValueError):
    """Something the user gave cannot be used; programs print it as one line and exit with 2."""


class OutputError(RlattnError, OSError):
    """A file cannot be written; what was written before it is whole."""


class UnsupportedModelError(RlattnError, TypeError):
    """The model cannot be steered or cannot serve as a host; the message names it and says why."""


class SteeringError(RlattnError, RuntimeError):
    """A steering was used wrongly, or did not reach the attention it was meant for."""


class DivergedError(RlattnError, ArithmeticError):
    """A training came to numbers that no policy has; the message says which, and when."""


class StoppedError(RlattnError):
    """A signal asked for the end, and what was under way is safe; the message says how to go on.

    Args:
        message: What was kept, and how to go on.
        signal: The signal's number; a program exits with 128 and this.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class ContractError(RlattnError, ValueError):
    """A term, family or task broke a rule that all of its kind keep; the message says which.

    Args:
        message: What was wrong, what was expected, and what to do.
        lane: The lane in which it came up, where that is known.
    """

    def __init__(self, message: str, lane: int | None = None) -> None:
        super().__init__(message)
        self.lane = lane


def closest(name: str, known: Iterable[str]) -> str:
    """What to say of a name that is not known: the one that was probably meant, or all."""
    known = sorted(known)
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Puts before the message of an error what it is about.

    Raises:
        InputError: For any other, and for an `OSError`.
    """
    try:
        yield
    except (InputError, OSError) as error:
        raise InputError(f"{what}: {error}") from error
