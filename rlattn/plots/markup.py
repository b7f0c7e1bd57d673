"""What the HTML pages share: their style, and text of any kind that shows as it is."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

_STYLE = "shared.css"

# A browser drops them, mistakes them for others, or cannot be sent them as UTF-8.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PICTURES = 0x2400
"""From here on Unicode has a picture of each control character of ASCII."""


def template(name: str) -> str:
    """Reads a page's template, with the style that all pages share in the place of ``{{shared}}``.

    Args:
        name: Its file in this package.
    """
    page, shared = (files(__package__).joinpath(each).read_text("utf-8") for each in (name, _STYLE))
    return page.replace("{{shared}}", shared.strip())


def escaped(text: str) -> str:
    """Text for HTML, between tags or in a quoted attribute.

    Control characters, but for tabs and the ends of lines, show as their pictures, or as they are
    written in Python where they have none; so do halves of surrogate pairs.
    """
    return escape(_UNSEEN.sub(_visible, text))


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return "\u2421" if code == 0x7F else ascii(found[0])[1:-1]
