"""Which neighbouring source positions share one decision: blocks of a length, or sentences."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from rlattn.errors import InputError
from rlattn.hosts import Host

_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")  # noqa: RUF001  (full-width marks are meant)
_PARTS = re.compile(r"[=|#*~•]+")

_RECENT = 2
"""How many sources are remembered: all of a batch, and those whose targets go on."""


class Segments(ABC):
    """A division of the source into stretches, each of at least one position.

    Attributes:
        spec: What stands after the name of a family that has it.
        reads_tokens: Whether it depends on the tokens of the source.
    """

    reads_tokens: bool = False

    @property
    @abstractmethod
    def spec(self) -> str:
        """What stands after the name of a family that has it."""

    @abstractmethod
    def most(self, source: int) -> int:
        """The most segments that a source of that many positions has."""

    @abstractmethod
    def index(self, mask: Tensor) -> Tensor:
        """The segment of each position, from 0 on and in their order, int64, ``[lanes, source]``.

        Args:
            mask: True at real source tokens, ``[lanes, source]``; elsewhere any segment will do.
        """

    def fit(self, host: Host) -> Segments:
        """The segments for a host."""
        return self

    def on(self, tokens: Tensor | None) -> Segments:
        """The segments of sources with these tokens, int64, ``[lanes, source]``."""
        return self

    def present(self, mask: Tensor) -> Tensor:
        """True at the segments that a lane has, ``[lanes, most]``."""
        last = self.index(mask).masked_fill(~mask, 0).amax(-1, keepdim=True)
        return torch.arange(self.most(mask.shape[1]), device=mask.device) <= last

    def pool(self, numbers: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The mean of each segment's numbers ``[lanes, source]``, and which segments there are.

        Returns:
            Both ``[lanes, most]``; the mean is zero where there is no segment.
        """
        index = self.index(mask)
        nothing = numbers.new_zeros(len(mask), self.most(mask.shape[1]))
        count = nothing.scatter_add(1, index, mask.to(numbers))
        total = nothing.scatter_add(1, index, numbers.masked_fill(~mask, 0.0))
        return total / count.clamp(min=1), count > 0


@dataclass(frozen=True)
class Blocks(Segments):
    """So many neighbours; the last block may be shorter.

    Attributes:
        size: How many, at least 1.
    """

    size: int

    def __post_init__(self) -> None:
        """Refuses blocks of nothing."""
        if self.size < 1:
            raise InputError(f"blocks of {self.size} positions: expected at least 1")

    @property
    def spec(self) -> str:
        """The size."""
        return str(self.size)

    def most(self, source: int) -> int:
        """As many as are begun."""
        return -(-source // self.size)

    def index(self, mask: Tensor) -> Tensor:
        """By division."""
        positions = torch.arange(mask.shape[1], device=mask.device)
        return (positions // self.size).expand(mask.shape)


_ID = "[0-9]{1,9}"


@dataclass(eq=False)
class Sentences(Segments):
    """The sentences of the source, each with the tokens that end it.

    What stands behind the last of these, as the token that ends the sequence, is one of its own:
    attention rests there when no sentence is needed. A sign that parts text, such as ``=`` or
    ``|``, begins one, whether what stands before it was ended or not. Tokens are all that is looked
    at: where the point of a number is a token, a sentence ends there too.

    Attributes:
        ends: The ids of the tokens that end a sentence; None until `fit`.
        begins: The ids of the tokens that begin one.
        tokens: Those of the sources at hand, int64, ``[lanes, source]``; None until `on`.
    """

    reads_tokens = True

    ends: tuple[int, ...] | None = None
    begins: tuple[int, ...] = ()
    tokens: Tensor | None = None
    # Sources stay the same for many steps, and each step asks several times.
    _recent: list[Sentences] = field(default_factory=list, init=False, repr=False)
    _found: Tensor | None = field(default=None, init=False, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """A copy of a policy takes no batch along."""
        return {**self.__dict__, "_recent": [], "_found": None}

    @property
    def spec(self) -> str:
        """``sentence:ends/begins`` by their ids, so that what is loaded needs no tokenizer."""
        if self.ends is None:
            return "sentence"
        ids = [",".join(map(str, each)) for each in (self.ends, self.begins) if each]
        return f"sentence:{'/'.join(ids)}"

    @classmethod
    def of(cls, ids: str) -> Sentences | None:
        """Sentences by what stands behind ``sentence:``; None if that is no such thing."""
        if not re.fullmatch(rf"{_ID}(,{_ID})*(/{_ID}(,{_ID})*)?", ids):
            return None
        ends, _, begins = ids.partition("/")
        return cls(_numbers(ends), _numbers(begins) if begins else ())

    def fit(self, host: Host) -> Sentences:
        """Looks up which of the host's tokens end a sentence.

        Raises:
            InputError: If none does.
        """
        if self.ends is not None:
            return self
        words = _words(host.tokenizer)
        ends = tuple(index for index, word in words if _END.search(word))
        if not ends:
            raise InputError(
                f"host {host.name} has no token such as '.' that ends a sentence: use blocks of "
                "positions instead, such as gate:16"
            )
        begins = tuple(index for index, word in words if _PARTS.fullmatch(word))
        return replace(self, ends=ends, begins=begins)

    def on(self, tokens: Tensor | None) -> Sentences:
        """The sentences of sources with these tokens, which must not change afterwards.

        Raises:
            InputError: If there are no tokens.
        """
        if tokens is None:
            raise InputError(f"gate:{self.spec} needs the tokens of the source, and got none")
        known = (one for one in self._recent if one.tokens is tokens)
        found = next(known, None) or replace(self, tokens=tokens)
        self._recent = [found, *(one for one in self._recent if one is not found)][:_RECENT]
        return found

    def most(self, source: int) -> int:
        """One for each position."""
        return source

    def index(self, mask: Tensor) -> Tensor:
        """By the tokens that end a sentence, and those that begin one.

        Raises:
            InputError: If it is not known yet which they are, or which tokens the source has.
        """
        if self.ends is None or self.tokens is None:
            missing = "fit(host)" if self.ends is None else "on(before)"
            raise InputError(f"gate:{self.spec}: where sentences end is not known: use {missing}")
        if self._found is None:
            ends, parts = map(self._are, (self.ends, self.begins))
            # Of '?!' only the last token ends the sentence, of '==' only the first begins one.
            begins = torch.zeros_like(ends)
            begins[:, 1:] = (ends[:, :-1] & ~ends[:, 1:]) | (parts[:, 1:] & ~parts[:, :-1])
            self._found = begins.long().cumsum(-1)
        return self._found

    def _are(self, ids: tuple[int, ...]) -> Tensor:
        assert self.tokens is not None
        some = self.tokens.new_tensor(ids)
        return torch.isin(self.tokens, some) if ids else torch.zeros_like(self.tokens).bool()


def _words(tokenizer: Any) -> list[tuple[int, str]]:
    """The ids of all tokens in their order, and the text that each holds.

    Where text was cut into pieces by how often they come, the mark that ends a sentence is often
    one with a word's end, and with what closes after it.
    """
    text = tokenizer.convert_tokens_to_string  # which knows how words begin
    vocabulary = tokenizer.get_vocab().items()
    return sorted((index, text([token]).strip()) for token, index in vocabulary)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))
