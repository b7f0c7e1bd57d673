"""The program from its command line to its last file, and how it refuses bad input."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from rich.console import Console
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from transformers import GPT2Config, GPT2LMHeadModel, LEDConfig, LEDForConditionalGeneration

import rlattn
from rlattn.actions import FAMILIES
from rlattn.corpora import Pair, ParallelCorpus, load_corpus
from rlattn.experiments import ppo_translate, translation
from rlattn.experiments.ppo_translate import run
from rlattn.experiments.translation import Config, find_corpus
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from rlattn.rewards import REWARDS, make_reward
from rlattn.rewards.registry import WRAPPERS
from tests.experiments.small import LIMITS, short
from tests.hosts.tiny import EOS, PAD, generate, save, sentences, tiny_host, tokenizer

ROOM = 12  # tokens
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    config: Config
    results: dict[str, Any]
    printed: str

    @property
    def out(self) -> Path:
        assert self.config.out is not None
        return self.config.out

    def json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.out / name).read_text(encoding="utf-8"))
        return content


def finish(config: Config) -> Finished:
    printed = io.StringIO()
    return Finished(config, run(config, Console(file=printed, width=100)), printed.getvalue())


@pytest.fixture(scope="module")
def gate(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finish(short(small, out=tmp_path_factory.mktemp("gate") / "runs" / "out"))


@pytest.fixture(scope="module")
def bias(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("bias")
    return finish(short(small, action="bias", reward=(), learning_rate=0.03, out=out))


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Sentences of up to 18 words, and a host with room for fewer."""
    folder = tmp_path_factory.mktemp("cramped")
    halves = zip(sentences(200, 1), sentences(200, 2), strict=True)
    (folder / "corpus.tsv").write_text("".join(f"{a} {b}\tba be\n" for a, b in halves))
    config = Config(
        corpus=f"tsv:{folder / 'corpus.tsv'}",
        host=str(save(tiny_host(max_position_embeddings=ROOM), folder / "host")),
        steps=64,
        lanes=2,
        valid_sentences=2,
        max_target=ROOM,
        out=folder / "out",
    )
    return finish(config)


@pytest.fixture(scope="module")
def held_out(small: dict[str, Any]) -> list[Pair]:
    return list(find_corpus(Config(**small)).test)


