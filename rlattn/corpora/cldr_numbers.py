"""Numbers, money, measurements and percentages in the words of one CLDR locale."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, NamedTuple

from babel import Locale
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_decimal_symbol,
)
from babel.units import format_unit

_DIGITS = re.compile(r"\d(?:.*\d)?")
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")


class Number(NamedTuple):
    """A number as it is written: `Number(12, "50")` is twelve and a half with two decimals."""

    whole: int
    decimals: str = ""

    @property
    def value(self) -> Decimal:
        """The number itself, with its decimals."""
        return Decimal(f"{self.whole}.{self.decimals}")


ALL_PLURALS = (
    *(Number(whole) for whole in (1, 2, 3, 5, 6, 11, 20, 100, 1_000_000)),
    Number(1, "5"),
    Number(15, "5"),
)
"""Numbers that between them take every plural category of a locale."""

Length = Literal["long", "short"]
LENGTHS: tuple[Length, ...] = ("long", "short")


class Unit(NamedTuple):
    """A CLDR unit and how much of its name is written."""

    name: str
    length: Length


class Numbers:
    """The numbers of one locale; each wording is taken from Babel once and then filled in.

    Args:
        locale: The locale whose words to use.
    """

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self._point = get_decimal_symbol(locale)
        self._wholes: dict[int, str] = {}
        self._plurals: dict[Number, str] = {}
        self._templates: dict[object, str] = {}
        self._compact: dict[tuple[int, int], str] = {}

    def number(self, number: Number) -> str:
        """Return the number in digits."""
        whole = self._wholes.get(number.whole)
        if whole is None:
            whole = self._wholes[number.whole] = format_decimal(number.whole, locale=self.locale)
        return whole + self._point + number.decimals if number.decimals else whole

    def compact(self, count: int, power: int) -> str:
        """Return `count` times ten to the `power` in words: `12 million`."""
        text = self._compact.get((count, power))
        if text is None:
            text = self._compact[count, power] = format_compact_decimal(
                count * 10**power,
                format_type="long" if "long" in self.locale.compact_decimal_formats else "short",
                locale=self.locale,
                fraction_digits=2,
            )
        return text

    def percent(self, number: Number) -> str:
        """Return so many per cent."""
        return self._fill(number, "percent", lambda: format_percent(0.5, locale=self.locale))

    def amount(self, number: Number, currency: str) -> str:
        """Return an amount of money with the sign of its currency: `€12.50`."""

        def sample() -> str:
            text = format_currency(1, currency, locale=self.locale)
            # CLDR's currencySpacing, which Babel leaves out: letters do not touch the digits.
            return _LETTER_BESIDE_DIGIT.sub(" ", text)

        return self._fill(number, currency, sample)

    def named_amount(self, number: Number, currency: str) -> str:
        """Return an amount of money with the name of its currency: `12.50 euros`."""
        return self._fill(
            number,
            (currency, self.plural(number)),
            lambda: format_currency(number.value, currency, locale=self.locale, format_type="name"),
        )

    def measure(self, number: Number, unit: Unit) -> str:
        """Return a measurement: `3.5 kilometers` or `3.5 km`."""
        return self._fill(
            number,
            (unit, self.plural(number)),
            lambda: format_unit(number.value, unit.name, unit.length, locale=self.locale),
        )

    def plural(self, number: Number) -> str:
        """Return the plural category of a number: `one`, `few`, `other`."""
        category = self._plurals.get(number)
        if category is None:
            category = self._plurals[number] = self.locale.plural_form(number.value)
        return category

    def _fill(self, number: Number, key: object, sample: Callable[[], str]) -> str:
        """Put a number where a sample of the same wording has its digits.

        A wording without digits, such as the Arabic dual, says the number in its words.
        """
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = _DIGITS.sub("{0}", sample(), count=1)
        return template.replace("{0}", self.number(number))
