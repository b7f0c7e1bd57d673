"""The texts to come: read by the classifier in batches ahead of need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs.queue import Queue, packed, padded, unpacked
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost, EncodedTexts
from rlattn.storage.state import State, part, take


@dataclass(frozen=True)
class LabelledTexts:
    """Texts that are ready to start, one row each.

    Attributes:
        encoded: What the host knows of them.
        sources: Their tokens, int64, zero beyond the end, ``[count, max_source]``.
        memory: Names of their first rows in the store of memories, ``[count]``.
        label: Their labels among the host's, int64, ``[count]``.
        native: Logits of native attention, ``[count, labels]``; None where nobody asks for them.
        pairs: Their texts and the names of their labels.
    """

    encoded: EncodedTexts
    sources: np.ndarray
    memory: np.ndarray
    label: np.ndarray
    native: Tensor | None
    pairs: list[Pair]

    def pick(self, rows: np.ndarray) -> LabelledTexts:
        """Some of them."""
        places = torch.from_numpy(rows).to(self.encoded.mask.device)
        return LabelledTexts(
            self.encoded.take(places),
            self.sources[rows],
            self.memory[rows],
            self.label[rows],
            None if self.native is None else self.native[places],
            [self.pairs[row] for row in rows],
        )

    def state_dict(self) -> State:
        """All of it."""
        return {
            "encoded": self.encoded.state_dict(),
            "sources": self.sources,
            "memory": self.memory,
            "label": self.label,
            "native": self.native,
            "pairs": packed(self.pairs),
        }

    def like(self, state: State) -> LabelledTexts:
        """Others of the same host, from their state."""
        encoded, native = self.encoded.like(part(state, "encoded")), self.native
        rows = len(encoded.mask)
        return LabelledTexts(
            encoded,
            take(state, "sources", self.sources, (rows, self.sources.shape[1])),
            take(state, "memory", self.memory, (rows,)),
            take(state, "label", self.label, (rows,)),
            None if native is None else take(state, "native", native, (rows, native.shape[1])),
            unpacked(state),
        )

    @classmethod
    def joined(cls, parts: Sequence[LabelledTexts]) -> LabelledTexts:
        """All parts, one after the other."""
        natives = [part.native for part in parts if part.native is not None]
        return cls(
            type(parts[0].encoded).joined([part.encoded for part in parts]),
            np.concatenate([part.sources for part in parts]),
            np.concatenate([part.memory for part in parts]),
            np.concatenate([part.label for part in parts]),
            torch.cat(natives) if natives else None,
            [pair for part in parts for pair in part.pairs],
        )


class TextQueue(Queue):
    """Draws texts from a labelled split, epoch after epoch.

    A few batches of texts of like length are read at a time, and handed out in any order.

    Args:
        host: The frozen classifier.
        split: The texts and their labels.
        native: Whether to have the host label them by native attention, too.
        max_source: Longer texts are cut, in tokens.
        lanes: For how many lanes.
    """

    def __init__(
        self,
        host: ClassifierHost[Any],
        split: Sequence[Pair],
        *,
        native: bool,
        max_source: int,
        lanes: int,
    ) -> None:
        self._host, self._native = host, native
        self._number = {label: number for number, label in enumerate(host.labels)}
        super().__init__(host, split, max_source=max_source, lanes=lanes)

    def seed(self, seed: int) -> None:
        """Begins a new order of the corpus."""
        super().seed(seed)
        self._read_ahead: LabelledTexts | None = None
        self._waiting = np.zeros(0, np.int64)

    def state_dict(self) -> State:
        """What is still to come, but for the memories."""
        assert self._read_ahead is not None
        waiting = self._read_ahead.pick(self._waiting)
        return {**super().state_dict(), "waiting": waiting.state_dict()}

    def load_state_dict(self, state: State) -> None:
        """Goes on where another queue of the same split was, once this one has begun, too."""
        super().load_state_dict(state)
        assert self._read_ahead is not None
        self._read_ahead = self._read_ahead.like(part(state, "waiting"))
        self._waiting = np.arange(len(self._read_ahead.pairs))

    @property
    def _waits(self) -> bool:
        return bool(len(self._waiting))

    def take(self, count: int) -> LabelledTexts:
        """The next texts.

        Raises:
            InputError: If the label of one is none of the host's.
        """
        parts: list[LabelledTexts] = []
        while count:
            if not self._waits:
                self._read_ahead = LabelledTexts.joined(self._read())
                self._waiting = self._rng.permutation(len(self._read_ahead.pairs))
            assert self._read_ahead is not None
            parts.append(self._read_ahead.pick(self._waiting[:count]))
            self._waiting = self._waiting[count:]
            count -= len(parts[-1].pairs)
        return LabelledTexts.joined(parts)

    def _read(self) -> list[LabelledTexts]:
        read = []
        for batch in self._draw():
            encoded = self._host.encode(batch.sources)
            read.append(
                LabelledTexts(
                    encoded,
                    padded(batch.sources, self._max_source),
                    self._remember(encoded.memory, encoded.mask, batch.sources),
                    np.array([self._label(pair) for pair in batch.pairs]),
                    self._host.classify(encoded) if self._native else None,
                    batch.pairs,
                )
            )
        return read

    def _label(self, pair: Pair) -> int:
        number = self._number.get(pair.target)
        if number is None:
            raise unknown_label(self._host, pair.target)
        return number


def unknown_label(host: ClassifierHost[Any], label: str) -> InputError:
    """What to say of a label that a host does not have."""
    return InputError(
        f"a text has the label {label!r}, and host {host.name} tells apart "
        f"{', '.join(host.labels)}: give a host that was trained on such labels"
    )