class TestOutFolder:
    def test_it_holds_everything_and_nothing_else(self, gate: Finished) -> None:
        events = [path.name for path in gate.out.glob("events.out.tfevents.*")]
        assert len(events) == 1
        assert {path.name for path in gate.out.iterdir()} == {
            *("config.json", "results.json", "progress.csv", "samples.md"),
            *("curves.png", "attention.png", "policy", *events),
        }

    def test_the_policy_is_safetensors_and_json_and_a_picture(self, gate: Finished) -> None:
        names = {path.name for path in (gate.out / "policy").iterdir()}
        assert names == {"policy.json", "policy.safetensors", "attention.png"}
        picture = (gate.out / "policy" / "attention.png").read_bytes()
        assert picture == (gate.out / "attention.png").read_bytes()

    def test_the_policy_says_how_it_was_trained(self, gate: Finished) -> None:
        training = rlattn.load(gate.out / "policy").training
        assert training is not None
        assert (training.seed, training.corpus) == (0, "files:corpus.tsv")
        assert training.env_steps == gate.results["valid"]["kept"]["env_steps"]
        assert training.versions["torch"] == torch.__version__

    def test_the_policy_carries_the_scores_of_the_run(self, gate: Finished) -> None:
        scores = rlattn.load(gate.out / "policy").scores
        assert scores is not None
        rows = {(row.split, row.method): row for row in scores.rows}
        splits = {"validation": ("native", "policy"), "test": ("native", "policy", "topk")}
        assert list(rows) == [(split, name) for split, names in splits.items() for name in names]
        for method in splits["test"]:
            row, measured = asdict(rows["test", method]), gate.results[method]
            for name in ("bleu", "chrf", "reads_fraction"):
                assert row[name] == measured[name]
                assert list(row[f"{name}_interval"]) == measured[f"{name}_interval"]
        valid = gate.results["valid"]
        assert rows["validation", "native"].bleu == valid["native"]["bleu"]
        assert rows["validation", "policy"].bleu == valid["kept"]["bleu"]
        assert rows["validation", "policy"].bleu_interval is None
        assert scores.signatures == gate.results["signatures"]

    def test_the_pictures_are_pictures(self, gate: Finished, bias: Finished) -> None:
        for out in (gate.out, bias.out):
            for name in ("curves.png", "attention.png"):
                assert (out / name).read_bytes().startswith(PNG)

    def test_the_samples_are_of_the_test_text(self, gate: Finished, held_out: list[Pair]) -> None:
        samples = (gate.out / "samples.md").read_text(encoding="utf-8")
        for pair in held_out:
            assert f"| source | {pair.source} |\n| reference | {pair.target} |" in samples

    def test_the_config_says_what_was_given_and_what_was_chosen(
        self, gate: Finished, host: Seq2SeqHost, small: dict[str, Any]
    ) -> None:
        config = gate.json("config.json")
        assert {field.name for field in fields(Config)} <= set(config)
        assert config["steps"] == 512
        assert config["out"] == str(gate.out)
        assert config["objective_resolved"] == {
            "weights": {"fidelity": 0.1, "reads": -4.0},
            "reads_target": None,
            "prefix": "host",
        }
        assert config["ppo"]["learning_rate"] == 0.3
        assert config["ppo"]["gamma"] == 0.0
        named = {"name": "host", "fingerprint": host.fingerprint}
        assert config["host_resolved"] == gate.results["host_resolved"] == named
        assert config["corpus_resolved"]["name"] == "files:corpus.tsv"
        assert config["provenance"] == gate.results["provenance"]
        assert config["provenance"]["versions"]["torch"] == torch.__version__

    def test_the_log_has_columns_by_name(self, gate: Finished) -> None:
        with (gate.out / "progress.csv").open(newline="") as file:
            *rows, last = csv.DictReader(file)
        assert [int(row["time/total_timesteps"]) for row in rows] == [256, 512]
        # The validation after the last update has a row of its own.
        assert int(last["time/total_timesteps"]) == 512
        assert float(last["valid/bleu"]) == gate.results["valid"]["curve"][-1]["bleu"]
        columns = (
            *("rollout/reads_fraction", "rollout/ep_rew_mean", "rollout/truncated_sentences"),
            *(f"rollout/{kind}_{name}" for kind in ("reward", "weight") for name in gate_terms()),
            *("valid/bleu", "valid/chrf", "valid/reads_fraction", "valid/best_score"),
        )
        for row in rows:
            assert all(math.isfinite(float(row[name])) for name in columns)
        assert float(rows[-1]["rollout/weight_reads"]) == -4.0


def gate_terms() -> list[str]:
    return ["fidelity", "reads"]


def without_clocks(tree: Any) -> Any:
    """The same without what a clock has measured."""
    if isinstance(tree, dict):
        clocks = "seconds", "training_seconds"
        return {name: without_clocks(each) for name, each in tree.items() if name not in clocks}
    return [without_clocks(each) for each in tree] if isinstance(tree, list) else tree


