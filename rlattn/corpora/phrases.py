"""Phrases: each kind draws a meaning, which any locale can then put into words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from rlattn.corpora.cldr_numbers import Number
from rlattn.corpora.draws import Draw
from rlattn.corpora.stock import Stock
from rlattn.corpora.wording import Wording

Meaning = Callable[[Wording], str]
"""What a phrase says, before it is said: give it a wording and it returns the text."""

Kind = Callable[[Draw, Stock], Meaning]
"""A kind of phrase: draws one meaning."""

Names = Callable[[Draw, Stock, int], list[Meaning]]
"""A kind of names: draws so many different ones."""

FIRST_DAY = datetime(1950, 1, 1)
DAYS = (datetime(2050, 1, 1) - FIRST_DAY).days


def date(draw: Draw, stock: Stock) -> Meaning:
    """A day, with or without its weekday or year."""
    day = _day(draw)
    form = draw.pick(stock.date_forms[day.month - 1])
    return lambda say: say.dates.date(day, form)


def time(draw: Draw, stock: Stock) -> Meaning:
    """A time of day."""
    instant = FIRST_DAY + _hour(draw)
    return lambda say: say.dates.time(instant)


def moment(draw: Draw, stock: Stock) -> Meaning:
    """A day and a time."""
    instant = _day(draw) + _hour(draw)
    form = draw.pick(stock.day_forms[instant.month - 1])
    return lambda say: say.dates.moment(instant, form)


def days(draw: Draw, stock: Stock) -> Meaning:
    """From one day to another: within a month, a year, or two years."""
    first = _day(draw)
    last = first + timedelta(days=1 + draw.below(draw.pick((12, 12, 120, 400))))
    return lambda say: say.dates.days(first, last)


def hours(draw: Draw, stock: Stock) -> Meaning:
    """From one time of a day to a later one."""
    first, last = sorted(FIRST_DAY + _hour(draw) for _ in range(2))
    if first == last:
        return hours(draw, stock)
    return lambda say: say.dates.hours(first, last)


def relative(draw: Draw, stock: Stock) -> Meaning:
    """So many days ago, or in so many hours."""
    count, span = 1 + draw.below(draw.pick((3, 12, 60))), draw.pick(stock.spans)
    count = count if draw.chance(0.5) else -count
    return lambda say: say.dates.relative(count, span)


def amount(draw: Draw, stock: Stock) -> Meaning:
    """An amount of money, the currency by its sign."""
    number, currency = _number(draw, decimals=2), draw.pick(stock.signs)
    return lambda say: say.numbers.amount(number, currency)


def named_amount(draw: Draw, stock: Stock) -> Meaning:
    """An amount of money, the currency by its name."""
    number, currency = _number(draw, decimals=2), draw.pick(stock.currencies)
    return lambda say: say.numbers.named_amount(number, currency)


def measure(draw: Draw, stock: Stock) -> Meaning:
    """A measurement."""
    number, unit = _number(draw, decimals=1, most=1000), draw.pick(stock.units)
    return lambda say: say.numbers.measure(number, unit)


def number(draw: Draw, stock: Stock) -> Meaning:
    """A number in digits."""
    number = _number(draw, decimals=1)
    return lambda say: say.numbers.number(number)


def percentage(draw: Draw, stock: Stock) -> Meaning:
    """So many per cent."""
    number = Number(1 + draw.below(99), draw.pick(("", "", "5")))
    return lambda say: say.numbers.percent(number)


def compact(draw: Draw, stock: Stock) -> Meaning:
    """A large round number in words."""
    count, power = 1 + draw.below(draw.pick((9, 99))), draw.pick(stock.powers)
    return lambda say: say.numbers.compact(count, power)


def territories(draw: Draw, stock: Stock, count: int) -> list[Meaning]:
    """Names of different territories."""
    return [_territory(code) for code in draw.several(stock.territories, count)]


def languages(draw: Draw, stock: Stock, count: int) -> list[Meaning]:
    """Names of different languages."""
    return [_language(code) for code in draw.several(stock.languages, count)]


def weekdays(draw: Draw, stock: Stock, count: int) -> list[Meaning]:
    """Names of different days of the week."""
    return [_weekday(day) for day in draw.several(range(7), count)]


def months(draw: Draw, stock: Stock, count: int) -> list[Meaning]:
    """Names of different months."""
    return [_month(month) for month in draw.several(range(1, 13), count)]


def _territory(code: str) -> Meaning:
    return lambda say: say.names.territories[code]


def _language(code: str) -> Meaning:
    return lambda say: say.names.languages[code]


def _weekday(day: int) -> Meaning:
    return lambda say: say.dates.weekdays[day]


def _month(month: int) -> Meaning:
    return lambda say: say.dates.months[month]


def _day(draw: Draw) -> datetime:
    return FIRST_DAY + timedelta(days=draw.below(DAYS))


def _hour(draw: Draw) -> timedelta:
    """Draw a time of day; every second one is a quarter of an hour."""
    minute = 15 * draw.below(4) if draw.chance(0.5) else draw.below(60)
    return timedelta(hours=draw.below(24), minutes=minute)


def _number(draw: Draw, decimals: int, most: int = 9999) -> Number:
    """Draw a number, small ones more often; every third one below a thousand has decimals."""
    whole = 1 + draw.below(min(most, draw.pick((3, 20, 100, 1000, 10000))))
    if whole >= 1000 or draw.chance(0.67):
        return Number(whole)
    return Number(whole, f"{1 + draw.below(10**decimals - 1):0{decimals}d}")
