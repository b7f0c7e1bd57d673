"""What the core tells its rewards of a step, and what it says when they go wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.errors import ContractError
from rlattn.hosts import Seq2SeqHost
from rlattn.rewards import Step, TotalReward, register_reward, register_scorer
from tests.envs.cores import LANES, ended, make, play, random_action

EVERY_PREFIX = pytest.mark.parametrize("prefix", ["free", "reference", "host"])


class Overheard(TotalReward):
    """A reward that keeps the steps it is told of."""

    def __call__(self, step: Step) -> tuple[Tensor, Tensor]:
        self.step = step
        return super().__call__(step)


@EVERY_PREFIX
def test_a_step_is_told_as_it_was(each_host: Seq2SeqHost, prefix: str) -> None:
    overheard = Overheard({"spread:chrf": 1.0, "chrf": 1.0})
    core, rng = make(each_host, prefix=prefix, reward=overheard), np.random.default_rng(0)
    view = core.reset(0)
    every = np.arange(LANES)
    ages = np.zeros(LANES, np.int64)
    for _ in range(30):
        pairs_now, before = [core.pair(i) for i in every], core.written(every)
        action, mask = random_action(core, rng), view["mask"]
        transition = core.step(action)
        step, ages, done = overheard.step, ages + 1, ended(transition)
        width = step.mask.shape[1]
        assert torch.equal(step.mask, mask[:, :width])
        assert not mask[:, width:].any()
        assert step.age.tolist() == ages.tolist()
        assert step.done.tolist() == done.tolist()
        assert torch.equal(step.opened, core.family.opened(action[:, :width], step.mask))
        assert torch.equal(step.token, step.logits.argmax(-1)) or prefix != "free"
        going = torch.from_numpy(~done)
        seen = transition.view
        assert torch.equal(step.attention[going], seen["attention"][going][:, :width])
        written = [[*old, int(new)] for old, new in zip(before, step.token, strict=True)]
        assert step.partial.lanes.tolist() == every.tolist()
        assert step.partial.hypotheses == each_host.detokenize(written)
        assert step.partial.sources == [pair.source for pair in pairs_now]
        assert step.partial.references == [pair.target for pair in pairs_now]
        assert step.finished.lanes.tolist() == np.flatnonzero(done).tolist()
        assert step.finished.hypotheses == [
            step.partial.hypotheses[i] for i in np.flatnonzero(done)
        ]
        view, ages = seen, np.where(done, 0, ages)


@EVERY_PREFIX
def test_a_spread_score_comes_to_the_score(host: Seq2SeqHost, prefix: str) -> None:
    core = make(host, prefix=prefix, reward={"chrf": 1.0, "spread:chrf": 1.0})
    episodes = play(core, 60)
    assert len(episodes) > 5
    for episode in episodes:
        score = episode.summary["reward_chrf"]
        assert episode.summary["reward_spread:chrf"] == pytest.approx(score, abs=1e-5)


def test_coverage_comes_to_what_was_covered(host: Seq2SeqHost) -> None:
    core, rng = make(host, reward={"coverage": 1.0}), np.random.default_rng(0)
    core.reset(0)
    found = 0
    for _ in range(40):
        transition = core.step(random_action(core, rng))
        if transition.final_view is None:
            continue
        final = transition.final_view
        expected = final["coverage"].clamp(max=1.0).sum(-1) / final["mask"].sum(-1)
        sums = [summary["reward_coverage"] for summary in transition.summaries]
        assert sums == pytest.approx(expected.tolist(), abs=1e-5)
        found += len(sums)
    assert found > 5


def test_length_counts_the_steps(host: Seq2SeqHost) -> None:
    for episode in play(make(host, reward={"length": 1.0}), 40):
        assert episode.summary["reward_length"] == episode.summary["l"]


def test_a_schedule_counts_the_steps_of_all_lanes_since_the_seed(host: Seq2SeqHost) -> None:
    core = make(host, reward={"reads": {"start": 0.0, "end": -1.0, "steps": 10 * LANES}})
    play(core, 5)
    assert core.reward.weights["reads"] == pytest.approx(-0.5)
    core.reset()
    assert core.reward.weights["reads"] == pytest.approx(-0.5), "no new seed, no new beginning"
    core.reset(seed=0)
    assert core.reward.weights["reads"] == 0.0
    play(core, 20)
    assert core.reward.weights["reads"] == -1.0


def test_a_seed_fixes_what_is_shuffled(host: Seq2SeqHost) -> None:
    first, again = (
        [episode.rewards for episode in play(make(host, reward={"shuffled:fidelity": 1.0}), 30)]
        for _ in range(2)
    )
    assert len(first) > 3
    assert all(a == pytest.approx(b, abs=1e-4) for a, b in zip(first, again, strict=True))


@pytest.mark.usefixtures("_registered_only_here")
def test_mistakes_are_told_at_the_first_step(host: Seq2SeqHost) -> None:
    @register_reward
    def of_the_batch(step: Step) -> Tensor:
        return step.reads_fraction.mean()

    @register_reward
    def undefined(step: Step) -> Tensor:
        return torch.log(step.reads_fraction - 2)

    @register_reward
    def unasked(step: Step) -> Tensor:
        return step.native_log_prob(step.token)

    @register_scorer
    def one_for_all(sources: object, hypotheses: object, references: object) -> list[float]:
        return [1.0]

    @register_scorer
    def endless(sources: object, hypotheses: list[str], references: object) -> list[float]:
        return [float("inf") if not hypothesis else 1.0 for hypothesis in hypotheses]

    mistakes = {
        "of_the_batch": r"'of_the_batch' gave a tensor of shape \[\]",
        "undefined": r"'undefined' gave nan in lane 0 \(3 of 3 lanes\)",
        "unasked": r"'unasked' reads step.native_logits and did not ask for it",
        "one_for_all": r"'one_for_all' gave numbers of shape \[1\] for 3 sentences",
        "shuffled:one_for_all": r"'one_for_all' gave numbers of shape \[1\] for 3 sentences",
        "endless": r"'endless' gave inf for '', where",
        "spread:one_for_all": r"'one_for_all' gave numbers of shape \[1\] for 3 sentences",
    }
    for name, message in mistakes.items():
        core = make(host, prefix="free", reward={name: 1.0})
        core.reset(0)
        with pytest.raises(ContractError, match=message):
            core.step(random_action(core, np.random.default_rng(0)))


@pytest.mark.usefixtures("_registered_only_here")
def test_what_goes_wrong_is_told_with_its_sentence(host: Seq2SeqHost) -> None:
    @register_reward
    def late(step: Step) -> Tensor:
        if (step.age == 3).any():
            raise KeyError("nowhere")
        return torch.zeros_like(step.reads_fraction)

    @register_reward
    def broken(step: Step) -> Tensor:
        return torch.where(step.age == 3, torch.nan, 0.0)

    for name, problem in (("late", "raised KeyError"), ("broken", "gave nan in lane")):
        core, rng = make(host, reward={name: 1.0}), np.random.default_rng(0)
        core.reset(0)
        while not (core.ages == 2).any():
            core.step(random_action(core, rng))
        lane = int((core.ages == 2).argmax())
        pair = core.pair(lane)
        with pytest.raises(ContractError, match=f"the reward '{name}' {problem}") as raised:
            core.step(random_action(core, rng))
        assert raised.value.lane == lane
        assert f"step 3 of the source {pair.source!r}" in str(raised.value)
        assert f"whose target is {pair.target!r}" in str(raised.value)
