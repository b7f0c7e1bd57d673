"""Gradients through a host that hides nothing find the known alignment, as PPO does."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.actions import make_family
from rlattn.agents import GradientSettings, Meter, Validator, learn_gradient
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, Translations, translate
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.learning.local_host import POSITIONS, local_host
from tests.learning.tasks import TASKS, Task

LIMITS = {"max_source": POSITIONS, "max_target": POSITIONS}


def learned(
    host: Seq2SeqHost, task: Task, action: str, steps: int, **settings: Any
) -> TrainedPolicy:
    """The policy at the end of a training; it is validated there and before, on few sentences."""
    torch.manual_seed(0)
    policy = AttentionPolicy(
        PolicyConfig(make_family(action).fit(host).spec, host.d_model, host.d_state)
    )
    validator = Validator(
        task.pairs(2, seed=3),
        Meter(host),
        native_bleu=100.0,
        translate=partial(translate, host, **LIMITS),
    )
    learn_gradient(
        host,
        task.pairs(1000, seed=1),
        policy,
        GradientSettings(**settings),
        steps=steps,
        validator=validator,
        every=steps,
        lanes=16,
        progress=False,
        **LIMITS,
    )
    return TrainedPolicy(policy, host.name, host.fingerprint)


def written(policy: TrainedPolicy, host: Seq2SeqHost, task: Task) -> tuple[float, Translations]:
    """What it writes of other strings than those learned from, and the share that is right."""
    pairs = task.pairs(200, seed=2)
    output = translate(host, [pair.source for pair in pairs], policy, trace=True, **LIMITS)
    right = [text == pair.target for text, pair in zip(output.texts, pairs, strict=True)]
    return float(np.mean(right)), output


def on_the_alignment(rows: list[np.ndarray], task: Task) -> float:
    """How much of what is in rows `[target, source]`, but for their end, is where it should be."""
    hits = sum(row[:-1][range(len(row) - 1), task.aligned[: len(row) - 1]].sum() for row in rows)
    return float(hits / sum(row[:-1].sum() for row in rows))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "loss", "steps"),
    [
        ("copy", "agreement", 8_000),
        ("copy", "reference", 8_000),
        ("reversal", "agreement", 16_000),
    ],
)
def test_gates_close_down_to_the_alignment(name: str, loss: str, steps: int) -> None:
    task = TASKS[name]
    host = local_host(task.aligned)
    policy = learned(host, task, "gate", steps, loss=loss, reads_weight=-1.0)
    right, output = written(policy, host, task)
    assert right > 0.9
    assert on_the_alignment([each.opened for each in output.alignments], task) > 0.9


@pytest.mark.slow
def test_gates_come_down_to_what_they_may_read() -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned)
    policy = learned(host, task, "gate", 12_000, loss="agreement", reads_target=0.3)
    right, output = written(policy, host, task)
    # A price never rewards: what need not be read again stays shut.
    assert np.mean(output.reads_fraction) < 0.32
    assert right > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("action", "through_time"),
    [("bias", False), ("bias", True), ("simplex", False), ("mix", False)],
)
def test_what_shifts_attention_makes_up_for_looking_everywhere_alike(
    action: str, through_time: bool
) -> None:
    task = TASKS["copy"]
    host = local_host(None)
    policy = learned(host, task, action, 8_000, through_time=through_time)
    right, _ = written(policy, host, task)
    assert right > 0.9


@pytest.mark.slow
def test_sharpness_makes_a_blunt_host_look_hard() -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned, 0.5)
    looks = []
    for steps in (1, 4_000):
        _, output = written(learned(host, task, "sharpness", steps), host, task)
        looks.append(on_the_alignment([each.attention for each in output.alignments], task))
    assert looks[0] < 0.4
    assert looks[1] > 0.8
