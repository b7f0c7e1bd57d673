"""Inside `generate()` a policy does exactly what it does in the environment."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rlattn.actions import Bias, register_family
from rlattn.corpora import Pair
from rlattn.errors import SteeringError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, native, translate
from rlattn.observation import Observation
from rlattn.rewards import Step, TotalReward
from rlattn.steering import Allocation, gates
from tests.conftest import SHARED
from tests.envs.cores import ended, make
from tests.hosts.tiny import SOURCE, generate, tiny_host
from tests.inference.policies import EVERY_ACTION, SENTENCES, TEXTS, hooks, strong


class Overheard(TotalReward):
    """A reward that remembers the tokens of the last step."""

    def __call__(self, step: Step) -> tuple[Tensor, Tensor]:
        self.tokens = step.token.tolist()
        return super().__call__(step)


def episodes(
    host: Seq2SeqHost, policy: TrainedPolicy, texts: list[str], **settings: Any
) -> tuple[list[list[int]], list[float]]:
    """What greedy, free-running episodes write, and their reads, in the order of the texts."""
    network, overheard = policy.policy, Overheard({"reads": 1.0})
    core = make(
        host,
        split=[Pair(text, "") for text in texts],
        action=network.family.spec,
        reward=overheard,
        prefix="free",
        **{"lanes": 16, **settings},
    )
    view, found = core.reset(0), {}
    written: list[list[int]] = [[] for _ in range(core.lanes)]
    while len(found) < len(texts):
        token = core.embedding.gather(view["token"])
        seen = Observation(**{**view, "memory": core.memory()[view["mask"]], "token": token})
        sources = [core.pair(lane).source for lane in range(core.lanes)]
        transition = core.step(network.act(seen))
        for tokens, token in zip(written, overheard.tokens, strict=True):
            tokens.append(token)
        lanes = np.flatnonzero(ended(transition))
        for lane, summary in zip(lanes, transition.summaries, strict=True):
            found[sources[lane]] = (written[lane], summary["reads_fraction"])
            written[lane] = []
        view = transition.view
    rows = [found[text] for text in texts]
    return [tokens for tokens, _ in rows], [reads for _, reads in rows]


@EVERY_ACTION
@pytest.mark.parametrize("seed", [0, 1])
def test_an_episode_and_generate_write_the_same(
    each_host: Seq2SeqHost, action: str, seed: int
) -> None:
    policy = strong(each_host, action, seed)
    with policy.steer(each_host.model) as trace:
        written = generate(each_host, TEXTS)
    expected, reads = episodes(each_host, policy, TEXTS)
    assert written == expected
    assert trace.reads_fraction.tolist() == pytest.approx(reads, abs=1e-5)
    assert written != generate(each_host, TEXTS), "the policy matters"


@pytest.mark.parametrize("action", ["gate", "topk:2", "gate:2", SENTENCES])
def test_so_they_do_where_shut_positions_are_not_read(
    each_host: Seq2SeqHost, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As from long sources: the environment gathers keys and values, generate() the memory.
    policy = strong(each_host, action)
    expected, reads = episodes(each_host, policy, TEXTS[:20])
    monkeypatch.setattr(gates, "LONG", 1)
    monkeypatch.setattr(gates, "FEW", 1.0)
    gathered, fractions = episodes(each_host, policy, TEXTS[:20])
    assert gathered == expected
    assert fractions == pytest.approx(reads)
    with policy.steer(each_host.model) as trace:
        assert generate(each_host, TEXTS[:20]) == expected
    assert trace.reads_fraction.tolist() == pytest.approx(reads, abs=1e-6)


@pytest.mark.usefixtures("_registered_only_here")
def test_so_they_do_where_a_family_leaves_clipping_to_others(host: Seq2SeqHost) -> None:
    @register_family
    class Unclipped(Bias):
        name = "unclipped"

        def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
            return Allocation("bias", 3 * action)

    policy = strong(host, "unclipped")
    with policy.steer(host.model):
        written = generate(host, TEXTS)
    assert written == episodes(host, policy, TEXTS)[0]


@EVERY_ACTION
def test_so_they_do_on_a_trained_host(real_host: Seq2SeqHost, action: str) -> None:
    file = SHARED / "data" / "multi30k" / "val.de.gz"
    if not file.is_file():
        pytest.skip(f"there is no {file}")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        texts = [line.strip() for line, _ in zip(lines, range(50), strict=False)]
    policy = strong(real_host, action.replace("per-layer:2", "per-layer"))
    limits = {"max_source": 48, "max_target": 24}
    expected, reads = episodes(real_host, policy, texts, **limits)
    output = translate(real_host, texts, policy, **limits)
    assert output.texts == real_host.detokenize(expected)
    assert output.reads_fraction == pytest.approx(reads, abs=1e-5)
    assert output.texts != translate(real_host, texts, **limits).texts


@EVERY_ACTION
def test_the_policy_sees_the_same_in_both(
    each_host: Seq2SeqHost, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, text = strong(each_host, action), "ma la ha ra ho"
    seen: list[Observation] = []
    act = policy.policy.act

    def overheard(observation: Observation, **kept: Tensor) -> Tensor:
        seen.append(observation)
        return act(observation, **kept)

    monkeypatch.setattr(policy.policy, "act", overheard)
    with policy.steer(each_host.model):
        steps = len(generate(each_host, [text])[0])
    inside = seen.copy()
    seen.clear()
    episodes(each_host, policy, [text], max_source=6, lanes=1)
    assert len(inside) == len(seen) == steps > 2
    for here, there in zip(inside, seen, strict=True):
        for name, value in vars(here).items():
            if value is None:
                assert getattr(there, name) is None
                continue
            assert value.dtype == getattr(there, name).dtype
            # Half a digit of rounding in the encoder may tip a number of half precision over.
            digit = torch.finfo(torch.float16).eps if value.dtype == torch.float16 else 0.0
            assert torch.allclose(value, getattr(there, name), rtol=digit, atol=1e-4), name


@pytest.mark.parametrize("action", ["gate", "bias", "window"])
def test_a_policy_that_changes_nothing_is_native(each_host: Seq2SeqHost, action: str) -> None:
    policy = strong(each_host, action)
    nn.init.zeros_(policy.policy.score.weight)
    nn.init.constant_(policy.policy.score.bias, 5.0 if action == "gate" else 0.0)
    with policy.steer(each_host.model) as trace:
        assert generate(each_host, TEXTS) == steerless(each_host)
    assert trace.reads_fraction.tolist() == [1.0] * len(TEXTS)


def steerless(host: Seq2SeqHost) -> list[list[int]]:
    """What another copy of the host writes, while this one is being steered."""
    return generate(tiny_host(host.name.removeprefix("tiny-")), TEXTS)


@EVERY_ACTION
def test_a_trace_tells_where_the_policy_looked(host: Seq2SeqHost, action: str) -> None:
    policy, texts = strong(host, action), TEXTS[:6]
    with policy.steer(host.model, trace=True) as trace:
        generate(host, TEXTS[6:8])  # what an earlier call did is forgotten
        written = generate(host, texts)
    steps = max(map(len, written))
    lengths = torch.tensor([len(text.split()) + 1 for text in texts])
    assert len(trace.attention) == len(trace.opened) == steps
    for looked, opened in zip(trace.attention, trace.opened, strict=True):
        assert looked.shape == opened.shape == (len(texts), lengths.max())
        assert torch.allclose(looked.sum(-1), torch.ones(len(texts)), atol=1e-5)
        assert not looked[~opened].any()
    for row, tokens in enumerate(written):
        fractions = [opened[row].sum() / lengths[row] for opened in trace.opened[: len(tokens)]]
        assert trace.reads_fraction[row] == pytest.approx(np.mean(fractions), abs=1e-5)


def test_without_a_trace_nothing_piles_up(host: Seq2SeqHost) -> None:
    with strong(host).steer(host.model) as trace:
        generate(host, TEXTS[:4])
    assert trace.attention == trace.opened == []
    assert len(trace.reads_fraction) == 4


def test_the_native_host_can_be_watched(each_host: Seq2SeqHost) -> None:
    with native(each_host.model) as trace:
        written = generate(each_host, TEXTS)
    assert written == generate(each_host, TEXTS)
    assert len(trace.attention) == max(map(len, written))
    assert trace.attention[0].sum(-1).tolist() == pytest.approx([1.0] * len(TEXTS), abs=1e-5)
    assert trace.reads_fraction.tolist() == [1.0] * len(TEXTS)


def test_a_mask_may_be_left_out(host: Seq2SeqHost) -> None:
    policy, ids = strong(host), torch.tensor(host.tokenize(["ba be bi"], SOURCE).ids)
    settings = {"max_new_tokens": 5, "do_sample": False}
    with policy.steer(host.model):
        plain = host.model.generate(input_ids=ids, **settings)
        masked = host.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **settings)
    assert torch.equal(plain, masked)


def test_the_model_is_left_as_it_was() -> None:
    host = tiny_host()
    policy, before = strong(host), generate(host, TEXTS[:5])
    with policy.steer(host.model):
        steered = generate(host, TEXTS[:5])
    assert hooks(host) == 0
    assert generate(host, TEXTS[:5]) == before != steered
    with pytest.raises(KeyError), policy.steer(host.model):
        raise KeyError
    assert hooks(host) == 0
    assert generate(host, TEXTS[:5]) == before
    with policy.steer(host.model):
        assert generate(host, TEXTS[:5]) == steered


def test_two_policies_do_not_steer_at_once(host: Seq2SeqHost) -> None:
    first, second = strong(host), strong(host, seed=1)
    with first.steer(host.model):
        written = generate(host, TEXTS[:5])
        with pytest.raises(SteeringError, match="already being steered"), second.steer(host.model):
            pass
        assert generate(host, TEXTS[:5]) == written
    assert hooks(host) == 0


@pytest.mark.parametrize("given", ["encoder_outputs", "inputs_embeds"])
def test_a_policy_that_needs_the_tokens_of_the_source_says_so(
    host: Seq2SeqHost, given: str
) -> None:
    ids = torch.tensor([[5, 6, 7, 1]])
    encoder = host.model.get_encoder()
    source = {
        "encoder_outputs": encoder(input_ids=ids),
        "inputs_embeds": encoder.get_input_embeddings()(ids),
    }[given]
    settings = {given: source, "max_new_tokens": 4}
    with strong(host, "gate:2").steer(host.model):
        host.model.generate(**settings)
    with strong(host, SENTENCES).steer(host.model):
        host.model.generate(input_ids=ids, max_new_tokens=4)
        with pytest.raises(SteeringError, match="give generate\\(\\) input_ids"):
            host.model.generate(**settings)


def test_training_under_a_policy_is_refused(host: Seq2SeqHost) -> None:
    ids = torch.tensor([[5, 6, 7]])
    with strong(host).steer(host.model), pytest.raises(SteeringError, match="one token at a time"):
        host.model(input_ids=ids, labels=ids)