class TestResults:
    def test_they_are_what_is_returned(self, gate: Finished) -> None:
        written = gate.json("results.json")
        assert set(written) == set(gate.results)
        for name in ("native", "policy", "topk", "p_value", "env_steps", "seconds"):
            assert written[name] == gate.results[name]

    def test_three_methods_are_compared(self, gate: Finished, held_out: list[Pair]) -> None:
        results = gate.json("results.json")
        for method in ("native", "policy", "topk"):
            for name in ("bleu", "chrf", "reads_fraction"):
                low, high = results[method][f"{name}_interval"]
                assert low <= results[method][name] <= high
        assert 0 < results["p_value"] <= 1
        assert results["env_steps"] == 512
        assert 0 < results["training_seconds"] < results["seconds"]
        assert results["test_sentences"] == len(held_out)

    def test_native_is_plain_generate_scored_by_sacrebleu(
        self, gate: Finished, host: Seq2SeqHost, held_out: list[Pair]
    ) -> None:
        rows = generate(host, [pair.source for pair in held_out])
        texts = host.tokenizer.batch_decode(rows, skip_special_tokens=True)
        references = [[pair.target for pair in held_out]]
        native = gate.results["native"]
        assert native["bleu"] == pytest.approx(BLEU().corpus_score(texts, references).score)
        assert native["chrf"] == pytest.approx(CHRF().corpus_score(texts, references).score)
        assert native["reads_fraction"] == 1
        assert native["bleu"] > 50

    @pytest.mark.parametrize("action", ["gate", "bias"])
    def test_the_policy_in_the_folder_does_what_is_reported(
        self,
        action: str,
        request: pytest.FixtureRequest,
        host: Seq2SeqHost,
        held_out: list[Pair],
    ) -> None:
        finished: Finished = request.getfixturevalue(action)
        policy = rlattn.load(finished.out / "policy")
        assert policy.host_fingerprint == host.fingerprint
        output = translate(host, [pair.source for pair in held_out], policy, **LIMITS)
        score = BLEU().corpus_score(output.texts, [[pair.target for pair in held_out]]).score
        assert finished.results["policy"]["bleu"] == pytest.approx(score)
        reads = sum(output.reads_fraction) / len(output.reads_fraction)
        assert finished.results["policy"]["reads_fraction"] == pytest.approx(reads)

    def test_the_gate_learned_to_shut(self, gate: Finished) -> None:
        assert gate.results["policy"]["reads_fraction"] < 0.9
        assert gate.results["valid"]["curve"][0]["reads_fraction"] == 1

    def test_the_rule_reads_as_much_as_the_policy(self, gate: Finished) -> None:
        policy, topk = (gate.results[name]["reads_fraction"] for name in ("policy", "topk"))
        assert policy <= topk + 1e-6
        assert topk < policy + 0.1

    def test_the_best_on_validation_is_kept(self, gate: Finished) -> None:
        valid = gate.json("results.json")["valid"]
        assert [point["env_steps"] for point in valid["curve"]] == [0, 256, 512]
        assert valid["kept"] == max(valid["curve"], key=lambda point: point["score"])

    def test_a_bias_follows_the_reference_and_reads_everything(self, bias: Finished) -> None:
        assert bias.json("config.json")["objective_resolved"] == {
            "weights": {"likelihood": 1.0},
            "reads_target": None,
            "prefix": "reference",
        }
        assert bias.results["policy"]["reads_fraction"] == 1

    def test_the_table_is_printed(self, gate: Finished) -> None:
        lines = [line.split() for line in gate.printed.splitlines()]
        for method in ("native", "policy", "topk"):
            row = next(line for line in lines if line[:1] == [method])
            assert f"{gate.results[method]['bleu']:.1f}" in row
        assert f"results go to {gate.out}\n" in gate.printed
        assert "version:" in gate.printed

    def test_the_same_seed_gives_the_same_numbers(
        self, gate: Finished, small: dict[str, Any], tmp_path: Path
    ) -> None:
        again = finish(replace(gate.config, out=tmp_path))
        assert without_clocks(again.results) == without_clocks(gate.results)
        name = "policy/policy.safetensors"
        assert (again.out / name).read_bytes() == (gate.out / name).read_bytes()


