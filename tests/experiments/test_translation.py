"""What a program is asked for is checked and completed before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rlattn.corpora import ParallelCorpus, load_corpus
from rlattn.errors import InputError
from rlattn.experiments import translation
from rlattn.experiments.translation import (
    Config,
    check,
    choose_objective,
    find_corpus,
    find_host,
    find_material,
)
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.builtin import BuiltinConfig, embedded_host


@pytest.fixture
def text(tmp_path: Path) -> dict[str, Path]:
    """Parallel files of three splits; the lines say which split they are of."""
    files = {}
    for split in ("train", "valid", "test"):
        for side in ("src", "tgt"):
            path = tmp_path / f"{split}.{side}"
            path.write_text("".join(f"{split} {side} {n}\n" for n in range(90)), encoding="utf-8")
            files[f"{split}_{side}"] = path
    return files


class TestCheck:
    def test_the_out_folder_is_named_and_not_made(self, tmp_path: Path) -> None:
        out = tmp_path / "runs" / "new"
        assert check(Config(out=out)) == out
        assert list(tmp_path.iterdir()) == []

    def test_without_one_it_is_named_after_the_time(self) -> None:
        out = check(Config())
        assert out.parent == Path("runs")
        assert out.name.startswith("translate-20")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *((name, value) for name in ("steps", "lanes", "max_source") for value in (0, -7)),
            *((name, 0) for name in ("max_target", "valid_sentences", "validations")),
            *((name, value) for name in ("learning_rate", "host_minutes") for value in (0.0, -1.0)),
            *((name, value) for name in ("learning_rate", "gamma") for value in ("nan", "inf")),
            *(("gamma", value) for value in (-0.1, 1.1)),
            *(("seed", value) for value in (-1, 2**32)),
        ],
    )
    def test_numbers_out_of_range_are_named_by_their_option(self, name: str, value: Any) -> None:
        number = float(value) if isinstance(value, str) else value
        option = f"--{name.replace('_', '-')}"
        with pytest.raises(InputError, match=rf"^{option} {number}: expected"):
            check(Config(**{name: number}))


class TestObjective:
    @pytest.mark.parametrize("action", ["gate", "gate:16", "per-layer:gate:sentence", "window"])
    def test_what_opens_and_shuts_is_rewarded_for_agreement_at_a_target_of_reads(
        self, action: str
    ) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"agreement": 1.0}
        assert objective.reads_target == 0.2
        assert objective.prefix == "host"

    @pytest.mark.parametrize("action", ["position", "per-layer:position", "topk:3"])
    def test_where_reads_are_a_given_they_have_no_target(self, action: str) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"agreement": 1.0}
        assert objective.reads_target is None

    @pytest.mark.parametrize("action", ["bias", "mix", "sharpness", "simplex"])
    def test_what_shuts_nothing_is_rewarded_for_likelihood_along_the_reference(
        self, action: str
    ) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"likelihood": 1.0}
        assert objective.reads_target is None
        assert objective.prefix == "reference"

    def test_a_reward_that_is_given_stays_alone(self) -> None:
        objective = choose_objective(Config(reward=("chrf=1", "reads=-0.5")))
        assert objective.weights == {"chrf": 1.0, "reads": -0.5}
        assert objective.reads_target is None

    def test_a_target_can_be_given_with_and_without_a_reward(self) -> None:
        assert choose_objective(Config(reads_target=0.4)).reads_target == 0.4
        given = choose_objective(Config(reward=("chrf=1",), reads_target=0.4))
        assert (given.weights, given.reads_target) == ({"chrf": 1.0}, 0.4)

    def test_a_target_of_the_reads_may_stand_among_the_weights(self) -> None:
        assert choose_objective(Config(reward=("reads=target:0.4",))) == choose_objective(
            Config(reads_target=0.4)
        )
        with pytest.raises(InputError, match="say the same"):
            choose_objective(Config(reward=("reads=target:0.4",), reads_target=0.3))

    def test_what_the_reads_weigh_in_the_end_chooses_the_policy(self) -> None:
        weights = {(): 0.0, ("chrf=1",): 0.0, ("reads=-0.5",): -0.5, ("reads=0:-0.3:9",): -0.3}
        for reward, weight in weights.items():
            assert choose_objective(Config(reward=reward)).reads_weight == weight

    def test_the_prefix_follows_the_reward_unless_it_is_given(self) -> None:
        assert choose_objective(Config(reward=("likelihood=1",))).prefix == "reference"
        assert choose_objective(Config(reward=("chrf=1",), prefix="free")).prefix == "free"

    @pytest.mark.parametrize("prefix", ["host", "free"])
    def test_likelihood_needs_the_reference_as_prefix(self, prefix: Any) -> None:
        with pytest.raises(InputError, match=f"--prefix {prefix}: .*use --prefix reference"):
            choose_objective(Config(reward=("likelihood=1",), prefix=prefix))

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"reward": ("fame=1",)}, "unknown reward 'fame': expected one of .*fidelity"),
            ({"reward": ("fidelity",)}, "should be name=weight"),
            ({"reward": ("fidelity=much",)}, "should have a finite number"),
            *(({"reads_target": target}, "expected a fraction") for target in (0.0, -0.2, 1.5)),
            ({"reads_target": float("nan")}, "expected a fraction"),
        ],
    )
    def test_what_makes_no_reward_is_bad_input(
        self, settings: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(InputError, match=message):
            choose_objective(Config(**settings))


class TestCorpus:
    def test_the_default_is_the_embedded_one(self) -> None:
        corpus = find_corpus(Config())
        assert corpus.name == "locale:en-de"
        assert corpus.fingerprint == load_corpus("locale:en-de").fingerprint

    def test_files_come_before_a_name(self, text: dict[str, Path]) -> None:
        corpus = find_corpus(Config(**text))
        for split in ("train", "valid", "test"):
            pairs = getattr(corpus, split)
            assert len(pairs) == 90
            assert pairs[0] == (f"{split} src 0", f"{split} tgt 0")

    def test_splits_that_are_not_given_are_held_out(self, text: dict[str, Path]) -> None:
        files = {name: text[name] for name in ("train_src", "train_tgt", "test_src", "test_tgt")}
        corpus = find_corpus(Config(**files))
        assert len(corpus.test) == 90
        assert 1 <= len(corpus.valid) < len(corpus.train) < 90

    @pytest.mark.parametrize("split", ["train", "valid", "test"])
    @pytest.mark.parametrize("side", ["src", "tgt"])
    def test_both_sides_are_needed(self, text: dict[str, Path], split: str, side: str) -> None:
        del text[f"{split}_{side}"]
        with pytest.raises(InputError, match=f"--{split}-src and --{split}-tgt go together"):
            find_corpus(Config(**text))

    def test_a_noisy_one_is_named_by_the_corpus_and_the_noise(self) -> None:
        with pytest.raises(InputError, match="give the corpus without noise, and --noise"):
            find_corpus(Config(corpus="noise:locale:en-de"))

    @pytest.mark.parametrize("split", ["valid", "test"])
    def test_training_files_are_needed(self, text: dict[str, Path], split: str) -> None:
        files = {name: path for name, path in text.items() if name.startswith(split)}
        with pytest.raises(InputError, match="give --train-src too"):
            find_corpus(Config(**files))


class TestHost:
    @pytest.fixture
    def asked(self, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """The settings that a built-in host is asked for with; none is trained."""
        settings: list[Any] = []

        def builtin_host(corpus: ParallelCorpus, config: Any, device: str) -> Path:
            settings.append(config)
            return Path(small["host"])

        monkeypatch.setattr(translation, "builtin_host", builtin_host)
        return settings

    def test_the_embedded_one_belongs_to_the_embedded_corpus(self) -> None:
        host = find_host(Config(), find_corpus(Config()))
        assert host.name == "embedded"
        assert host.fingerprint == find_host(Config(host="embedded"), None).fingerprint  # type: ignore[arg-type]

    def test_it_is_called_embedded_also_when_its_folder_is_found(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(translation, "builtin_host", lambda *_, **__: embedded_host())
        assert find_host(Config(host="builtin"), find_corpus(Config())).name == "embedded"

    def test_a_folder_is_loaded(self, small: dict[str, Any], host: Seq2SeqHost) -> None:
        found = find_host(Config(**small), find_corpus(Config(**small)))
        assert (found.name, found.fingerprint) == (small["host"], host.fingerprint)

    def test_a_folder_called_embedded_is_not_taken_for_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "embedded").mkdir()
        monkeypatch.chdir(tmp_path)
        assert find_host(Config(host="embedded"), None).name == "embedded"  # type: ignore[arg-type]

    def test_a_host_is_trained_without_the_noise(self, asked: list[Any]) -> None:
        clean, _ = find_material(Config())
        corpus, host = find_material(Config(noise="behind"))
        assert host.name == find_host(Config(), clean).name
        pair = corpus.test[3]
        assert pair.source.startswith(f"{clean.test[3].source} = ")
        assert pair.target == clean.test[3].target

    def test_another_corpus_gets_a_host_of_its_own(
        self, small: dict[str, Any], asked: list[Any]
    ) -> None:
        for name in ("auto", "builtin"):
            config = Config(corpus=small["corpus"], host=name)
            corpus = find_corpus(config)
            assert find_host(config, corpus).name == small["host"]
        assert asked == [None, BuiltinConfig.for_corpus(corpus)]

    def test_minutes_are_passed_on(self, small: dict[str, Any], asked: list[Any]) -> None:
        for name in ("auto", "builtin"):
            config = Config(corpus=small["corpus"], host=name, host_minutes=0.25)
            find_host(config, find_corpus(config))
        assert [settings.max_minutes for settings in asked] == [0.25, 0.25]
