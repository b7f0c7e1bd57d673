"""``docs/reproducibility.md`` lists every place where something is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rlattn

PACKAGE = Path(rlattn.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "reproducibility.md").read_text(encoding="utf-8")
DRAWS = re.compile(
    r"""default_rng\( | manual_seed\( | TPESampler\( | \bRandom\( | \b_mixed\(
    | torch\.(Generator\(|rand|randn|randint|randperm|multinomial|bernoulli|normal)\b
    | torch\.rand\w*_like | \.(exponential|uniform|normal|bernoulli)_\(
    | \brng\. | np\.random\.(seed|rand|perm|shuffle|choice)""",
    re.VERBOSE,
)
FILES = [
    path.relative_to(PACKAGE.parent)
    for path in sorted(PACKAGE.rglob("*.py"))
    if DRAWS.search(path.read_text(encoding="utf-8"))
]


def test_there_are_some() -> None:
    assert Path("rlattn/envs/queue.py") in FILES


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_page_names_it(path: Path) -> None:
    rows = [row for row in PAGE.splitlines() if path.name in row]
    assert any(str(path.parent) in row for row in rows), f"{path} draws, and no row names it"


def test_the_generators_of_the_process_are_never_seeded_by_a_clock() -> None:
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(seed|default_rng|Random)\((None|time|os\.urandom|\))", text), path
