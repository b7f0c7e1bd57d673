"""What phrases can be about: the things that two locales both name, each by a name of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from rlattn.corpora.cldr_numbers import ALL_PLURALS, LENGTHS, Unit
from rlattn.corpora.wording import Wording
from rlattn.errors import InputError

# ruff: noqa: SIM905 - codes read better as a paragraph than as a list of strings

T = TypeVar("T")
Texts = Callable[[Wording, T], list[str]]
"""What a wording writes for a thing; nothing when it has no words for it."""

TERRITORIES = """
    AD AE AF AL AM AO AR AT AU AZ BA BD BE BG BH BO BR BW BY CA CH CL CM CN CO CR CU CY CZ DE DK DZ
    EC EE EG ES ET FI FR GA GB GE GH GR GT HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KH KR KW
    KZ LA LB LI LT LU LV LY MA MC MD ME MG ML MN MT MX MY MZ NA NE NG NI NL NO NP NZ OM PA PE PH PK
    PL PT PY QA RO RS RU RW SA SD SE SG SI SK SN SO SV SY TH TN TR TW TZ UA UG US UY UZ VE VN YE ZA
    ZM ZW
""".split()
LANGUAGES = """
    af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl he hi hr hu hy id is it ja
    ka kk km ko ku ky la lt lv mk mn ms mt ne nl pl pt ro ru sk sl sq sr sv sw ta th tr uk ur uz vi
    zh zu
""".split()
CURRENCIES = "AUD BRL CAD CHF CNY CZK DKK EUR GBP INR MXN NOK PLN RUB SEK TRY USD ZAR".split()
UNITS = """
    area-hectare area-square-kilometer area-square-meter digital-gigabyte digital-megabyte
    duration-day duration-hour duration-minute duration-month duration-second duration-week
    duration-year energy-kilocalorie length-centimeter length-kilometer length-meter length-mile
    length-millimeter mass-gram mass-kilogram power-kilowatt power-watt speed-kilometer-per-hour
    temperature-celsius volume-liter volume-milliliter
""".split()
POWERS = (3, 6, 9)
SPANS = ("year", "month", "week", "day", "hour", "minute", "second")
DATE_FORMS = ("full", "long", "medium", "yMMMM", "MMMMd")

# Samples by which things are told apart.
_COUNTS = (1, 2, 3, 5, 15, -1, -2, -3, -5, -15)
_MONTHS = tuple(datetime(2003, month, 23) for month in range(1, 13))


@dataclass(frozen=True)
class Stock:
    """What both locales of a pair can say.

    Of things that a locale cannot tell apart, only the first is in stock, so that a phrase has one
    translation.

    Attributes:
        date_forms: For each month, the forms of a date that show the same fields in both locales.
        day_forms: For each month, those of them that show day, month and year.
        territories: CLDR territory codes.
        languages: CLDR language codes.
        signs: Codes of currencies that are known by their sign.
        currencies: Codes of currencies that are known by their name.
        units: Units, each with a length of its name.
        powers: Powers of ten that have a name, such as the million.
        spans: Units of relative time.
    """

    date_forms: tuple[tuple[str, ...], ...]
    day_forms: tuple[tuple[str, ...], ...]
    territories: tuple[str, ...]
    languages: tuple[str, ...]
    signs: tuple[str, ...]
    currencies: tuple[str, ...]
    units: tuple[Unit, ...]
    powers: tuple[int, ...]
    spans: tuple[str, ...]

    @classmethod
    def shared_by(cls, *wordings: Wording) -> Stock:
        """Return what all the locales can say.

        Raises:
            InputError: If there are not two things of each sort at least.
        """
        fields = {form: {say.dates.fields(form) for say in wordings} for form in DATE_FORMS}
        alike = [form for form in DATE_FORMS if len(fields[form]) == 1]
        whole = [form for form in alike if all(shown >= set("yMd") for shown in fields[form])]

        def distinct(things: Iterable[T], texts: Texts[T]) -> tuple[T, ...]:
            return _told_apart(things, [partial(texts, say) for say in wordings])

        def in_month(day: datetime) -> Texts[str]:
            return lambda say, form: [say.dates.date(day, form)]

        stock = cls(
            date_forms=tuple(distinct(alike, in_month(day)) for day in _MONTHS),
            day_forms=tuple(distinct(whole, in_month(day)) for day in _MONTHS),
            territories=distinct(TERRITORIES, _territory_names),
            languages=distinct(LANGUAGES, _language_names),
            signs=distinct(CURRENCIES, _amounts),
            currencies=distinct(CURRENCIES, _named_amounts),
            units=distinct([Unit(name, length) for name in UNITS for length in LENGTHS], _measures),
            powers=distinct(POWERS, lambda say, power: [say.numbers.compact(12, power)]),
            spans=distinct(SPANS, lambda say, span: [say.dates.relative(n, span) for n in _COUNTS]),
        )
        for things, shared in asdict(stock).items():
            if len(shared) < 2 or not all(shared):
                locales = " and ".join(str(say.locale) for say in wordings)
                raise InputError(
                    f"{locales}: CLDR has too few {things.replace('_', ' ')} with names of their "
                    "own there; take locales with more data"
                )
        return stock


def _territory_names(say: Wording, code: str) -> list[str]:
    return [say.names.territories[code]] if code in say.names.territories else []


def _language_names(say: Wording, code: str) -> list[str]:
    return [say.names.languages[code]] if code in say.names.languages else []


def _amounts(say: Wording, code: str) -> list[str]:
    return [say.numbers.amount(number, code) for number in ALL_PLURALS]


def _named_amounts(say: Wording, code: str) -> list[str]:
    return [say.numbers.named_amount(number, code) for number in ALL_PLURALS]


def _measures(say: Wording, unit: Unit) -> list[str]:
    texts = [say.numbers.measure(number, unit) for number in ALL_PLURALS]
    # Where a locale lacks a unit, or one of its plurals, Babel writes the unit's identifier.
    return [] if any(unit.name in text for text in texts) else texts


def _told_apart(things: Iterable[T], sayings: Sequence[Callable[[T], list[str]]]) -> tuple[T, ...]:
    """Return the things that every locale has texts for, and none that a kept thing has."""
    kept: list[T] = []
    taken: list[set[str]] = [set() for _ in sayings]
    for thing in things:
        texts = [set(say(thing)) for say in sayings]
        if all(texts) and not any(map(set.intersection, texts, taken)):
            kept.append(thing)
            for known, said in zip(taken, texts, strict=True):
                known |= said
    return tuple(kept)
