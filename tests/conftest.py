"""What all tests share: no network, a fixed seed, and tiny hosts."""

from __future__ import annotations

import os
import secrets

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the hub's client

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
import torch
from hypothesis import settings

from rlattn.actions import FAMILIES
from rlattn.envs import TASKS, registry
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.rewards import REWARDS
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.hosts.tiny import CONFIGS, SOURCE, TARGET, pairs, save, tiny_host

# A busy machine is slow at times, which says nothing of the code.
settings.register_profile("untimed", deadline=None)
# More than ten thousand cases of bad input: RLATTN_PROFILE=long python -m pytest tests/hostile
settings.register_profile("long", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("RLATTN_PROFILE", "untimed"))

SHARED = Path(os.environ.get("RLATTN_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.hookimpl(tryfirst=True)  # before Hypothesis takes the seed
def pytest_configure(config: pytest.Config) -> None:
    """In the long profile the seed is chosen here, so that it can be told."""
    profile = config.getoption("--hypothesis-profile") or os.environ.get("RLATTN_PROFILE")
    if profile == "long" and config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(secrets.randbits(32))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Tells the seed, if there is one, however quiet the run."""
    seed = session.config.getoption("--hypothesis-seed")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if seed is not None and reporter is not None:
        reporter.write_line(f"Hypothesis draws by --hypothesis-seed={seed}")


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def _registered_only_here() -> Iterator[None]:
    """Forgets the rewards, families and tasks that a test registers."""
    registries: list[dict[str, Any]] = [REWARDS, FAMILIES, registry._tasks, gymnasium.registry]
    known = [dict(names) for names in registries]
    yield
    for names, before in zip(registries, known, strict=True):
        names.clear()
        names.update(before)


@pytest.fixture(scope="session")
def host() -> Seq2SeqHost:
    """A tiny host; tests leave it as it is."""
    return tiny_host()


@pytest.fixture(scope="session", params=CONFIGS)
def each_host(request: pytest.FixtureRequest) -> Seq2SeqHost:
    """A tiny host of every family in turn."""
    return tiny_host(request.param)


@pytest.fixture(scope="session")
def real_host() -> Seq2SeqHost:
    """A trained German-English host."""
    folder = SHARED / "hosts" / "multi30k-de-en"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}; RLATTN_SHARED says where shared files are")
    return load_host(folder)


@pytest.fixture(scope="session")
def task(host: Seq2SeqHost, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `gymnasium.make` is told of a tiny host and corpus, both in files."""
    folder = tmp_path_factory.mktemp("task")
    lines = ("\t".join(pair) for pair in pairs(120))
    (folder / "corpus.tsv").write_text("\n".join(lines), encoding="utf-8")
    return {
        "corpus": f"tsv:{folder / 'corpus.tsv'}",
        "host": str(save(host, folder / "host")),
        "max_source": SOURCE,
        "max_target": TARGET,
    }


@pytest.fixture(scope="session")
def labelled_task(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same of a small classifier, and of sentences with labels that mean nothing."""
    folder, host = tmp_path_factory.mktemp("labelled"), small_classifier()
    lines = (f"{pair.source}\t{LABELS[n % len(LABELS)]}" for n, pair in enumerate(pairs(120)))
    (folder / "corpus.tsv").write_text("\n".join(lines), encoding="utf-8")
    host.model.save_pretrained(folder / "host")
    host.tokenizer.save_pretrained(folder / "host")
    return {
        "corpus": f"tsv:{folder / 'corpus.tsv'}",
        "host": str(folder / "host"),
        "max_source": SOURCE,
    }


@pytest.fixture
def own_task(id: str, task: dict[str, Any], labelled_task: dict[str, Any]) -> dict[str, Any]:
    """Of these two the one that suits the id that a test is about."""
    return labelled_task if TASKS[id].get("kind") == "classification" else task
