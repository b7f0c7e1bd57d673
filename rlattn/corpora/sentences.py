"""Sentences of one to four phrases, put together the same way in every locale."""

from __future__ import annotations

from rlattn.corpora import phrases
from rlattn.corpora.cldr_names import ListStyle
from rlattn.corpora.draws import Draw
from rlattn.corpora.phrases import Kind, Meaning, Names
from rlattn.corpora.stock import Stock

# A kind stands as often as it shall be drawn, relative to the others.
PHRASES: tuple[Kind, ...] = (
    *4 * (phrases.date,),
    *2 * (phrases.time,),
    *2 * (phrases.moment,),
    *2 * (phrases.days,),
    *2 * (phrases.hours,),
    *4 * (phrases.relative,),
    *3 * (phrases.amount,),
    *3 * (phrases.named_amount,),
    *5 * (phrases.measure,),
    phrases.number,
    phrases.percentage,
    *2 * (phrases.compact,),
)
NAMES: tuple[Names, ...] = (
    *3 * (phrases.territories,),
    *2 * (phrases.languages,),
    phrases.weekdays,
    phrases.months,
)
LISTED: tuple[Kind, ...] = (
    phrases.time,
    phrases.amount,
    phrases.named_amount,
    phrases.measure,
    phrases.relative,
)
LIST_STYLES: tuple[ListStyle, ...] = ("standard", "standard", "or")


def sentence(draw: Draw, stock: Stock) -> Meaning:
    """Draw the meaning of a sentence of about 5 to 40 tokens."""
    return draw.pick(SHAPES)(draw, stock)


def series(draw: Draw, stock: Stock) -> Meaning:
    """Phrases side by side: `in 3 days; €12.50; Sunday`."""
    parts = _phrases(draw, stock, 2 + draw.below(3))
    return lambda say: "; ".join([part(say) for part in parts])


def labelled(draw: Draw, stock: Stock) -> Meaning:
    """Phrases after a name: `Germany: 3.5 kilometers; 15%`."""
    (label,), parts = draw.pick(NAMES)(draw, stock, 1), _phrases(draw, stock, 1 + draw.below(3))
    return lambda say: f"{label(say)}: " + "; ".join([part(say) for part in parts])


def noted(draw: Draw, stock: Stock) -> Meaning:
    """A phrase with another in parentheses: `March 3, 2024 (2 weeks ago)`."""
    main, note = _phrases(draw, stock, 2)
    return lambda say: f"{main(say)} ({note(say)})"


def names(draw: Draw, stock: Stock) -> Meaning:
    """Names as a list: `Peru, Chile, and Norway`."""
    return _listed(draw, draw.pick(NAMES)(draw, stock, 3 + draw.below(3)))


def labelled_names(draw: Draw, stock: Stock) -> Meaning:
    """Names after a phrase: `Friday, March 1, 2024: Peru, Chile, and Norway`."""
    (label,) = _phrases(draw, stock, 1)
    listed = _listed(draw, draw.pick(NAMES)(draw, stock, 2 + draw.below(3)))
    return lambda say: f"{label(say)}: {listed(say)}"


def labelled_list(draw: Draw, stock: Stock) -> Meaning:
    """Phrases of one kind after a name: `Peru: $10.92, €3.52, or €3`."""
    (label,), kind = draw.pick(NAMES)(draw, stock, 1), draw.pick(LISTED)
    listed = _listed(draw, [kind(draw, stock) for _ in range(2 + draw.below(2))])
    return lambda say: f"{label(say)}: {listed(say)}"


SHAPES: tuple[Kind, ...] = (
    *3 * (series,),
    *3 * (labelled,),
    *2 * (noted,),
    names,
    labelled_names,
    *2 * (labelled_list,),
)


def _phrases(draw: Draw, stock: Stock, count: int) -> list[Meaning]:
    return [draw.pick(PHRASES)(draw, stock) for _ in range(count)]


def _listed(draw: Draw, items: list[Meaning]) -> Meaning:
    style = draw.pick(LIST_STYLES)
    return lambda say: say.names.join([item(say) for item in items], style)
