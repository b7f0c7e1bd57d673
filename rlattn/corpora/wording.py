"""How one CLDR locale says things: its dates, its numbers and its names."""

from __future__ import annotations

import difflib

from babel import Locale, UnknownLocaleError, localedata
from babel.localedata import locale_identifiers

from rlattn.corpora.cldr_dates import Dates
from rlattn.corpora.cldr_names import Names
from rlattn.corpora.cldr_numbers import Numbers
from rlattn.errors import InputError


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


def identifier_of(name: str) -> str:
    """Return Babel's own identifier of a locale, such as `zh_Hant` for `zh_hant`.

    Raises:
        InputError: If Babel has no such locale.
    """
    try:
        return str(Locale.parse(name))
    except (UnknownLocaleError, ValueError) as error:
        known = locale_identifiers()
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise InputError(
            f"unknown locale {name!r}: {hint}"
            f"Babel knows {len(known)} locales; `pybabel --list-locales` lists them"
        ) from error


def own_locale(identifier: str) -> Locale:
    """A locale whose words do not depend on which locales were asked for before.

    Babel shares nested parts of its data between locales, and writes what an alias stands for in
    the locale that asks first into them: the others then speak with its words. A locale of our own
    shares with nobody.

    Args:
        identifier: A CLDR identifier, such as `de` or `zh_Hant`.

    Raises:
        UnknownLocaleError: If Babel has no such locale.
    """
    locale = Locale.parse(identifier)
    with localedata._cache_lock:
        localedata._cache.clear()
        _ = locale._data  # read from the files now, and kept by the locale
        localedata._cache.clear()
    return locale
