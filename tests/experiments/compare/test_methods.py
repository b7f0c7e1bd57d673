"""Every method trains and translates, on every objective that it can be asked for."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from rlattn.actions import segments
from rlattn.corpora import Layout, NoisyPairs
from rlattn.errors import InputError
from rlattn.experiments.compare.learning import POLICY, make_policy
from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.methods import METHODS, register_method
from rlattn.experiments.compare.recorder import CURVE
from rlattn.experiments.compare.scene import Budget, Scene
from rlattn.experiments.compare.tasks import Task, make_tasks
from rlattn.hosts import Seq2SeqHost
from tests.experiments.small import LIMITS, taught

TASKS = {"quality": Task("quality"), "budget": Task("budget", 0.5), "noise": Task("noise")}
SHIPPED = [
    (name, objective)
    for name, method in METHODS.items()
    for objective in method.objectives or (None,)
]


def scene(host: Seq2SeqHost, folder: Path, task: Task | None = None, **changes: object) -> Scene:
    pairs = taught(host, 60)
    if task == Task("noise"):
        pairs = list(NoisyPairs(pairs, "train", 0, Layout("behind")))
    budget = Budget(
        **{
            **{"seeds": 1, "steps": 64, "minutes": None, "lanes": 4, **LIMITS},
            **{"valid_sentences": 6, "validations": 2, "test_sentences": None},
            "bound_sentences": 3,
            **changes,
        }
    )
    settings = {
        name: {objective: {"rollout": 8} for objective in TASKS} for name in ("ppo", "reinforce")
    }
    return Scene(host, pairs[6:], pairs[:6], task, 0, budget, settings, 50.0, folder)


@pytest.fixture
def host(host: Seq2SeqHost, monkeypatch: pytest.MonkeyPatch) -> Seq2SeqHost:
    """One for which some word ends a sentence."""
    monkeypatch.setattr(segments, "_END", re.compile("^b"))
    return host


@pytest.mark.parametrize(("name", "objective"), SHIPPED)
def test_a_method_trains_and_translates(
    name: str, objective: str | None, host: Seq2SeqHost, tmp_path: Path
) -> None:
    if name in ("entmax15", "sparsemax") and not find_spec("entmax"):
        pytest.skip("needs the entmax library")
    task = None if objective is None else TASKS[objective]
    here, method = scene(host, tmp_path, task), METHODS[name]
    outcome = method.train(here)
    written = method.write(here, outcome.found, here.valid, True)
    assert len(written.texts) == len(written.reads_fraction) == 6
    assert len(written.alignments) == (0 if name in ("weights", "oracle-gate", "clean") else 6)
    assert all(0 < reads <= 1 for reads in written.reads_fraction)
    learned = method.kind in ("gradient", "rl", "control")
    assert (tmp_path / POLICY).exists() == (learned and name != "weights")
    assert bool(outcome.env_steps) == learned
    if learned:
        assert outcome.env_steps >= 64
        assert outcome.curve[0].env_steps == 0
        assert outcome.best in outcome.curve
        assert (tmp_path / CURVE).exists()
        assert outcome.spent.forwards >= 64


@pytest.mark.parametrize("name", ["topk", "topp", "diagonal", "indexer"])
def test_a_share_is_what_the_task_asks_for(name: str, host: Seq2SeqHost, tmp_path: Path) -> None:
    here = scene(host, tmp_path, TASKS["budget"])
    assert 0.4 < METHODS[name].train(here).best.reads_fraction < 0.75


def test_a_rule_without_a_target_takes_what_is_best_on_validation(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    here, method = scene(host, tmp_path, TASKS["quality"]), METHODS["topk"]
    outcome = method.train(here)
    assert set(outcome.found) == {"reads"}
    for reads in (0.5, 0.3, 0.2, 0.1):
        at = scene(host, tmp_path, Task("budget", reads))
        assert method.train(at).best.bleu <= outcome.best.bleu


def test_all_learners_of_a_seed_start_from_one_network(host: Seq2SeqHost, tmp_path: Path) -> None:
    here = scene(host, tmp_path, TASKS["budget"])
    torch.rand(3)  # chance before it plays no part
    one, same = make_policy(here, "gate"), make_policy(here, "gate")
    for key, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[key])


def test_minutes_are_as_many_steps_as_a_learner_takes_in_them(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    here = scene(host, tmp_path, TASKS["budget"], steps=None, minutes=0.02)
    outcome = METHODS["ppo"].train(here)
    assert outcome.env_steps > 0
    assert 0.1 < outcome.spent.seconds < 60


@pytest.mark.parametrize("objective", TASKS)
def test_a_warm_ppo_is_one_training_half_of_it_by_ppo(
    objective: str, host: Seq2SeqHost, tmp_path: Path
) -> None:
    here = scene(host, tmp_path, TASKS[objective], steps=400)
    gradient = METHODS["gradient"].train(scene(host, tmp_path, TASKS[objective], steps=200))
    outcome = METHODS["warm-ppo"].train(here)
    steps = [point.env_steps for point in outcome.curve]
    assert steps == sorted(steps)
    assert outcome.spent.backwards == gradient.spent.backwards
    assert 200 <= gradient.env_steps <= outcome.env_steps / 2 + 32
    assert outcome.env_steps >= 400


def test_a_name_is_given_once() -> None:
    native = METHODS["native"]
    with pytest.raises(InputError, match="'native' is already registered"):
        register_method(Method("native", "rule", native.train, native.write))


def test_who_knows_the_noise_is_as_good_as_without_it(host: Seq2SeqHost, tmp_path: Path) -> None:
    here = scene(host, tmp_path, Task("noise"))
    clean = METHODS["native"].train(scene(host, tmp_path)).best
    assert METHODS["clean"].train(here).best == clean
    assert METHODS["native"].train(here).best.bleu < clean.bleu
    assert METHODS["oracle-gate"].train(here).best.reads_fraction < 0.8


def test_each_target_of_reads_is_a_task_of_its_own() -> None:
    tasks = make_tasks(("quality", "budget"), (0.5, 0.125))
    assert [task.name for task in tasks] == ["quality", "budget-50", "budget-12.5"]
    assert [task.family for task in tasks] == ["bias", "gate", "gate"]
