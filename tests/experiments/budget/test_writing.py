"""Who writes under a budget: as many tokens as the plain model, and no more reads than allowed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedModel

from rlattn.experiments.budget.writing import ACTIONS, PLAIN, Task, fit, writer
from rlattn.inference import Trace, TrainedPolicy

TASK = Task(source=160, batch=3, budget=0.2, tokens=12, size="tiny", seed=0)


@pytest.mark.parametrize("contestant", [PLAIN, *ACTIONS])
def test_everyone_writes_all_tokens(contestant: str) -> None:
    written = writer(TASK, contestant, fit(TASK, contestant)).work()
    assert written == TASK.batch * TASK.tokens


@pytest.mark.parametrize("budget", [0.05, 0.3])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_policy_keeps_to_its_budget(action: str, budget: float) -> None:
    reads = fit(replace(TASK, budget=budget), action).reads
    # A block of 16 of 160 positions is a tenth, and one is always open.
    assert reads == pytest.approx(max(budget, 0.1 if action == "gate:16" else 0.0), abs=0.06)


def test_the_plain_model_reads_everything() -> None:
    assert fit(TASK, PLAIN).reads == 1.0


def test_what_was_fitted_holds_for_a_writer_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = fit(TASK, "gate")
    read: list[float] = []
    steer = TrainedPolicy.steer

    @contextmanager
    def watched(policy: TrainedPolicy, model: PreTrainedModel) -> Iterator[Trace]:
        with steer(policy, model) as trace:
            yield trace
        read.append(float(trace.reads_fraction.mean()))

    monkeypatch.setattr(TrainedPolicy, "steer", watched)
    writer(TASK, "gate", fitted).work()
    assert read == [pytest.approx(fitted.reads)]


def test_the_generator_of_others_is_left_alone() -> None:
    before = torch.get_rng_state()
    writer(TASK, "gate", fit(TASK, "gate"))
    assert torch.equal(torch.get_rng_state(), before)
