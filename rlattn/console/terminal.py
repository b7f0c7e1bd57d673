"""A terminal on which text of any kind shows as it is: names, sentences and errors of others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rlattn.visible import visible


class Terminal(Console):
    """A console of rich that takes no markup, and shows what would act on a terminal.

    Args:
        **options: What `Console` takes.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render_str(self, text: str, **options: Any) -> Text:
        """What a text becomes; rich itself would leave some characters out."""
        return super().render_str(visible(text, keep="\n\t"), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The pieces of what is printed; rich's own codes are no text, and stay as they are."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text, keep="\n"), segment.style)
