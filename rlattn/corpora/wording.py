"""How one CLDR locale says things: its dates, its numbers and its names."""

from __future__ import annotations

from babel import Locale

from rlattn.corpora.cldr_dates import Dates
from rlattn.corpora.cldr_names import Names
from rlattn.corpora.cldr_numbers import Numbers


class Wording:
    """Everything that a phrase needs of one locale.

    Args:
        locale: The locale whose words to use.
    """

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.dates = Dates(locale)
        self.numbers = Numbers(locale)
        self.names = Names(locale)
