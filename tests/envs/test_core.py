"""The batched core computes what a slow twin computes, one sentence and one token at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs import TranslationCore
from rlattn.envs.store import RowStore
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.observation import compact
from rlattn.rewards import Chrf
from rlattn.steering import bands
from tests.envs.cores import LANES, Episode, ended, make, native, play, random_action, steered
from tests.hosts.tiny import EOS, SOURCE, TARGET, generate, pairs, tiny_host

EVERY_ACTION = pytest.mark.parametrize("action", ["gate", "bias"])
EVERY_PREFIX = pytest.mark.parametrize("prefix", ["free", "reference", "host"])


def fed_back(host: Seq2SeqHost, core: TranslationCore, episode: Episode) -> list[int]:
    """The target tokens that were fed back in an episode."""
    if core.prefix == "reference":
        return host.tokenize_target([episode.pair.target], TARGET).ids[0]
    if core.prefix == "host":
        return generate(host, [episode.pair.source])[0]
    return steered(host, core.family, episode.pair, episode.actions).argmax(-1).tolist()


def twin_terms(host: Seq2SeqHost, core: TranslationCore, episode: Episode) -> Tensor:
    """The slow twin's fidelity, reads and likelihood, `[steps, 3]`."""
    targets = fed_back(host, core, episode)
    ours = steered(host, core.family, episode.pair, episode.actions, targets)
    theirs = native(host, episode.pair, [host.start_token, *targets[:-1]])
    length = len(episode.pair.source.split()) + 1
    mask = torch.ones(1, length, dtype=torch.bool)
    reads = [core.family.reads(action[None, :length], mask) for action in episode.actions]
    fidelity = (theirs.exp() * (ours - theirs)).sum(-1)
    likelihood = (ours - theirs).gather(1, torch.tensor(targets)[:, None])[:, 0]
    return torch.stack([fidelity, torch.cat(reads) / length, likelihood], dim=1)


@EVERY_ACTION
@EVERY_PREFIX
@pytest.mark.parametrize("band", [bands.BAND, 1], ids="band of {}".format)
def test_rewards_are_those_of_a_slow_twin(
    each_host: Seq2SeqHost,
    prefix: str,
    action: str,
    band: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bands, "BAND", band)
    weights = {"fidelity": 1.0, "reads": -0.5}
    if prefix == "reference":
        weights["likelihood"] = 0.25
    core = make(each_host, prefix=prefix, action=action, reward=weights)
    episodes = play(core, 2 * TARGET)
    assert len(episodes) > 3
    for episode in episodes:
        terms = twin_terms(each_host, core, episode)[:, : len(weights)]
        total = terms @ torch.tensor(list(weights.values()))
        assert torch.allclose(torch.tensor(episode.rewards), total, atol=1e-4)
        sums = terms.sum(0).tolist()
        expected = {
            "r": float(total.sum()),
            "l": len(total),
            "reads_fraction": sums[1] / len(total),
            **{f"reward_{name}": value for name, value in zip(weights, sums, strict=True)},
        }
        assert episode.summary == pytest.approx(expected, abs=1e-3)


@EVERY_ACTION
def test_many_lanes_earn_what_each_earns_alone(host: Seq2SeqHost, action: str) -> None:
    many = make(host, prefix="free", action=action, lanes=8)
    episodes = play(many, TARGET)
    assert len(episodes) > 7
    for episode in episodes:
        alone = make(host, prefix="free", action=action, lanes=1, split=[episode.pair])
        alone.reset(0)
        for step, taken in enumerate(episode.actions):
            transition = alone.step(taken[None])
            assert transition.reward[0] == pytest.approx(episode.rewards[step], abs=1e-4)
        assert transition.terminated[0] == episode.terminated
        assert transition.truncated[0] == episode.truncated
        assert transition.summaries[0] == pytest.approx(episode.summary, abs=1e-3)


