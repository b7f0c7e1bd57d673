"""Text of any kind on Markdown pages, where it shows as it is."""

from __future__ import annotations

import re

from rlattn.visible import visible


def escape_markdown(text: str) -> str:
    """Returns ``text`` as one line that Markdown, also in a table, shows literally."""
    line = re.sub(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+", " ", text)
    line = visible(line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([\\`*_\[\]|~$])", r"\\\1", line)
    # At its beginning these would make a heading or a list of it.
    return re.sub(r"^( *\d*)([-+#=.)])", r"\1\\\2", line)


def fenced(text: str, language: str) -> str:
    """A block of code, whose fence is longer than any run of marks inside."""
    text = visible(text, keep="\n\t")
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
