"""The errors that rlattn raises on purpose; every one says what was wrong and what to do."""

from __future__ import annotations


class RlattnError(Exception):
    """Base class of every error that rlattn raises on purpose."""


class InputError(RlattnError, ValueError):
    """Something the user gave cannot be used; programs print it as one line and exit with 2."""


class UnsupportedModelError(RlattnError, TypeError):
    """The model cannot be steered or cannot serve as a host; the message names it and says why."""


class SteeringError(RlattnError, RuntimeError):
    """A steering was used wrongly, or did not reach the attention it was meant for."""


class ContractError(RlattnError, ValueError):
    """A term, family or task broke a rule that all of its kind keep; the message says which."""
