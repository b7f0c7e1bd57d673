"""The pages of docs/ become a site without a warning, and it documents every public name."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[1] / "docs"
PACKAGES = [
    "actions",
    "agents",
    "corpora",
    "envs",
    "explanation",
    "hosts",
    "hosts.classifier",
    "plots",
    "rewards",
    "steering",
    "testing",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(needed, reason="the site needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", folder / "cache"]
    built = subprocess.run(
        [*command, DOCS, folder / "html"],
        cwd=DOCS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder / "html"


def test_every_page_is_part_of_the_site(site: Path) -> None:
    for page in DOCS.glob("**/*.md"):
        assert (site / page.relative_to(DOCS).with_suffix(".html")).is_file(), page


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_class_and_function_is_in_the_reference(site: Path, package: str) -> None:
    module = import_module(f"rlattn.{package}")
    reference = (site / "api" / f"{package}.html").read_text(encoding="utf-8")
    for name in module.__all__:
        if inspect.isclass(thing := getattr(module, name)) or inspect.isfunction(thing):
            assert f'id="rlattn.{package}.{name}"' in reference, name
