"""Where sources stand among their padding: policies see all of them from the first column on."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from rlattn.steering import Allocation


class Padding:
    """Moves what belongs to source positions between the model's columns and the policy's.

    In an environment padding comes after the source. Here it may come before, so that a policy that
    knows neighbours or blocks of positions would take other ones for them.

    Args:
        mask: True at real source tokens, in the model's columns, ``[lanes, source]``.

    Attributes:
        mask: The same with the real tokens first, ``[lanes, source]``.
    """

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask
        self._order: Tensor | None = None
        if bool((mask[:, 1:] & ~mask[:, :-1]).any()):
            self._order = (~mask).long().argsort(dim=1, stable=True)
            self._back = self._order.argsort(dim=1)
            self.mask = mask.gather(1, self._order)

    def behind(self, rows: Tensor) -> Tensor:
        """Something ``[lanes, source]`` with its padding at the end."""
        return rows if self._order is None else rows.gather(1, self._order)

    def restored(self, rows: Tensor) -> Tensor:
        """Something ``[lanes, ..., source]`` in the model's columns again."""
        if self._order is None:
            return rows
        between = [1] * (rows.ndim - 2)
        back = self._back.view(len(self._back), *between, -1)
        return rows.gather(-1, back.expand(rows.shape))

    def allocated(self, allocation: Allocation) -> Allocation:
        """An allocation in the model's columns again."""
        if self._order is None:
            return allocation
        return replace(allocation, values=self.restored(allocation.values))
