"""Rules that first watch where the host looks of its own accord, in a full native pass."""

from __future__ import annotations

from torch import Tensor

from rlattn.agents.rules.base import Rule, Seen
from rlattn.agents.rules.counts import check_share
from rlattn.steering import Allocation


class Argmax(Rule):
    """All weight on the position with the most native attention, mean over layers and heads."""

    name = "argmax"
    needs_native = True

    def allocation(self, seen: Seen) -> Allocation:
        """A gate that leaves that position open."""
        assert seen.native is not None
        return Allocation("gate", keep_top(seen.native, seen.mask.sum(-1).clamp(max=1), seen.mask))


class TopK(Rule):
    """A gate on the positions with the most native attention, mean over layers and heads.

    How many depends on the length of the source alone.

    Args:
        reads: The mean over sentences of open over valid positions; it is met, and exceeded by no
            more than whole positions ask for.

    Raises:
        InputError: If the reads are no share.
    """

    name = "topk"
    needs_native = True

    def __init__(self, reads: float) -> None:
        self.reads = check_share(reads, "topk: reads")

    def allocation(self, seen: Seen) -> Allocation:
        """A gate that leaves as many open as are to be kept."""
        assert seen.native is not None
        return Allocation("gate", keep_top(seen.native, seen.counts, seen.mask))


class TopP(Rule):
    """A gate on the fewest positions that hold a given share of the native attention.

    After the nucleus sampling of Holtzman et al. (2020), "The Curious Case of Neural Text
    Degeneration". Attention is the mean over layers and heads. A step whose attention is sharp
    reads little; `mass_for_reads` finds the mass that comes to given reads.

    Args:
        mass: The share of the attention, in (0, 1].

    Raises:
        InputError: If it is no share.
    """

    name = "topp"
    needs_native = True

    def __init__(self, mass: float) -> None:
        self._mass = check_share(mass, "topp: a mass")

    def allocation(self, seen: Seen) -> Allocation:
        """A gate that leaves these open."""
        assert seen.native is not None
        return Allocation("gate", keep_mass(seen.native, self._mass, seen.mask))


def keep_top(attention: Tensor, counts: Tensor, mask: Tensor) -> Tensor:
    """The positions with the highest attention.

    Args:
        attention: ``[lanes, source]``.
        counts: How many to keep, ``[lanes]``.
        mask: True at real source tokens, ``[lanes, source]``.

    Returns:
        True where open, ``[lanes, source]``.
    """
    shut = attention.masked_fill(~mask, -1.0)
    rank = shut.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    kept: Tensor = (rank < counts[:, None].to(rank.device)) & mask
    return kept


def keep_mass(attention: Tensor, mass: float, mask: Tensor) -> Tensor:
    """The fewest positions whose attention sums to at least `mass`; at least one.

    Args:
        attention: ``[lanes, source]``; sums to one in every lane.
        mass: In (0, 1].
        mask: True at real source tokens, ``[lanes, source]``.

    Returns:
        True where open, ``[lanes, source]``.
    """
    # What rounding makes of the sum is the whole; and in double precision, tails add up.
    highest, order = attention.double().masked_fill(~mask, -1.0).sort(descending=True, stable=True)
    held = highest.clamp(min=0).cumsum(-1)
    needed = held - highest < mass * held[:, -1:]
    return needed.scatter(-1, order, needed) & mask
