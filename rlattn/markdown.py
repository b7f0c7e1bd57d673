"""Text of any kind on Markdown pages, where it shows as it is."""

from __future__ import annotations

import re


def escape_markdown(text: str) -> str:
    """Returns ``text`` as one line that Markdown, also in a table, shows literally."""
    line = re.sub(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~$])", r"\\\1", line)


def fenced(text: str, language: str) -> str:
    """A block of code, whose fence is longer than any run of marks inside."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