@EVERY_PREFIX
def test_a_sentence_terminates_with_its_end_or_is_truncated(host: Seq2SeqHost, prefix: str) -> None:
    core = make(host, prefix=prefix, max_target=6)
    episodes = play(core, 60)
    for episode in episodes:
        assert episode.terminated != episode.truncated
        assert len(episode.actions) <= 6
        if episode.truncated:
            assert len(episode.actions) == 6
        elif prefix == "reference":
            assert len(episode.actions) == min(6, len(episode.pair.target.split()) + 1)
    assert len({len(episode.actions) for episode in episodes}) > 2
    assert any(episode.truncated for episode in episodes) == (prefix != "reference")


def test_free_mode_feeds_back_what_was_written(each_host: Seq2SeqHost) -> None:
    core, rng = make(each_host, prefix="free"), np.random.default_rng(0)
    core.reset(0)
    every = np.arange(LANES)
    for _ in range(30):
        before = core.written(every)
        view = core.view()
        for lane, tokens in enumerate(before):
            fed = tokens[-1] if tokens else each_host.start_token
            assert view["token"][lane] == fed
        done = ended(core.step(random_action(core, rng)))
        for lane in every[~done]:
            assert core.written(every)[lane][:-1] == before[lane]
            assert core.written(every)[lane][-1] != EOS


@EVERY_ACTION
def test_the_neutral_action_is_native(each_host: Seq2SeqHost, action: str) -> None:
    split = pairs(8)
    core = make(each_host, prefix="free", action=action, split=split)
    neutral = torch.full((LANES, SOURCE), 1.0 if action == "gate" else 0.0)
    own = dict(zip(split, generate(each_host, [pair.source for pair in split]), strict=True))
    core.reset(0)
    for _ in range(20):
        current = [core.pair(lane) for lane in range(LANES)]
        written = core.written(np.arange(LANES))
        transition = core.step(neutral)
        assert np.abs(transition.reward + 0.5).max() < 1e-5  # all is read, nothing is lost
        for pair, tokens, done in zip(current, written, ended(transition), strict=True):
            assert tokens == own[pair][: len(tokens)]
            assert done == (len(own[pair]) == len(tokens) + 1)


def test_lanes_restart_at_once(host: Seq2SeqHost) -> None:
    core, rng = make(host, prefix="free"), np.random.default_rng(0)
    core.reset(0)
    restarts = 0
    for _ in range(40):
        transition = core.step(random_action(core, rng))
        lanes = np.flatnonzero(ended(transition))
        assert len(transition.summaries) == len(lanes)
        assert (transition.final_view is None) == (len(lanes) == 0)
        for row, lane in enumerate(lanes):
            restarts += 1
            assert not transition.view["attention"][lane].any()
            assert not transition.view["coverage"][lane].any()
            assert not transition.view["state"][lane].any()
            source = core.pair(lane).source.split()
            assert transition.view["mask"][lane].sum() == len(source) + 1
            assert core.written(np.array([lane])) == [[]]
            assert transition.final_view is not None
            length = transition.summaries[row]["l"]
            assert transition.final_view["coverage"][row].sum() == pytest.approx(length, abs=1e-4)
    assert restarts > 10


@EVERY_ACTION
def test_observations_say_where_the_host_looked(each_host: Seq2SeqHost, action: str) -> None:
    core, rng = make(each_host, action=action), np.random.default_rng(0)
    view = core.reset(0)
    for _ in range(30):
        taken, mask, coverage = random_action(core, rng), view["mask"], view["coverage"]
        transition = core.step(taken)
        view, going = transition.view, torch.from_numpy(~ended(transition))
        looked = view["attention"][going]
        assert torch.allclose(looked.sum(-1), torch.ones(len(looked)), atol=1e-5)
        assert torch.equal(view["coverage"][going], coverage[going] + looked)
        allowed = mask[going]
        if action == "gate":
            allowed = core.family.allocation(taken, mask).values[going]
        assert not looked[~allowed].any()