class TestTruncation:
    def test_what_the_host_cannot_take_is_cut_and_counted(self, cramped: Finished) -> None:
        test = find_corpus(cramped.config).test
        longer = sum(len(pair.source.split()) + 1 > ROOM for pair in test)
        assert 0 < longer < len(test)
        results = cramped.json("results.json")
        assert results["truncated_test_sentences"] == longer
        assert results["truncated_training_sentences"] > 0

    def test_the_limit_of_the_host_is_the_limit_of_the_run(self, cramped: Finished) -> None:
        assert cramped.config.max_source > ROOM
        assert cramped.json("config.json")["max_source"] == ROOM

    def test_it_is_reported(self, cramped: Finished) -> None:
        for split in ("training", "test"):
            count = cramped.results[f"truncated_{split}_sentences"]
            line = f"{count} {split} sentences were longer than {ROOM} source"
            assert any(text.startswith(line) for text in cramped.printed.splitlines())


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["ppo_translate", *map(str, arguments)])
    ppo_translate.main()


def test_without_a_corpus_the_embedded_host_learns_on_the_embedded_corpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def few(name: str) -> ParallelCorpus:
        corpus = load_corpus(name)
        splits = {split: getattr(corpus, split)[:12] for split in ("train", "valid", "test")}
        return replace(corpus, **splits)

    monkeypatch.setattr(translation, "load_corpus", few)
    monkeypatch.chdir(tmp_path)
    call(monkeypatch, "--steps", 128, "--lanes", 2, "--valid-sentences", 4, "--validations", 1)
    (out,) = (tmp_path / "runs").iterdir()
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["native"]["bleu"] > 90
    card = json.loads((out / "policy" / "policy.json").read_text())
    assert card["host"]["name"] == "embedded"
    given = ["--steps", "128", "--lanes", "2", "--valid-sentences", "4", "--validations", "1"]
    assert card["training"]["command"][-len(given) :] == given
    assert card["training"]["corpus"] == "locale:en-de"
    printed = capsys.readouterr()
    assert printed.out.startswith("host embedded on locale:en-de: BLEU ")
    assert "error" not in printed.err


class Refusal(NamedTuple):
    """What is given, with names of what is in `given`, and what the answer must say."""

    arguments: str
    answer: str


FILES = {
    "three": b"ba\nbe\nbi\n",
    "two": b"ba\nbe\n",
    "empty": b"",
    "latin": b"ba\nbe \xe4\n",
    "one_pair": b"ba\tbe\n",
    "no_tab": b"ba be\n",
}
REFUSALS = {
    "missing file": Refusal(
        "--train-src {three} --train-tgt {nowhere}/x", "nowhere/x: there is no such file"
    ),
    "line counts": Refusal(
        "--train-src {three} --train-tgt {two}", "three has 3 lines but .*two has 2"
    ),
    "empty file": Refusal("--train-src {empty} --train-tgt {two}", "empty: the file is empty"),
    "not UTF-8": Refusal("--train-src {latin} --train-tgt {two}", r"latin, line 2: .*not UTF-8"),
    "not TSV": Refusal("--corpus tsv:{no_tab}", "line 1: 0 tabs; expected exactly one"),
    "one sentence": Refusal(
        "--corpus tsv:{one_pair} --host {host}", "files:one_pair: no pair is left for the train"
    ),
    "one side": Refusal("--train-src {three}", "--train-src and --train-tgt go together"),
    "validation alone": Refusal(
        "--valid-src {two} --valid-tgt {two}", "without training files: give --train-src too"
    ),
    "unknown locale": Refusal("--corpus locale:xx-de", "unknown locale 'xx'"),
    "no pair of locales": Refusal("--corpus locale:en", "expected one like locale:en-de"),
    "unknown corpus": Refusal("--corpus multi50k", "unknown corpus 'multi50k'; expected locale:"),
    "unknown data set": Refusal("--corpus hub:no/data#de-en", "hub:no/data"),
    "unknown host": Refusal("{task} --host no-one/no-host", "host no-one/no-host: neither"),
    "host without config": Refusal("{task} --host {folder}", "a folder with a config.json in it"),
    "host is a decoder": Refusal("{task} --host {gpt2}", "GPT2Config"),
    "host cannot be steered": Refusal("{task} --host {led}", "LED.* cannot be steered"),
    "unknown reward": Refusal("--reward fame=1", "unknown reward 'fame': expected one of"),
    "malformed reward": Refusal("--reward fidelity", "'fidelity' should be name=weight"),
    "malformed weight": Refusal("--reward reads=little", "should have a finite number"),
    "wrong prefix": Refusal("--reward likelihood=1 --prefix host", "use --prefix reference"),
    "unknown action": Refusal("--action stare", "unknown action 'stare': expected one of bias"),
    "no steps": Refusal("--steps 0", "--steps 0: expected at least 1"),
    "negative steps": Refusal("--steps -5", "--steps -5: expected at least 1"),
    "no lanes": Refusal("--lanes 0", "--lanes 0: expected at least 1"),
    "negative lanes": Refusal("--lanes -1", "--lanes -1: expected at least 1"),
    "negative seed": Refusal("--seed -1", "--seed -1: expected a number from 0"),
    "no reads": Refusal("--reads-target 0", r"reads target 0.0: expected a fraction in \(0, 1\]"),
    "too many reads": Refusal("--reads-target 1.01", r"expected a fraction in \(0, 1\]"),
    "no device": Refusal("--device abacus", "--device abacus: not available here; try cpu"),
    "long targets": Refusal("{task} --host {host} --max-target 65", "cannot write 65 tokens"),
    "out is taken": Refusal("--out {held}", "held already holds files, and they are kept"),
    "out is a file": Refusal("--out {two}", "two is a file"),
    "out is below a file": Refusal("--out {two}/below", "two is a file"),
}


