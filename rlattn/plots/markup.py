"""What the HTML pages share: their style, and text of any kind that shows as it is."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from rlattn.visible import visible

_STYLE = "shared.css"


def template(name: str) -> str:
    """Reads a page's template, with the style that all pages share in the place of ``{{shared}}``.

    Args:
        name: Its file in this package.
    """
    page, shared = (files(__package__).joinpath(each).read_text("utf-8") for each in (name, _STYLE))
    return page.replace("{{shared}}", shared.strip())


def escaped(text: str) -> str:
    """Text for HTML, between tags or in a quoted attribute.

    What a browser drops, mistakes for something else, cannot be sent as UTF-8, or obeys by turning
    a line around, shows as `visible` has it, but for tabs and the ends of lines.
    """
    return escape(visible(text, keep="\t\n\r"))
