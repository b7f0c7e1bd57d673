"""Every example in the README and in the pages of docs/ runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONG = re.compile(r"\b\d{1,3}_000\b")
"""A number written like this, in a line that calls `learn`, is the length of a training."""


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


PAGES = [
    page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if blocks(page)
]


def shortened(code: str) -> str:
    """The code with trainings of one update, hosts of two steps, and otherwise as it stands."""
    lines = re.sub(r"builtin:\d+steps", "builtin:2steps", code).splitlines(keepends=True)
    return "".join(LONG.sub("64", line) if "learn(" in line else line for line in lines)


@pytest.mark.slow
@pytest.mark.usefixtures("_registered_only_here")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_one_after_the_other(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pages are read at the root of the checkout, and hosts are not trained into a user's cache.
    (tmp_path / "docs").mkdir()
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "docs" / "examples")
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "hosts"))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(blocks(page), 1):
        # Lines of their own for every block, so that an error shows where it is.
        exec(compile(shortened(block), f"{page.name}, example {number}", "exec"), names)


def test_only_trainings_are_shortened() -> None:
    code = 'limit = 10_000\nppo.learn(160_000)\nlearn(ppo, 20_000, [log])\n"builtin:300steps"\n'
    short = 'limit = 10_000\nppo.learn(64)\nlearn(ppo, 64, [log])\n"builtin:2steps"\n'
    assert shortened(code) == short


def test_there_are_pages_with_examples() -> None:
    assert {"README", "first-policy"} <= {page.stem for page in PAGES}
