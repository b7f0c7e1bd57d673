"""Native logits under another normalisation, which gives many positions no weight at all."""

from __future__ import annotations

from rlattn.agents.rules.base import Rule, Seen
from rlattn.errors import InputError
from rlattn.steering.attention import Normalise


class _Sparse(Rule):
    """Another normalisation in every layer and head.

    It reads the positions that have any weight in any layer or head; which these are shows only
    once all logits of a layer are there. It needs the entmax library, of the extra `compare`.

    Raises:
        InputError: If the library is missing.
    """

    def __init__(self) -> None:
        try:
            import entmax
        except ImportError as error:
            raise InputError(
                f"{self.name} needs the entmax library: pip install 'rlattn[compare]'"
            ) from error
        normalise: Normalise = getattr(entmax, self.name)
        self.normalise = normalise

    def allocation(self, seen: Seen) -> None:
        """Nothing: logits stay as they are."""


class Entmax15(_Sparse):
    """1.5-entmax (Peters et al., 2019, "Sparse Sequence-to-Sequence Models") of native logits.

    It lies between softmax and sparsemax. The reads are the share of positions with any weight in
    any layer or head.

    Raises:
        InputError: If the entmax library, of the extra `compare`, is missing.
    """

    name = "entmax15"


class Sparsemax(_Sparse):
    """Sparsemax (Martins and Astudillo, 2016, "From Softmax to Sparsemax") of native logits.

    The reads are the share of positions with any weight in any layer or head.

    Raises:
        InputError: If the entmax library, of the extra `compare`, is missing.
    """

    name = "sparsemax"
