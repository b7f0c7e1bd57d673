"""Nothing runs from a file: a malicious artefact is refused with its reason, without a trace."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rlattn
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.classifier.head_folder import read_head, write_head
from tests.hosts.classifier.test_head_folder import CARD, HEADS
from tests.hosts.tiny import save, tiny_host
from tests.inference.policies import strong
from tests.security.artefacts import HEAD, HOST, POLICY, Spoil
from tests.security.place import Place, little_memory, watched

ARTEFACTS = {"policy": POLICY, "host": HOST, "head": HEAD}
EVERY = [
    pytest.param(kind, *artefact, id=f"{kind}, {name}")
    for kind, artefacts in ARTEFACTS.items()
    for name, artefact in artefacts.items()
]


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of each kind that nobody spoiled."""
    root = tmp_path_factory.mktemp("good")
    strong(tiny_host()).save(root / "policy")
    save(tiny_host(), root / "host")
    (root / "head").mkdir()
    write_head(root / "head", CARD, HEADS["pooled"])
    return {kind: root / kind for kind in ARTEFACTS}


@pytest.fixture
def reader(host: Seq2SeqHost) -> dict[str, Callable[[Path], object]]:
    """What reads each kind."""
    return {
        "policy": lambda folder: rlattn.load(folder).check(host.model),
        "host": load_host,
        "head": read_head,
    }


def place_of(good: Path, root: Path) -> Place:
    shutil.copytree(good, root / "artefact")
    (root / "outside").mkdir()
    return Place(root / "artefact", root / "canary", root / "outside")


@pytest.mark.parametrize("kind", ARTEFACTS)
def test_what_nobody_spoiled_is_read(
    kind: str,
    good: dict[str, Path],
    reader: dict[str, Callable[[Path], object]],
    tmp_path: Path,
) -> None:
    place = place_of(good[kind], tmp_path)
    with little_memory():
        reader[kind](place.folder)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux how much memory is in use")
@pytest.mark.parametrize(("kind", "spoil", "reason"), EVERY)
def test_it_is_refused_with_its_reason_and_leaves_no_trace(
    kind: str,
    spoil: Spoil,
    reason: str,
    good: dict[str, Path],
    reader: dict[str, Callable[[Path], object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = place_of(good[kind], tmp_path)
    spoil(place)
    monkeypatch.chdir(place.folder)  # where a module of the folder would be found
    monkeypatch.syspath_prepend(place.folder)
    before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
    with (
        pytest.raises(InputError, match=rf"(?s)^[^\n]*{reason}[^\n]*$") as refusal,
        watched() as opened,
        little_memory(),
    ):
        reader[kind](place.folder)
    assert str(refusal.value).isprintable()
    assert not place.canary.exists(), "code of the artefact ran"
    assert not [name for name in opened if Path(name).is_relative_to(place.outside)]
    assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("trap", ["pickle", "torch_save"])
def test_the_canary_would_tell(trap: str, tmp_path: Path) -> None:
    import pickle

    import torch

    place = Place(tmp_path, tmp_path / "canary", tmp_path)
    getattr(place, trap)("file")
    if trap == "pickle":
        pickle.loads((tmp_path / "file").read_bytes()).close()
    else:
        torch.load(tmp_path / "file", weights_only=False)
    assert place.canary.exists()


NAMES = ["../outside", "someone/../../outside", "a/b/../c", "someone/..", "/etc", "someone/a\n"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("load", [rlattn.load, load_host], ids=["policy", "host"])
def test_a_name_with_a_path_is_no_name_on_the_hub(
    load: Callable[[str], object], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with watched() as opened, pytest.raises(InputError):
        load(name)
    assert not [path for path in opened if "outside" in path]
