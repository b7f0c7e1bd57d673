"""A text in HTML, with what was read of it marked by the step that opened it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rlattn.hosts import Host
from rlattn.hosts.pieces import pieces
from rlattn.plots.markup import escaped

_JOINER = "\u200d"
_REPLACED = "\ufffd"
"""What decoding makes of a part of a character."""

_NO_INK = "␣"


@dataclass
class _Sign:
    """A character with all that combines with it, or a special token by its name.

    Attributes:
        text: What shows.
        steps: Of each token that it is part of, the step that opened it, or 0.
        special: Whether it is a token's name and no text.
    """

    text: str
    steps: list[int]
    special: bool = False

    @property
    def step(self) -> int:
        """The first step that opened any part of it; 0 if none did."""
        return min(filter(None, self.steps), default=0)


def marked(host: Host, ids: Sequence[int], opened: Sequence[int]) -> str:
    """Marks what was read of a text.

    A character that several tokens share, as bytes do, was read as soon as one of them was. Special
    tokens within the text, such as those for unknown words, stand by their names in ``<i>``; so
    does a sign for a space where nothing else was read. Neighbours that one step opened share a
    ``<mark>``, which ends with the step as a ``<sup>``. Without ``<i>`` and ``<sup>`` the text is
    left.

    Args:
        host: Whose tokens they are.
        ids: Token ids of the text.
        opened: For each the step that opened it, which counts from 1; 0 where it was not read.
    """
    runs = groupby(_signs(host, ids, opened), key=lambda sign: sign.step)
    return "".join(_run(step, list(signs)) for step, signs in runs)


def _signs(host: Host, ids: Sequence[int], opened: Sequence[int]) -> list[_Sign]:
    special, decode = set(host.tokenizer.all_special_ids), host.tokenizer.decode
    signs: list[_Sign] = []
    # Tokens from `first` on have not shown whole characters yet; `waiting` has their steps.
    first, waiting = 0, list[int]()
    for place, (piece, token) in enumerate(zip(pieces(host, ids), ids, strict=True)):
        waiting.append(opened[place])
        if token in special:
            signs += [_Sign(piece, [opened[place]])] if piece else []
            name = str(host.tokenizer.convert_ids_to_tokens(token))
            signs.append(_Sign(name, [opened[place]], special=True))
            first, waiting = place + 1, []
            continue
        for number, character in enumerate(piece):
            steps = [opened[place]] if number else list(waiting)
            if signs and _combine(signs[-1], character):
                signs[-1].text += character
                signs[-1].steps += steps
            else:
                signs.append(_Sign(character, steps))
        text = decode(list(ids[first : place + 1]))
        if not piece and not text.strip():  # nothing but space, which ends of a text lose
            signs.append(_Sign("", waiting))
        elif not piece and signs and signs[-1].text == _REPLACED:  # the rest of its bytes
            signs[-1].steps += waiting
        elif not piece:
            continue
        half = bool(piece) and text.endswith(_REPLACED) and not piece.endswith(_REPLACED)
        first, waiting = (place, [opened[place]]) if half else (place + 1, [])
    if waiting and signs:
        signs[-1].steps += waiting
    return signs


def _combine(before: _Sign, character: str) -> bool:
    """Whether a character changes the one before it instead of being one of its own."""
    if before.special or not before.text:
        return False
    tone = "\U0001f3fb" <= character <= "\U0001f3ff"  # of an emoji's skin
    joined = character == _JOINER or before.text.endswith(_JOINER)
    return tone or joined or unicodedata.category(character).startswith("M")


def _run(step: int, signs: list[_Sign]) -> str:
    """Neighbours that the same step opened, or none."""
    if not step:
        return _html(signs)
    ink = [place for place, sign in enumerate(signs) if sign.special or sign.text.strip()]
    # Spaces around words are left out of marks; where there is nothing else, a sign is marked.
    start, end = (ink[0], ink[-1] + 1) if ink else (len(signs), len(signs))
    inside = _html(signs[start:end]) or f"<i>{_NO_INK}</i>"
    mark = f'<mark style="--step:{step}">{inside}<sup>{step}</sup></mark>'
    return f"{_html(signs[:start])}{mark}{_html(signs[end:])}"


def _html(signs: Iterable[_Sign]) -> str:
    shown = (escaped(sign.text) for sign in signs)
    return "".join(
        f"<i>{text}</i>" if sign.special else text for sign, text in zip(signs, shown, strict=True)
    )
