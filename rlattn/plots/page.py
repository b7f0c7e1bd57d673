"""A page in which a person points at a token that was written, and sees what was read for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from types import TracebackType
from typing import TextIO

from rlattn.drawing import readable_tokens
from rlattn.errors import InputError
from rlattn.inference import Alignment
from rlattn.plots.attention import side_by_side
from rlattn.plots.markup import escaped, template
from rlattn.visible import visible

_TITLE = "What was read"


class AttentionPage:
    """Writes a self-contained HTML page sentence by sentence; nothing of it is kept in memory.

    A context manager: the page is whole when its ``with`` is left.

    Args:
        file: Where to write the page, which begins at once; its encoding must be UTF-8.
        title: What stands above the sentences.
    """

    def __init__(self, file: TextIO, title: str = _TITLE) -> None:
        start, self._end = template("page.html").split("{{sentences}}\n")
        self._file, self._readers, self._count = file, list[str](), 0
        file.write(start.replace("{{title}}", escaped(title)))

    def add(self, alignments: Mapping[str, Alignment], name: str | None = None) -> None:
        """Adds a sentence.

        Args:
            alignments: By the name of who read, in each sentence the same; a switch on the page
                goes from one to the other, and the last is shown first.
            name: What stands above the sentence; by default its number, counted from 1.

        Raises:
            InputError: If there is no alignment, if they are not of the same source, or if others
                read than in the sentence before.
        """
        side_by_side({reader: [alignment] for reader, alignment in alignments.items()})
        if self._count and list(alignments) != self._readers:
            raise InputError(
                f"sentence {self._count + 1} was read by {', '.join(alignments)}: expected "
                f"{', '.join(self._readers)}, as in the sentences before"
            )
        self._readers, self._count = list(alignments), self._count + 1
        source = next(iter(alignments.values())).source
        data = {
            "name": str(self._count) if name is None else visible(name),
            "source": readable_tokens(source, longest=None),
            "readers": [_reader(*item) for item in alignments.items()],
        }
        # Within a script element only "<" could end it, or begin a comment.
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        self._file.write(f'<script type="application/json">{text}</script>\n')

    def __enter__(self) -> AttentionPage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.write(self._end)


def attention_page(alignments: Mapping[str, Sequence[Alignment]], title: str = _TITLE) -> str:
    """A self-contained HTML page in which a person points at a token and sees what it read.

    Pointing is hovering, tapping, or the keyboard. With several ways of reading, a switch goes from
    one to the other. The page loads nothing, and whatever the sentences hold is shown as text.

    Args:
        alignments: By the name of who read, such as ``native`` and ``policy``, what
            `rlattn.inference.translate` gives with ``trace=True``: the same sentences in each.
        title: What stands above the sentences.

    Returns:
        HTML, to be saved as UTF-8.

    Raises:
        InputError: If there is no sentence, or they are not the same.
    """
    text = StringIO()
    with AttentionPage(text, title) as page:
        for row in side_by_side(alignments):
            page.add(dict(zip(alignments, row, strict=True)))
    return text.getvalue()


def _reader(name: str, alignment: Alignment) -> dict[str, object]:
    """What the page knows of one way of reading; None is a position that was shut."""
    attention = [
        [(round(share, 3) or 0) if opened else None for share, opened in zip(*step, strict=True)]
        for step in zip(alignment.attention.tolist(), alignment.opened.tolist(), strict=True)
    ]
    return {
        "name": visible(name),
        "target": readable_tokens(alignment.target, longest=None),
        "reads": round(alignment.reads_fraction, 3),
        "attention": attention,
    }