@pytest.fixture(scope="module")
def given(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Bad and good things by the names that are used in `REFUSALS`."""
    folder = tmp_path_factory.mktemp("given")
    names = {"task": f"--corpus {small['corpus']} --steps 64 --lanes 2", "host": small["host"]}
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
        names[name] = str(folder / name)
    for name in ("folder", "held"):
        (folder / name).mkdir()
        names[name] = str(folder / name)
    (folder / "held" / "results.json").write_text("{}")
    tokens = {"vocab_size": 63, "pad_token_id": PAD, "bos_token_id": EOS, "eos_token_id": EOS}
    sides = [f"{side}_{part}" for side in ("encoder", "decoder") for part in ("layers", "ffn_dim")]
    led = LEDConfig(
        **tokens,
        **dict.fromkeys(sides, 1),
        d_model=16,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        attention_window=4,
        max_encoder_position_embeddings=64,
        max_decoder_position_embeddings=64,
        decoder_start_token_id=EOS,
    )
    gpt2 = GPT2Config(**tokens, n_embd=16, n_layer=1, n_head=2)
    for model in (LEDForConditionalGeneration(led), GPT2LMHeadModel(gpt2)):
        path = folder / model.config.model_type
        model.save_pretrained(path)
        tokenizer().save_pretrained(path)
        names[model.config.model_type] = str(path)
    return {**names, "nowhere": str(folder / "nowhere")}


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Calls the program, sees that it refuses as it should, and returns what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")

    def calls(*arguments: object) -> str:
        before = content(tmp_path)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, "--out", tmp_path / "made" / "out", *arguments)
        assert end.value.code == 2
        assert content(tmp_path) == before
        said = capsys.readouterr()
        assert said.out == ""
        assert re.fullmatch("error: [^\n]+\n", said.err)
        return said.err

    return calls


def content(folder: Path) -> dict[Path, bytes | None]:
    """Every path below a folder with the bytes of the files."""
    paths = sorted(folder.rglob("*"))
    return {path: path.read_bytes() if path.is_file() else None for path in paths}


class TestBadInput:
    @pytest.mark.parametrize("case", REFUSALS)
    def test_it_is_one_line_and_nothing_is_made(
        self, case: str, given: dict[str, str], refused: Callable[..., str]
    ) -> None:
        arguments, answer = REFUSALS[case]
        assert re.search(answer, refused(*arguments.format_map(given).split()))

    def test_a_finished_run_is_kept_as_it_is(
        self, gate: Finished, refused: Callable[..., str], small: dict[str, Any]
    ) -> None:
        before = content(gate.out)
        assert "already holds files" in refused("--out", gate.out)
        assert content(gate.out) == before

    def test_a_cache_without_room_stays_as_it_is(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        small: dict[str, Any],
        refused: Callable[..., str],
    ) -> None:
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=999_999))
        monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))
        said = refused("--corpus", small["corpus"], "--host", "builtin")
        assert re.search(rf"no space left for the cache {tmp_path}.* 1 MB are free", said)

    def test_names_are_shown_as_they_are(self, refused: Callable[..., str]) -> None:
        for name in (":cat:", "[bold]no[/bold]", "two  spaces", "x" * 300):
            assert f"'{name}'" in refused("--corpus", name)

    @pytest.mark.parametrize("option", ["--steps=many", "--prefix=none", "--nonsense"])
    def test_what_does_not_parse_exits_with_2_also(
        self, option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, option)
        assert end.value.code == 2
        assert list(tmp_path.iterdir()) == []


def program(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Runs the program in a process of its own."""
    command = [sys.executable, "-m", "rlattn.experiments.ppo_translate", *arguments]
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "COLUMNS": "40", **settings.pop("env", {})}
    prefix = settings.pop("prefix", [])
    return subprocess.run(
        [*prefix, *command], capture_output=True, text=True, env=environment, **settings
    )


