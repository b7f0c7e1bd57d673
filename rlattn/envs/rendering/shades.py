"""A sentence on shades of blue: the darker, the more the last step looked there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlattn.hosts import Host
from rlattn.hosts.pieces import pieces
from rlattn.inference import Alignment
from rlattn.visible import visible

# Select Graphic Rendition, ECMA-48: 38;5 sets one of 256 colours for letters, 48;5 behind them.
_RESET = "\x1b[0m"
_SHUT = "\x1b[2;9m"  # faint, and struck through
_SHADES = (
    "",
    *(
        f"\x1b[38;5;{letters};48;5;{behind}m"
        for letters, behind in (
            (16, 195),
            (16, 153),
            (16, 111),
            (231, 68),
            (231, 25),
        )
    ),
)
_STEPS = np.array([0.05, 0.15, 0.3, 0.5, 0.75])
"""From which attention on each shade is used."""


def shades(host: Host, source: Sequence[int], said: str, alignment: Alignment) -> str:
    """Two lines: the source, shaded by where the last step looked, and what was said so far.

    Positions that were shut are struck through. Special tokens stand by their names.

    Args:
        host: Whose tokens they are.
        source: Token ids of the source.
        said: What the host wrote so far, or which label it chose.
        alignment: Where it looked meanwhile.
    """
    added, said = pieces(host, source), visible(said)
    shown = [visible(text or name) for text, name in zip(added, alignment.source, strict=True)]
    if not alignment.target:
        return f"{''.join(shown)}\n{said}"
    shade = np.searchsorted(_STEPS, alignment.attention[-1], side="right")
    painted = "".join(
        _paint(text, _SHADES[level] if opened else _SHUT)
        for text, level, opened in zip(shown, shade, alignment.opened[-1], strict=True)
    )
    return f"{painted}\n{said}"


def _paint(text: str, code: str) -> str:
    """Text in a colour, the space before it left as it is."""
    word = text.lstrip()
    space = text[: len(text) - len(word)]
    return f"{space}{code}{word}{_RESET}" if code else text
