"""An episode of classification: what was opened adds up, and each step is labelled from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs import AttentionVecEnv, ClassificationCore
from rlattn.envs.rendering.watch import Watch
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost
from rlattn.steering import Allocation
from tests.envs.texts import LANES, labelled, make
from tests.hosts.classifier.small import LABELS, small_classifier, small_pooled
from tests.hosts.tiny import SOURCE

TERMS = {"gain": 1.0, "reads": -0.5, "brier": 0.1, "accuracy": 0.1, "final:log_likelihood": 0.1}


@pytest.fixture(scope="module", params=[small_classifier, small_pooled], ids=["whole", "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    built: ClassifierHost[Any] = request.param()
    return built


@dataclass
class Episode:
    """What a lane did with one text."""

    pair: Pair
    actions: list[Tensor] = field(default_factory=list)
    opened: list[Tensor] = field(default_factory=list)
    chosen: list[int] = field(default_factory=list)
    summary: dict[str, float] = field(default_factory=dict)


def play(core: ClassificationCore, steps: int, seed: int = 0) -> list[Episode]:
    """Random actions that open little; the episodes that came to their end."""
    chance = torch.Generator().manual_seed(seed)
    core.reset(seed)
    at = [Episode(core.pair(lane)) for lane in range(core.lanes)]
    finished = []
    for _ in range(steps):
        action = torch.rand(core.lanes, core.family.size(core.max_source), generator=chance)
        if core.family.name == "gate":
            action = (action < 0.3).float()
        transition = core.step(action)
        summaries = iter(transition.summaries)
        for lane, episode in enumerate(at):
            episode.actions.append(action[lane])
            episode.opened.append(transition.opened[lane])
            episode.chosen.append(int(transition.token[lane]))
            if transition.terminated[lane]:
                episode.summary = next(summaries)
                finished.append(episode)
                at[lane] = Episode(core.pair(lane))
        assert not transition.truncated.any()
    return finished


def test_each_step_is_labelled_from_all_that_was_opened(host: ClassifierHost[Any]) -> None:
    episodes = play(make(host, reward=TERMS), 30)
    assert len(episodes) > LANES
    for episode in episodes:
        encoded = host.encode(host.tokenize([episode.pair.source], SOURCE).ids)
        width = encoded.mask.shape[1]
        gold, known = LABELS.index(episode.pair.target), torch.zeros(1, width, dtype=torch.bool)
        sums = dict.fromkeys(TERMS, 0.0)
        log_prob = -math.log(len(LABELS))
        for opened, chosen in zip(episode.opened, episode.chosen, strict=True):
            assert not (known & opened[:width]).any(), "what is opened anew was shut before"
            known = known | opened[:width]
            said = host.classify(encoded, Allocation("gate", known))[0].log_softmax(-1)
            assert chosen == int(said.argmax())
            truth = torch.eye(len(LABELS))[gold]
            sums["gain"] += float(said[gold]) - log_prob
            sums["brier"] -= float((said.exp() - truth).square().sum())
            sums["accuracy"] += chosen == gold
            log_prob = float(said[gold])
        sums["reads"] = float(known.sum()) / width
        sums["final:log_likelihood"] = log_prob
        found = {name: episode.summary[f"reward_{name}"] for name in TERMS}
        assert found == pytest.approx(sums, abs=1e-4)
        # Over an episode, gains are what is known at its end over a guess.
        assert sums["gain"] == pytest.approx(log_prob + math.log(len(LABELS)), abs=1e-4)
        assert episode.summary["reads_fraction"] == pytest.approx(sums["reads"], abs=1e-6)
        total = sum(weight * sums[name] for name, weight in TERMS.items())
        assert episode.summary["r"] == pytest.approx(total, abs=1e-4)


def test_an_action_that_opens_nothing_new_ends_the_episode(host: ClassifierHost[Any]) -> None:
    core = make(host, steps=4)
    core.reset(0)
    first = torch.zeros(LANES, SOURCE)
    first[:, 0] = 1.0
    assert not core.step(first).terminated.any()
    again = core.step(first)
    assert again.terminated.all()
    assert [summary["l"] for summary in again.summaries] == [2] * LANES
    assert not again.opened.any()
    assert not make_stepped(host, first, stop=False).terminated.any()


def make_stepped(host: ClassifierHost[Any], action: Tensor, **changes: Any) -> Any:
    """What the second step of the same action led to."""
    core = make(host, steps=4, **changes)
    core.reset(0)
    core.step(action)
    return core.step(action)


def test_without_a_stop_all_steps_are_taken(host: ClassifierHost[Any]) -> None:
    episodes = play(make(host, stop=False), 12)
    assert {episode.summary["l"] for episode in episodes} == {3}


@pytest.mark.parametrize("action", ["bias", "simplex", "mix", "sharpness"])
def test_softer_allocations_read_all_once_and_the_latest_counts(
    host: ClassifierHost[Any], action: str
) -> None:
    core = make(host, action=action, reward=TERMS)
    for episode in play(core, 9):
        assert episode.summary["l"] == 3, "nothing new is opened, and that ends nothing"
        assert episode.summary["reads_fraction"] == pytest.approx(1.0)
        encoded = host.encode(host.tokenize([episode.pair.source], SOURCE).ids)
        last = core.family.narrow(episode.actions[-1][None], encoded.mask.shape[1])
        said = host.classify(encoded, core.family.allocation(last, encoded.mask))[0]
        gold = LABELS.index(episode.pair.target)
        found = episode.summary["reward_final:log_likelihood"]
        assert found == pytest.approx(float(said.log_softmax(-1)[gold]), abs=1e-4)


@pytest.mark.parametrize("action", ["gate", "gate:2", "position", "topk:2", "window", "bias"])
def test_lanes_know_nothing_of_each_other(host: ClassifierHost[Any], action: str) -> None:
    reward = {**TERMS, "likelihood": 1.0, "agreement": 1.0}
    core = make(host, action=action, reward=reward)
    space = core.family.space(SOURCE)
    space.seed(0)
    core.reset(0)
    actions = [torch.as_tensor(np.stack([space.sample() for _ in range(LANES)])) for _ in range(3)]
    pairs = [core.pair(lane) for lane in range(LANES)]
    together = [core.step(action.float()) for action in actions]
    ended = np.zeros(LANES, bool)
    for lane, pair in enumerate(pairs):
        alone = core.over([pair], lanes=1)
        alone.reset(0)
        for action, beside in zip(actions, together, strict=True):
            if ended[lane]:
                break
            step = alone.step(action[lane : lane + 1].float())
            assert step.reward[0] == pytest.approx(beside.reward[lane], abs=1e-4)
            assert step.terminated[0] == beside.terminated[lane]
            ended[lane] = beside.terminated[lane]
    assert ended.all()


def test_what_is_seen(host: ClassifierHost[Any]) -> None:
    core = make(host, stop=False)
    view = core.reset(0)
    for name in ("state", "attention", "coverage", "token"):
        assert not view[name].any(), "nothing is known yet"
    lengths, known = core.mask.sum(-1), torch.zeros(LANES, SOURCE)
    for number in range(1, 3):
        action = (torch.rand(LANES, SOURCE) < 0.4).float()
        transition = core.step(action)
        new = torch.zeros(LANES, SOURCE)
        new[:, : transition.opened.shape[1]] = transition.opened.float()
        known = known + new
        view = transition.view
        assert torch.equal(view["coverage"], known)
        assert torch.equal(view["attention"] > 0, new > 0)
        assert torch.allclose(view["attention"].sum(-1), new.any(-1).float())
        labels = len(LABELS)
        said = view["state"][:, : labels + 1]
        assert torch.equal(view["state"][:, labels + 1 : 2 * labels + 2], 1 - said)
        assert torch.allclose(said[:, :labels].sum(-1), torch.ones(LANES))
        assert said[:, :labels].argmax(-1).tolist() == transition.token.tolist()
        assert torch.allclose(said[:, labels], known.sum(-1) / lengths)
        embedded = core.embedding.gather(view["token"])
        assert embedded.argmax(-1).tolist() == [number] * LANES


def test_the_same_seed_is_the_same_run(host: ClassifierHost[Any]) -> None:
    def run(seed: int) -> list[tuple[Pair, float]]:
        return [(one.pair, one.summary["r"]) for one in play(make(host), 20, seed)]

    assert run(1) == run(1)
    assert [pair for pair, _ in run(1)] != [pair for pair, _ in run(2)]


def test_every_text_is_drawn_once_in_an_epoch(host: ClassifierHost[Any]) -> None:
    core = make(host, split=labelled(32), lanes=4, steps=1)
    core.reset(0)
    drawn = [core.pair(lane) for lane in range(4)]
    for _ in range(7):
        core.step(torch.ones(4, SOURCE))
        drawn += [core.pair(lane) for lane in range(4)]
    assert sorted(drawn) == sorted(labelled(32))


@pytest.mark.parametrize("handles", [True, False])
def test_the_stable_baselines_face_is_the_core(host: ClassifierHost[Any], handles: bool) -> None:
    env, core = AttentionVecEnv(make(host), handles=handles), make(host)
    env.action_space.seed(0)
    env.seed(5)
    seen, view = env.reset(), core.reset(5)
    for _ in range(15):
        for lane in range(LANES):
            assert env.observation_space.contains({key: seen[key][lane] for key in seen})
        for key in ("mask", "state", "attention", "coverage"):
            assert np.allclose(seen[key], view[key].numpy(), atol=1e-5)
        taken = np.stack([env.action_space.sample() for _ in range(LANES)])
        seen, reward, done, infos = env.step(taken)
        transition = core.step(torch.from_numpy(taken).float())
        view = transition.view
        assert np.allclose(reward, transition.reward, atol=1e-5)
        assert np.array_equal(done, transition.terminated)
        told = [info["episode"] for info in infos if info]
        assert told == [pytest.approx(summary, abs=1e-4) for summary in transition.summaries]


def test_a_watch_shows_labels(host: ClassifierHost[Any]) -> None:
    core = make(host, stop=False)
    watch = Watch(core)
    core.reset(0)
    watch.restart()
    chosen: list[str] = []
    for _ in range(3):
        transition = watch.step(torch.ones(LANES, SOURCE))
        chosen.append(LABELS[transition.token[1]])
        alignment = watch.alignment(1)
        assert alignment.target == chosen
        assert alignment.opened.sum(-1).tolist() == [len(alignment.source)] + [0] * (
            len(chosen) - 1
        )


def test_a_target_of_reads_is_for_a_text(host: ClassifierHost[Any]) -> None:
    """All of a text is read in one step of three: more than half of it, though not a step."""
    core = make(host, stop=False, reward={"reads": {"target": 0.5, "price": 1.0, "sentences": 3}})
    core.reset(0)
    for _ in range(3):
        core.step(torch.ones(LANES, SOURCE))
    assert core.reward.weights["reads"] == -1.0, "the price stays"
    per_step = make(
        host,
        stop=False,
        reward={"reads": {"target": 0.5, "price": 1.0, "sentences": 3, "per": "step"}},
    )
    per_step.reset(0)
    for _ in range(3):
        per_step.step(torch.ones(LANES, SOURCE))
    assert per_step.reward.weights["reads"] == 0.0, "a third a step"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": [Pair("ba", "superb")]}, "label 'superb', and host tiny.* bad, fair, good"),
        ({"split": []}, "no sentences"),
        ({"steps": 0}, "steps 0: expected at least 1"),
        ({"lanes": 0}, "lanes 0"),
        ({"max_source": 1000}, "takes at most"),
        ({"action": "per-layer:gate"}, "has no cross-attention, .*: use gate"),
    ],
)
def test_what_cannot_be_is_refused(
    host: ClassifierHost[Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make(host, **changes)


def test_a_step_before_the_first_reset_is_refused(host: ClassifierHost[Any]) -> None:
    with pytest.raises(InputError, match="before the first reset"):
        make(host).step(torch.ones(LANES, SOURCE))