def test_a_process_of_its_own_says_one_line(small: dict[str, Any], tmp_path: Path) -> None:
    ended = program("--corpus", small["corpus"], "--host", "no-one/no-host", cwd=tmp_path)
    assert ended.returncode == 2
    assert re.fullmatch("error: host no-one/no-host: [^\n]+\n", ended.stderr)
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_cache_on_a_full_disk_is_refused(small: dict[str, Any], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=64k none {disk} && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    arguments = ("--corpus", small["corpus"], "--host", "builtin")
    environment = {"RLATTN_CACHE": str(disk / "cache")}
    ended = program(*arguments, prefix=prefix, env=environment, cwd=tmp_path)
    assert ended.returncode == 2
    assert re.fullmatch("error: no space left for the cache [^\n]+\n", ended.stderr)
    assert list(tmp_path.iterdir()) == [disk]


class TestHelp:
    @pytest.fixture
    def text(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> list[str]:
        monkeypatch.setenv("COLUMNS", "1000")
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, "--help")
        assert end.value.code == 0
        return [line.strip("│ \n") for line in capsys.readouterr().out.splitlines()]

    def test_every_option_is_explained(self, text: list[str]) -> None:
        page = "\n".join(text)
        for field in fields(Config):
            option = f"--{field.name.replace('_', '-')}"
            assert re.search(rf"^{option} [A-Z{{\[].*\s+[A-Z].*\.", page, re.MULTILINE)

    def test_it_says_how_to_call_it(self, text: list[str]) -> None:
        assert text[0].startswith("usage: python -m rlattn.experiments.ppo_translate ")

    def test_it_names_every_reward_and_action(self, text: list[str]) -> None:
        page = " ".join(text)
        ours = [name for name, term in REWARDS.items() if term.__module__.startswith("rlattn.")]
        told = [name for name in ours if "label" not in make_reward(name).needs]
        for name in (*told, *WRAPPERS, *FAMILIES):
            assert re.search(rf"\b{name}\b", page)

    def test_no_sentence_is_broken(self, text: list[str]) -> None:
        """Each line starts an option or is its only explanation."""
        start = next(i for i, line in enumerate(text) if line.startswith("-h"))
        lines = [line for line in text[start:] if line.strip("╰─╯-")]
        for before, line in pairwise(lines):
            assert line.startswith("-") or before.startswith("-")

    def test_it_does_not_speak_python(self, text: list[str]) -> None:
        assert "None" not in " ".join(text)
