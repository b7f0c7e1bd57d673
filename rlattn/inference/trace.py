"""What was read while a model wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Trace:
    """What was read during one or more calls of `generate()`; the last decoding is kept.

    Its rows are the sequences that `generate()` returns, in their order. After a beam search they
    are told of once it is over, each along the beams that it went through; they are empty where a
    model's own `generate()`, as Whisper's, does not say which beams those were. Of a source that is
    written window by window, as long recordings are, it tells of the last. The tokens of a prompt
    are steps like others, and so is the one after a stop that was not the end-of-sequence token.

    Attributes:
        reads_fraction: Mean over the steps of each target of open over valid positions, ``[rows]``.
        attention: With `trace`, the attention of each step, ``[rows, source]``; after the end of a
            target it means nothing.
        opened: With `trace`, the positions of each step that an action left open, bool,
            ``[rows, source]``; likewise.
    """

    reads_fraction: Tensor = field(default_factory=lambda: torch.zeros(0))
    attention: list[Tensor] = field(default_factory=list)
    opened: list[Tensor] = field(default_factory=list)

    def clear(self) -> None:
        """Forgets everything."""
        self.reads_fraction = self.reads_fraction.new_zeros(0)
        self.attention.clear()
        self.opened.clear()

    def follow(self, reads: list[Tensor], beams: Tensor, prompt: int) -> None:
        """Tells of hypotheses that a beam search returned, instead of the rows of its forwards.

        Args:
            reads: For each step, the fraction that each row read, ``[rows]``.
            beams: The row that each token of each hypothesis was chosen in, -1 beyond its end, int,
                ``[hypotheses, tokens]``.
            prompt: How many steps came before the first choice; all beams of a source are alike
                there.
        """
        path = torch.cat([beams[:, :1].expand(-1, prompt), beams], dim=1).long()
        there, path = path >= 0, path.clamp(min=0)
        steps = path.shape[1]
        read = torch.stack(reads[:steps], dim=1).gather(0, path)
        self.reads_fraction = (read * there).sum(1) / there.sum(1)
        for kept in (self.attention, self.opened):
            kept[:] = [
                rows[path[:, step]] * there[:, step, None] for step, rows in enumerate(kept[:steps])
            ]
