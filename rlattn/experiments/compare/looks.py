"""How each method is drawn: the same colour, line and mark in every picture."""

from __future__ import annotations

from typing import Any

from rlattn.drawing import COLOURS, GREY

_BLUE, _VERMILION, _GREEN, _PURPLE, _ORANGE, _SKY = COLOURS

_LOOKS: dict[str, tuple[str, str, str]] = {
    "ppo": (_BLUE, "-", "o"),
    "warm-ppo": (_SKY, "-", "^"),
    "reinforce": (_GREEN, "-", "s"),
    "gradient": (_VERMILION, "-", "D"),
    "indexer": (_ORANGE, "-", "v"),
    "weights": (_PURPLE, "-", "P"),
    "constant": (GREY, "--", "x"),
    "shuffled": (GREY, ":", "+"),
    "topk": (_ORANGE, "--", "<"),
    "topp": (_GREEN, "--", ">"),
    "diagonal": (_PURPLE, "--", "d"),
    "argmax": (_VERMILION, "--", "X"),
    "oracle": ("black", "-.", "*"),
}


def look(method: str) -> dict[str, Any]:
    """Colour, line and mark of a method; those that are not known here are black and dotted."""
    colour, line, mark = _LOOKS.get(method, ("black", ":", "."))
    return {"color": colour, "linestyle": line, "marker": mark}
