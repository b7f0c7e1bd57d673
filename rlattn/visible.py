"""Text of any kind as people may see it: nothing in it acts on a terminal or turns lines around."""

from __future__ import annotations

import re

# Control characters of ASCII and Latin-1, further ends of lines, marks that turn the direction of
# what follows ("Trojan Source", Boucher and Anderson, 2021), and halves of surrogate pairs.
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PICTURES = 0x2400
"""From here on Unicode has a picture of each control character of ASCII."""


def visible(text: str, keep: str = "") -> str:
    """Text whose characters only show.

    Control characters show as their pictures, or as they are written in Python where they have
    none; so do marks of direction, and halves of surrogate pairs.

    Args:
        text: Of any kind.
        keep: Those that may act, such as the end of a line.
    """
    return _ACTING.sub(lambda found: found[0] if found[0] in keep else _shown(found[0]), text)


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else ascii(character)[1:-1]
