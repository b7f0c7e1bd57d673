"""The tables of docs/models.md: read by the tests, and renewed by `python -m` this module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import transformers

from rlattn.errors import RlattnError, UnsupportedModelError
from rlattn.steering import Steering, SteeringMode
from tests.steering.checks import MODES, PROPERTIES
from tests.steering.models import PICTURES_IN, SOUNDS_IN, SUPPORTED, WORDS_IN
from tests.steering.subjects import DTYPES, subject
from tests.steering.unsupported import UNSUPPORTED

PAGE = Path(__file__).parents[2] / "docs" / "models.md"
BEGIN, END = "<!-- {}: made by tests/steering/models_page.py -->\n", "\n<!-- end -->"
SOURCES = {"words": WORDS_IN, "sounds": SOUNDS_IN, "pictures": PICTURES_IN}


def claims() -> dict[tuple[str, SteeringMode, str], bool]:
    """Whether a family's mode works in a precision, as the page has it."""
    found = {}
    for source in SOURCES:
        for name, *cells in _rows(source):
            for mode, cell in zip(MODES, cells, strict=True):
                found |= {(name, mode, dtype): cell in ("yes", dtype) for dtype in DTYPES}
    return found


def refusals() -> dict[str, str]:
    """Why a family is refused, as the page has it."""
    return dict(_rows("refused"))


def holds(family: str, mode: SteeringMode, dtype: str) -> None:
    """Asserts what a `yes` on the page means."""
    for property_ in PROPERTIES:
        property_(subject(family, dtype), mode)


def works(family: str, mode: SteeringMode, dtype: str) -> bool:
    """Whether it holds."""
    try:
        holds(family, mode, dtype)
    except (AssertionError, RlattnError):
        return False
    return True


def refusal(family: str) -> str:
    """Why a model is refused, in the words of the message."""
    try:
        Steering(UNSUPPORTED[family]())
    except UnsupportedModelError as error:
        return str(error).split(" cannot be steered: ", 1)[1]
    raise AssertionError(f"{family} can be steered: it belongs in models.py")


def renewed(
    works: Callable[[str, SteeringMode, str], bool], refusal: Callable[[str], str | None]
) -> str:
    """The page, its tables made anew from what is said to work and to be refused."""
    page = PAGE.read_text(encoding="utf-8")
    for source, models in SOURCES.items():
        rows = [
            [name, *(_cell([d for d in DTYPES if works(name, mode, d)]) for mode in MODES)]
            for name in models
        ]
        page = _replaced(page, source, [["", *(f"`{mode}`" for mode in MODES)], *rows])
    reasons = [[name, refusal(name) or ""] for name in UNSUPPORTED]
    return _replaced(page, "refused", [["", "reason"], *reasons])


def _cell(dtypes: list[str]) -> str:
    return "yes" if len(dtypes) == len(DTYPES) else (dtypes or ["no"])[0]


def _rows(table: str) -> list[list[str]]:
    """The cells of a table, row by row, without its head."""
    text = PAGE.read_text(encoding="utf-8").split(BEGIN.format(table))[1].split(END)[0]
    return [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]


def _replaced(page: str, table: str, rows: list[list[str]]) -> str:
    before, rest = page.split(BEGIN.format(table))
    _, after = rest.split(END, 1)
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    lines = [head, "|" + " --- |" * len(rows[0]), *body]
    return before + BEGIN.format(table) + "\n".join(lines) + END + after


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    PAGE.write_text(renewed(works, refusal), encoding="utf-8")
    print(f"{PAGE} is renewed: {len(SUPPORTED)} models, and {len(UNSUPPORTED)} that are refused")
