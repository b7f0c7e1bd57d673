"""Names of territories and languages, and lists, in the words of one CLDR locale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from babel import Locale
from babel.lists import format_list

ListStyle = Literal["standard", "or"]


class Names:
    """The names that one locale gives to the world.

    Args:
        locale: The locale whose words to use.
    """

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.territories: dict[str, str] = dict(locale.territories)
        self.languages: dict[str, str] = dict(locale.languages)
        self._lists: dict[tuple[int, ListStyle], str] = {}

    def join(self, items: Sequence[str], style: ListStyle) -> str:
        """Return the items as one list: `A, B, and C` or `A, B, or C`."""
        key = (len(items), style)
        template = self._lists.get(key)
        if template is None:
            slots = [f"{{{slot}}}" for slot in range(len(items))]
            template = self._lists[key] = format_list(slots, style, self.locale)
        return template.format(*items)
