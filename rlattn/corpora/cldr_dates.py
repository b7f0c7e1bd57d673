"""Dates, times and intervals in the words of one CLDR locale."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from babel import Locale
from babel.dates import (
    TIMEDELTA_UNITS,
    DateTimeFormat,
    DateTimePattern,
    format_timedelta,
    get_datetime_format,
    get_day_names,
    get_month_names,
    parse_pattern,
)

SPANS = dict(TIMEDELTA_UNITS)
"""Seconds in each unit of relative time, as Babel counts them."""

# What a pattern field shows of an instant: two instants that agree in it give the same text.
_SHOWN: dict[str, Callable[[datetime], object]] = {
    "y": lambda instant: instant.year,
    "M": lambda instant: instant.month,
    "d": lambda instant: instant.day,
    "E": lambda instant: instant.weekday(),
    "m": lambda instant: instant.minute,
}
_SAME_FIELD = str.maketrans({"L": "M", "c": "E", "e": "E"})
_BY_LARGEST_DIFFERENCE = "yMdBahHm"


class Dates:
    """The dates and times of one locale; each pattern is read and each field worded once.

    Args:
        locale: The locale whose words to use.
    """

    def __init__(self, locale: Locale) -> None:
        self.locale = locale
        self.weekdays = get_day_names("wide", "stand-alone", locale)
        self.months = get_month_names("wide", "stand-alone", locale)
        self._clock = locale.time_formats["short"].pattern
        self._time = _template(self._clock)
        self._dates = {
            **{form: _template(locale.date_formats[form]) for form in ("full", "long", "medium")},
            **{form: _template(locale.datetime_skeletons[form]) for form in ("yMMMM", "MMMMd")},
        }
        self._moment = str(get_datetime_format("long", locale=locale)).replace("'", "")
        self._texts: dict[tuple[str, object], str] = {}
        self._relative: dict[tuple[int, str], str] = {}

    def fields(self, form: str) -> frozenset[str]:
        """Return the calendar fields that a form shows, as CLDR letters (`y`, `M`, `d`, `E`)."""
        letters = {field[0] for field in self._dates[form].split("%(")[1:]}
        return frozenset("".join(letters).translate(_SAME_FIELD)) - {"G"}

    def date(self, day: datetime, form: str) -> str:
        """Return a date in a form: `full`, `long`, `medium`, `yMMMM` or `MMMMd`."""
        return self._dates[form] % _Fields(self, day)

    def time(self, instant: datetime) -> str:
        """Return the hour and minute of an instant."""
        return self._time % _Fields(self, instant)

    def moment(self, instant: datetime, form: str) -> str:
        """Return date and time of an instant."""
        date, time = self.date(instant, form), self.time(instant)
        return self._moment.replace("{0}", time).replace("{1}", date)

    def days(self, first: datetime, last: datetime) -> str:
        """Return the interval from a day to a later one, both with their year."""
        return self._interval("yMMMd", first, last)

    def hours(self, first: datetime, last: datetime) -> str:
        """Return the interval between two times of one day."""
        skeleton = "Bhm" if "B" in self._clock else "hm" if "h" in self._clock else "Hm"
        return self._interval(skeleton, first, last)

    def relative(self, count: int, unit: str) -> str:
        """Return `in 3 days` for `(3, "day")` and `3 days ago` for `(-3, "day")`."""
        text = self._relative.get((count, unit))
        if text is None:
            # A threshold that nothing reaches makes Babel keep the unit it is given.
            text = self._relative[count, unit] = format_timedelta(
                count * SPANS[unit],
                granularity=unit,  # type: ignore[arg-type]
                threshold=float("inf"),
                add_direction=True,
                locale=self.locale,
            )
        return text

    def _interval(self, skeleton: str, first: datetime, last: datetime) -> str:
        formats = self.locale.interval_formats[skeleton]
        fields = (_Fields(self, first), _Fields(self, last))
        for letter in _BY_LARGEST_DIFFERENCE:
            if letter in formats and fields[0][letter] != fields[1][letter]:
                start, end = map(_template, formats[letter])
                return start % fields[0] + end % fields[1]
        raise ValueError(f"{self.locale} has no {skeleton} pattern from {first} to {last}")

    def field(self, name: str, instant: datetime) -> str:
        """Return one field of a CLDR pattern, such as `MMMM`, for an instant."""
        shown = _SHOWN.get(name[0].translate(_SAME_FIELD))
        key = (name, shown(instant) if shown else (instant.hour, instant.minute))
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = DateTimeFormat(instant, self.locale)[name]
        return text


def _template(pattern: str | DateTimePattern) -> str:
    """Return a CLDR pattern as a Python one: `d. MMMM` as `%(d)s. %(MMMM)s`."""
    return str(parse_pattern(pattern).format)


class _Fields:
    """The fields of an instant by name, as `%` asks for them."""

    def __init__(self, dates: Dates, instant: datetime) -> None:
        self._dates = dates
        self._instant = instant

    def __getitem__(self, name: str) -> str:
        return self._dates.field(name, self._instant)
