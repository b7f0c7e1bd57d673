"""A task is named by plain data, and what it names is loaded once."""

from __future__ import annotations

from typing import Any

import pytest

from rlattn.corpora import load_corpus
from rlattn.envs import make_classification_core, make_core
from rlattn.errors import InputError
from rlattn.reading import Reading


def test_everything_has_a_name(task: dict[str, Any]) -> None:
    core = make_core(
        **task,
        split="valid",
        action="bias",
        reward={"chrf": 1.0, "likelihood": 0.5},
        prefix="reference",
        lanes=3,
        seed=4,
    )
    assert core.host.name == task["host"]
    assert core.family.name == "bias"
    assert core.prefix == "reference"
    assert core.reward.weights == {"chrf": 1.0, "likelihood": 0.5}
    assert core.lanes == 3
    core.reset()
    valid = load_corpus(task["corpus"]).valid
    assert {core.pair(lane) for lane in range(3)} <= set(valid)


def test_by_default_gates_are_rewarded_for_sparing_reads_without_loss(task: dict[str, Any]) -> None:
    core = make_core(**task)
    assert core.family.name == "gate"
    assert core.reward.weights["reads"] < 0 < max(core.reward.weights.values())
    assert make_core(**task, reads_target=0.2).reward.weights["reads"] < 0


def test_a_corpus_of_ones_own_wants_a_host(task: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"tsv:.* needs a host: .*builtin:5min"):
        make_core(task["corpus"])
    assert make_core().host.name == "embedded"


def test_hosts_and_corpora_are_loaded_once(task: dict[str, Any]) -> None:
    assert make_core(**task).host is make_core(**task, action="bias", lanes=2).host


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "dev"}, "unknown split 'dev'"),
        ({"action": "stare"}, "unknown action 'stare'"),
        ({"reward": {"luck": 1.0}}, "unknown reward 'luck'"),
        ({"reward": {"reads": float("nan")}}, "finite"),
        ({"reward": {"reads": {"start": 0.0}}}, "end, steps is missing"),
        ({"reads_target": 2.0}, "reads target"),
        ({"prefix": "none"}, "unknown prefix 'none'"),
        ({"host": "no/such-host"}, "host no/such-host"),
        ({"corpus": "locale:en-tlh"}, "tlh"),
        ({"lanes": 0}, "lanes 0"),
        ({"max_sorce": 9}, "unknown setting 'max_sorce': did you mean 'max_source'"),
    ],
)
def test_unknown_names_are_refused(
    task: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_core(**{**task, **settings})


def test_a_classification_has_names_too(labelled_task: dict[str, Any]) -> None:
    core = make_classification_core(
        **labelled_task, split="valid", action="topk:2", reads_target=0.2, steps=2, stop=False
    )
    assert core.host.name == labelled_task["host"]
    assert (core.family.spec, core.reading) == ("topk:2", Reading(2, stop=False))
    assert core.reward.weights["final:probability"] > 0 > core.reward.weights["reads"]
    assert core.host is make_classification_core(**labelled_task, lanes=2).host
    for settings, message in (({"prefix": "free"}, "prefix"), ({"split": "dev"}, "dev")):
        with pytest.raises(InputError, match=message):
            make_classification_core(**{**labelled_task, **settings})
