"""Each sentence is gone through by a greedy lane and a sampling one, which are then compared."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
import torch

from rlattn.agents.ppo import to_observation
from rlattn.agents.twins import Table, Twins, gains
from rlattn.envs import TranslationCore
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.envs.cores import make
from tests.hosts.tiny import TARGET

PREFIXES = pytest.mark.parametrize("prefix", ["host", "reference", "free"])


def setting(host: Seq2SeqHost, **changes: Any) -> tuple[TranslationCore, AttentionPolicy]:
    """A core that hands each sentence to two lanes, and a policy that is not sure of anything."""
    core = make(host, **{"copies": 2, "lanes": 5, **changes})
    policy = AttentionPolicy(PolicyConfig(core.family.spec, host.d_model, host.d_state, 16))
    torch.nn.init.zeros_(policy.score.bias)
    return core, policy


def rolled(host: Seq2SeqHost, steps: int = 60, **changes: Any) -> Table:
    """Some steps of twins."""
    twins = Twins(*setting(host, **changes))
    tables = [twins.step() for _ in range(steps)]
    return {name: torch.cat([table[name] for table in tables]) for name in tables[0]}


def walks(table: Table) -> dict[int, dict[bool, list[int]]]:
    """The rows of each sentence's greedy and sampling walk, in the order of the steps."""
    found: dict[int, dict[bool, list[int]]] = defaultdict(lambda: defaultdict(list))
    sentences, greedy = table["episode"][:, 1].tolist(), table["greedy"].tolist()
    for row, (sentence, twin) in enumerate(zip(sentences, greedy, strict=True)):
        found[sentence][twin].append(row)
    return found


@PREFIXES
@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_each_sentence_is_walked_once_greedily_and_once_by_sampling(
    host: Seq2SeqHost, prefix: str, lanes: int
) -> None:
    table = rolled(host, 80, prefix=prefix, lanes=lanes)
    found = walks(table)
    both = [walk for walk in found.values() if len(walk) == 2]
    assert len(both) >= len(found) - lanes - 1
    for walk in both:
        for rows in walk.values():
            assert table["age"][rows].tolist() == list(range(1, len(rows) + 1))
            assert not table["done"][rows[:-1]].any()


@PREFIXES
def test_one_of_them_takes_the_likeliest_action(host: Seq2SeqHost, prefix: str) -> None:
    core, policy = setting(host, prefix=prefix)
    twins = Twins(core, policy)
    for _ in range(30):
        table = twins.step()
        mode = policy.act(to_observation(dict(table)))
        same = (policy.family.narrow(table["action"], mode.shape[1]) == mode).all(-1)
        assert same[table["greedy"]].all()
        assert not same.all()


@pytest.mark.parametrize("prefix", ["host", "reference"])
def test_along_a_given_prefix_both_take_the_same_steps(host: Seq2SeqHost, prefix: str) -> None:
    table = rolled(host, prefix=prefix)
    ends = [
        len(rows)
        for walk in walks(table).values()
        for rows in walk.values()
        if all(table["done"][rows[-1]] for rows in walk.values()) and len(walk) == 2
    ]
    assert len(ends) > 20
    assert ends[::2] == ends[1::2]


def slow_gains(table: Table, gamma: float) -> dict[int, float]:
    """The gains of the rows that are known, one sentence after the other."""

    def returns(rows: list[int], start: int) -> float:
        return sum(gamma**i * float(table["reward"][row]) for i, row in enumerate(rows[start:]))

    found = {}
    for walk in walks(table).values():
        if len(walk) < 2 or not all(table["done"][rows[-1]] for rows in walk.values()):
            continue
        for step, row in enumerate(walk[False]):
            twin = min(step, len(walk[True]) - 1)
            found[row] = returns(walk[False], step) - returns(walk[True], twin)
    return found


@PREFIXES
@pytest.mark.parametrize("gamma", [0.0, 0.3, 1.0])
def test_gains_are_what_two_walks_of_a_sentence_differ_by(
    host: Seq2SeqHost, prefix: str, gamma: float
) -> None:
    table = rolled(host, prefix=prefix)
    expected = slow_gains(table, gamma)
    gain, known = gains(table, gamma)
    assert set((known & ~table["greedy"]).nonzero()[:, 0].tolist()) == set(expected)
    assert len(expected) > 50
    for row, number in expected.items():
        assert float(gain[row]) == pytest.approx(number, abs=1e-5)


def test_a_score_of_the_whole_sentence_is_compared_as_a_whole(host: Seq2SeqHost) -> None:
    table = rolled(host, prefix="free", reward={"chrf": 1.0})
    gain, known = gains(table, 1.0)
    for walk in walks(table).values():
        sampled = walk.get(False, [])
        if sampled and known[sampled[0]]:
            scores = table["reward"][sampled[-1]] - table["reward"][walk[True][-1]]
            assert torch.allclose(gain[sampled], scores.expand(len(sampled)))


def test_a_sentence_that_goes_on_later_is_not_forgotten(host: Seq2SeqHost) -> None:
    table = rolled(host, 3 * TARGET)
    early = {name: rows[: 5 * TARGET] for name, rows in table.items()}
    first, known = gains(early, 0.5)
    rest = {name: torch.cat([early[name][~known], table[name][5 * TARGET :]]) for name in table}
    second, later = gains(rest, 0.5)
    whole, every = gains(table, 0.5)
    assert int(every.sum()) == int(known.sum() + later.sum())
    order = torch.cat([known.nonzero()[:, 0], (~known).nonzero()[:, 0]])
    places = torch.cat([order, torch.arange(5 * TARGET, len(whole))])
    found = torch.cat([first[known], second])
    learned = torch.cat([known[known], later])
    assert torch.allclose(found[learned], whole[places][learned])