def test_handles_lead_to_the_memory(each_host: Seq2SeqHost) -> None:
    core, rng = make(each_host), np.random.default_rng(0)
    core.reset(0)
    for _ in range(15):
        core.step(random_action(core, rng))
        memory = core.memory()
        assert memory.shape == (LANES, SOURCE, each_host.d_model)
        for lane in range(LANES):
            ids = each_host.tokenize([core.pair(lane).source], SOURCE).ids
            length = len(ids[0])
            expected = compact(each_host.encode(ids).memory[0]).float()
            assert torch.allclose(memory[lane, :length].float(), expected, atol=2e-2)
            assert not memory[lane, length:].any()
            store, first = core.memory_handles[lane]
            rows = RowStore.find(int(store)).gather(torch.arange(first, first + length))
            assert torch.equal(rows, memory[lane, :length])


def test_later_steps_do_not_change_what_was_seen(host: Seq2SeqHost) -> None:
    core, rng = make(host), np.random.default_rng(0)
    seen = []
    view = core.reset(0)
    for _ in range(30):
        seen.append((view, {name: tensor.clone() for name, tensor in view.items()}))
        transition = core.step(random_action(core, rng))
        view = transition.view
        if (final := transition.final_view) is not None:
            seen.append((final, {name: tensor.clone() for name, tensor in final.items()}))
    for given, kept in seen:
        assert all(torch.equal(given[name], kept[name]) for name in kept)


def trace(core: TranslationCore, seed: int | None = 0) -> list[Tensor]:
    """Everything that some steps of random actions give."""
    rng = np.random.default_rng(7)
    numbers = list(core.reset(seed).values())
    for _ in range(15):
        transition = core.step(random_action(core, rng))
        numbers += [torch.from_numpy(transition.reward), *transition.view.values()]
    return numbers


@EVERY_PREFIX
def test_a_seed_fixes_everything(host: Seq2SeqHost, prefix: str) -> None:
    core = make(host, prefix=prefix)
    first = trace(core)
    for again in (trace(make(host, prefix=prefix)), trace(core)):
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(first, again, strict=True))
    other = trace(make(host, prefix=prefix), seed=1)
    assert not all(torch.allclose(a, b, atol=1e-5) for a, b in zip(first, other, strict=True))


def test_without_a_seed_the_order_goes_on(host: Seq2SeqHost) -> None:
    core, started = make(host, seed=5), []
    for _ in range(2):
        core.reset()
        started += [core.pair(lane) for lane in range(LANES)]
    core.reset(5)
    assert [core.pair(lane) for lane in range(LANES)] == started[:LANES]
    assert started[:LANES] != started[LANES:]


@pytest.mark.parametrize(
    ("prefix", "reward", "forwards"),
    [
        ("free", {"reads": -1.0}, 1),
        ("free", {"chrf": 1.0}, 1),
        ("free", {"fidelity": 1.0}, 2),
        ("host", {"reads": -1.0}, 1),
        ("host", {"fidelity": 1.0}, 1),
        ("reference", {"likelihood": 1.0}, 1),
    ],
)
def test_no_forward_is_wasted(
    host: Seq2SeqHost, prefix: str, reward: dict[str, float], forwards: int
) -> None:
    core, rng = make(host, prefix=prefix, reward=reward), np.random.default_rng(0)
    core.reset(0)
    count = 0

    def counted(*args: Any) -> None:
        nonlocal count
        count += 1

    # Every way through the decoder ends there.
    hook = host.model.get_output_embeddings().register_forward_hook(counted)
    try:
        for _ in range(20):
            count = 0
            # A step that ends no sentence reads none.
            if not ended(core.step(random_action(core, rng))).any():
                assert count == forwards
    finally:
        hook.remove()


