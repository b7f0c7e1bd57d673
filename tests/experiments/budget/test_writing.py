"""Who writes under a budget: as many tokens as the plain model, and no more reads than allowed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from rlattn.experiments.budget.writing import ACTIONS, PLAIN, Task, writer

TASK = Task(source=160, batch=3, budget=0.2, tokens=12, size="tiny", seed=0)


@pytest.mark.parametrize("contestant", [PLAIN, *ACTIONS])
def test_everyone_writes_all_tokens(contestant: str) -> None:
    assert writer(TASK, contestant)[0].work() == TASK.batch * TASK.tokens


@pytest.mark.parametrize("budget", [0.05, 0.3])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_policy_keeps_to_its_budget(action: str, budget: float) -> None:
    reads = writer(replace(TASK, budget=budget), action)[1]
    # A block of 16 of 160 positions is a tenth, and one is always open.
    assert reads == pytest.approx(max(budget, 0.1 if action == "gate:16" else 0.0), abs=0.06)


def test_the_plain_model_reads_everything() -> None:
    assert writer(TASK, PLAIN)[1] == 1.0


def test_the_generator_of_others_is_left_alone() -> None:
    before = torch.get_rng_state()
    writer(TASK, "gate")
    assert torch.equal(torch.get_rng_state(), before)
