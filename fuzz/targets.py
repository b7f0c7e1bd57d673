"""What is fuzzed: each target turns bytes into what a user may give, and tries it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import tyro

import rlattn
from rlattn.actions import make_family
from rlattn.corpora import load_corpus, read_labelled, read_parallel
from rlattn.corpora.labels import labels_of
from rlattn.errors import InputError
from rlattn.experiments import classification, translation
from rlattn.experiments.weights import parse_weights
from rlattn.inference import TrainedPolicy
from rlattn.inference.card import parse_card
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from rlattn.rewards import TotalReward


class Target(ABC):
    """Something that reads bytes.

    Args:
        folder: Where it may write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def seeds(self) -> Iterator[bytes]:
        """Good inputs to begin with."""

    @abstractmethod
    def read(self, data: bytes) -> None:
        """Reads an input."""

    def __call__(self, data: bytes) -> None:
        """Reads an input, which may be refused, but only by rlattn itself."""
        with warnings.catch_warnings(), contextlib.suppress(InputError):
            warnings.simplefilter("ignore")
            self.read(data)


class CorpusTarget(Target):
    """Files of texts: the first byte says what kind, the others are what stands there."""

    kinds = ("a.tsv", "a.txt", "a.csv", "a.jsonl", "a.csv.gz", "pair", "columns", "named")

    def seeds(self) -> Iterator[bytes]:
        """A file of each kind."""
        pairs = [(f"text {n}, \u00e4\u05e9\U0001f600", f"label {n % 3}") for n in range(6)]
        tabs = "\n".join("\t".join(pair) for pair in pairs)
        commas = "text,label\n" + "\n".join(f'"{text}",{label}' for text, label in pairs)
        objects = "\n".join(json.dumps({"text": text, "label": label}) for text, label in pairs)
        both = tabs.replace("\t", "\n")
        contents = (tabs, tabs, commas, objects, None, f"{both}\0{both}", tabs, f"a\tb\tc\n{tabs}")
        for number, content in enumerate(contents):
            body = gzip.compress(commas.encode()) if content is None else content.encode()
            yield bytes([number]) + body

    def read(self, data: bytes) -> None:
        """Reads it as a corpus, and looks up its labels."""
        kind = self.kinds[data[0] % len(self.kinds)] if data else "a.tsv"
        body, path = data[1:], self.folder / kind
        if kind == "pair":
            source, _, target = body.partition(b"\0")
            paths = self.folder / "source", self.folder / "target"
            paths[0].write_bytes(source)
            paths[1].write_bytes(target)
            corpus = read_parallel(paths)
        elif kind == "columns":
            path.write_bytes(body)
            corpus = read_parallel(path)
        elif kind == "named":
            path = path.with_suffix(".tsv")
            path.write_bytes(body)
            corpus = read_labelled(path, text="a", label="c")
        else:
            path.write_bytes(body)
            corpus = read_labelled(path)
        assert corpus.train
        assert corpus.valid
        assert corpus.test
        for pair in (*corpus.train, *corpus.valid, *corpus.test):
            assert pair.source.strip() == pair.source != ""
            pair.target.encode()
        labels_of(corpus)


class PolicyTarget(Target):
    """Policy folders: a byte, the card, a zero byte, the weights.

    An odd first byte has the digests mended, for no fuzzer finds one, and what is behind them must
    hold by itself.
    """

    def seeds(self) -> Iterator[bytes]:
        """Policies of some families."""
        actions = ("gate", "gate:sentence:1,2/3", "topk:2", "per-layer:2:mix", "window")
        for number, action in enumerate(actions):
            torch.manual_seed(number)
            network = AttentionPolicy(PolicyConfig(action, 4, 6, width=2))
            reading = Reading(2) if action == "gate" else None
            place = self.folder / str(number)
            TrainedPolicy(network, "host", "0" * 64, reading=reading).save(place)
            card = (place / "policy.json").read_bytes()
            weights = (place / "policy.safetensors").read_bytes()
            for first in (b"\0", b"\1"):
                yield first + card + b"\0" + weights

    def read(self, data: bytes) -> None:
        """Loads it, saves it again, and loads that."""
        card, _, weights = data[1:].partition(b"\0")
        if data[:1] and data[0] % 2:
            card = _mended(card, weights)
        place = self.folder / "policy"
        place.mkdir(exist_ok=True)
        (place / "policy.json").write_bytes(card)
        (place / "policy.safetensors").write_bytes(weights)
        policy = rlattn.load(place)
        assert all(weight.isfinite().all() for weight in policy.policy.parameters())
        policy.save(self.folder / "again")
        again = rlattn.load(self.folder / "again")
        assert again.policy.config == policy.policy.config


def _mended(card: bytes, weights: bytes) -> bytes:
    """A card whose digests are right."""
    try:
        data: Any = json.loads(card)
    except (ValueError, RecursionError):
        return card
    if not isinstance(data, dict):
        return card
    data.pop("card_sha256", None)
    if "weights_sha256" in data:
        data["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    try:
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        data["card_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        return json.dumps(data).encode()
    except (ValueError, RecursionError):
        return card


class ConfigTarget(Target):
    """Settings as text: the first line says what kind, the others are its words."""

    def seeds(self) -> Iterator[bytes]:
        """Each kind, as a user may have typed it."""
        given = (
            ("reward", "fidelity=1 reads=-0.5", "spread:chrf=0.1:0.2:100", "latency=target:0.3"),
            ("action", "gate:16"),
            ("action", "per-layer:3:topk:30%"),
            ("action", "gate:sentence:2,15/29"),
            ("corpus", "documents:en-de:60-150"),
            ("corpus", "csv:a.csv#b,c"),
            ("translate", "--steps", "10", "--reward", "agreement=1", "--reads-target", "0.2"),
            ("translate", "--action", "topk:4", "--prefix", "free", "--gamma", "0.9"),
            ("classify", "--corpus", "csv:a.csv", "--lanes", "3", "--learning-rate", "1e-3"),
            ("card", '{"format": 2, "host": {"name": "a"}, "policy": {"action": "gate"}}'),
        )
        for words in given:
            yield "\n".join(words).encode()

    def read(self, data: bytes) -> None:
        """Has the words understood, as the programs would."""
        kind, *words = data.decode(errors="surrogateescape").split("\n")
        if kind == "reward":
            TotalReward(parse_weights(words))
        elif kind == "action":
            family = make_family("\n".join(words))
            assert make_family(family.spec).spec == family.spec
        elif kind == "corpus":
            name = "\n".join(words)
            if not name.startswith(("hub:", "tsv:", "csv:", "jsonl:")):  # no file of this machine
                load_corpus(name, train_size=3)
        elif kind == "card":
            parse_card("\n".join(words))
        elif kind in ("translate", "classify"):
            _options(translation if kind == "translate" else classification, words)


def _options(module: Any, words: Sequence[str]) -> None:
    """Reads and checks the options of a program, but for modules to import."""
    said = io.StringIO()
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        contextlib.suppress(SystemExit),
    ):
        config = tyro.cli(module.Config, args=[word for word in words if "import" not in word])
        if not config.imports:
            module.choose_objective(config)
            module.check(config)
    assert "Traceback" not in said.getvalue()


TARGETS = {"config": ConfigTarget, "corpus": CorpusTarget, "policy": PolicyTarget}