@EVERY_PREFIX
def test_sentence_rewards_come_at_the_end_for_what_was_written(
    host: Seq2SeqHost, prefix: str
) -> None:
    core, rng = make(host, prefix=prefix, reward={"chrf": 2.0}), np.random.default_rng(0)
    core.reset(0)
    scored = 0
    for _ in range(40):
        pairs_now = [core.pair(lane) for lane in range(LANES)]
        before = core.written(np.arange(LANES))
        transition = core.step(random_action(core, rng))
        done = ended(transition)
        assert not transition.reward[~done].any()
        for lane in np.flatnonzero(done):
            # The last word is not told, but all words are known.
            hypotheses = host.detokenize([[*before[lane], word] for word in range(host.vocabulary)])
            pairs_then = [pairs_now[lane]] * len(hypotheses)
            scores = Chrf().score(
                [pair.source for pair in pairs_then],
                hypotheses,
                [pair.target for pair in pairs_then],
            )
            assert np.abs(2 * np.array(scores) - transition.reward[lane]).min() < 1e-5
            scored += transition.reward[lane] > 0
    assert scored > 0


def test_there_is_no_step_before_a_reset(host: Seq2SeqHost) -> None:
    core = make(host)
    with pytest.raises(InputError, match="step before the first reset"):
        core.step(random_action(core, np.random.default_rng(0)))


@pytest.mark.parametrize("shape", [(LANES, SOURCE - 1), (LANES + 1, SOURCE), (SOURCE,)])
def test_every_lane_wants_an_action(host: Seq2SeqHost, shape: tuple[int, ...]) -> None:
    core = make(host)
    core.reset(0)
    with pytest.raises(
        InputError, match=rf"expected one for each of {LANES} lanes, each of {SOURCE}"
    ):
        core.step(torch.zeros(shape))


def test_what_was_written_can_be_read(host: Seq2SeqHost) -> None:
    core, rng = make(host, prefix="free"), np.random.default_rng(0)
    core.reset(0)
    assert core.hypotheses(np.array([0, 2])) == ["", ""]
    for _ in range(15):
        core.step(random_action(core, rng))
        lanes = np.array([2, 0])
        assert core.hypotheses(lanes) == host.detokenize(core.written(lanes))


def test_a_target_moves_the_price_of_reads(host: Seq2SeqHost) -> None:
    weights = []
    for target in (0.1, 0.9):  # of which about a half is read
        core = make(host, reads_target=target, lanes=32, max_target=3)
        play(core, 30)
        weights.append(core.reward.weights["reads"])
    assert weights[0] < weights[1] <= 0


def test_sentences_that_are_too_long_are_counted(host: Seq2SeqHost) -> None:
    split = [Pair("ba be bi bo bu da", "ba"), Pair("ba", "be")]
    core = make(host, split=split, max_source=4)
    assert core.truncated == 0
    view = core.reset(0)
    assert core.truncated > 0
    assert view["mask"].shape == (LANES, 4)


def test_the_host_stays_what_it_was() -> None:
    host = tiny_host()
    before, implementation = host.fingerprint, host.model.config._attn_implementation
    core = make(host, prefix="free")
    play(core, 10)
    assert host.fingerprint == before
    assert host.model.config._attn_implementation == implementation
    assert not any(module._forward_hooks for module in host.model.modules())
    assert not any(tensor.requires_grad for tensor in core.view().values())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lanes": 0}, "lanes 0: expected at least 1"),
        ({"max_source": 0}, "max_source 0: expected at least 1"),
        ({"max_target": -3}, "max_target -3: expected at least 1"),
        ({"horizon": 0}, "horizon 0: expected at least 1"),
        ({"copies": 0}, "copies 0: expected at least 1"),
        ({"max_source": 65}, "max_source 65: host tiny-Marian takes at most 64 tokens"),
        ({"split": []}, "no sentences"),
        ({"prefix": "none"}, "unknown prefix 'none': expected one of free, reference, host"),
        ({"reward": {"likelihood": 1.0}}, "use prefix='reference'"),
    ],
)
def test_bad_settings_are_refused(
    host: Seq2SeqHost, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make(host, **settings)
