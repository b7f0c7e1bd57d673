"""Whatever settings are given: they are used as they say, or one clear error says why not."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlattn.actions import FAMILIES, make_family
from rlattn.errors import ContractError, InputError
from rlattn.experiments import classification, translation
from rlattn.experiments.weights import parse_weights
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.rewards import REWARDS, TotalReward, make_reward
from rlattn.rewards.registry import WRAPPERS
from tests.envs.cores import make
from tests.hostile.strategies import cases, digits, keys, numbers, texts, values

names = st.one_of(st.sampled_from(sorted(FAMILIES)), texts)
family_specs = st.one_of(
    names,
    st.lists(st.one_of(names, digits, st.just("sentence")), min_size=1, max_size=4).map(":".join),
    st.builds(lambda share: f"topk:{share}%", digits),
    st.builds(lambda ends, begins: f"gate:sentence:{ends}/{begins}", digits, digits),
    st.sampled_from(["per-layer:" * 500 + "gate", "gate:" * 500, "\0", "gate\0"]),
    values,
)


@cases(32)
@given(family_specs)
def test_a_family_of_any_name_acts_or_is_refused(host: Seq2SeqHost, spec: Any) -> None:
    try:
        core = make(host, action=spec, lanes=2)
    except InputError:
        return
    assert make_family(core.family.spec).spec == core.family.spec
    core.reset(0)
    action = torch.zeros(2, core.family.size(core.max_source))
    assert np.isfinite(core.step(action).reward).all()


terms = st.one_of(st.sampled_from(sorted(REWARDS)), texts)
reward_names = st.one_of(
    terms,
    st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=12).flatmap(
        lambda outer: terms.map(lambda term: ":".join([*outer, term]))
    ),
)
amounts = st.one_of(
    digits,
    numbers.map(str),
    st.lists(digits, max_size=5).map(":".join),
    digits.map("target:{}".format),
)
reward_items = st.one_of(
    st.builds("{}={}".format, reward_names, amounts), reward_names, texts, st.just("=")
)


@cases(32)
@given(st.lists(reward_items, max_size=3))
def test_typed_weights_are_those_that_are_used(items: list[str]) -> None:
    try:
        weights = parse_weights(items)
        total = TotalReward(weights)
    except InputError:
        return
    words = " ".join(items).split()
    assert list(weights) == [word.partition("=")[0] for word in words]
    for word in words:
        name, _, weight = word.partition("=")
        if ":" not in weight:
            assert total.weights[name] == pytest.approx(float(weight))
    assert all(abs(weight) <= 1e9 for weight in total.weights.values())


weight_specs = st.one_of(
    values,
    st.dictionaries(
        st.sampled_from(["target", "price", "gain", "rate", "sentences", "per", "start", "end"]),
        st.one_of(numbers, values),
        max_size=4,
    ),
    st.fixed_dictionaries({"start": numbers, "end": numbers, "steps": numbers}),
    st.fixed_dictionaries({"target": numbers}, optional={"sentences": numbers, "per": values}),
)


@cases(24)
@given(
    st.one_of(values, st.dictionaries(st.one_of(reward_names, keys), weight_specs, max_size=2)),
    st.one_of(st.none(), values),
)
def test_weights_from_python(weights: Any, reads_target: Any) -> None:
    try:
        total = TotalReward(weights, reads_target)
    except InputError:
        return
    found = list(total.weights.values())
    assert all(math.isfinite(weight) for weight in found)
    total.finish(np.ones((300, len(found))), np.ones(300))
    assert all(math.isfinite(weight) for weight in total.weights.values())


@cases(8)
@given(st.integers(0, 500), st.sampled_from(sorted(WRAPPERS)))
def test_wrappers_within_wrappers_come_to_an_end(depth: int, outer: str) -> None:
    if depth > 8:
        with pytest.raises(InputError, match="at most 8"):
            make_reward(f"{outer}:" * depth + "chrf")
    else:
        try:
            make_reward(f"{outer}:" * depth + "chrf")
        except InputError as error:
            assert outer in str(error)  # noqa: PT017


def test_a_sum_that_overflows_is_told(host: Seq2SeqHost) -> None:
    core = make(host, reward={"reads": 1e9})
    core.reset(0)
    assert np.isfinite(core.step(torch.ones(core.lanes, core.max_source)).reward).all()
    with pytest.raises(ContractError, match=r"weighted sum of reads=3e\+38 is inf in lane 1"):
        core.reward.check_finite(np.array([[1.0], [3e38]]), np.array([1.0, np.inf]))


@cases(16)
@given(st.sampled_from(["d_model", "d_state", "width", "action"]), values)
def test_a_network_is_built_as_it_is_described(name: str, value: Any) -> None:
    config = PolicyConfig("gate", 3, 4, 5)
    try:
        policy = AttentionPolicy(replace(config, **{name: value}))
    except InputError:
        return
    if name != "action":
        assert 1 <= value <= 2**16
    assert policy.config == replace(config, **{name: value})


PROGRAMS = {"translate": translation, "classify": classification}


def _config(module: Any, out: Path) -> Any:
    given: dict[str, Any] = {"train": "x.csv"} if module is classification else {}
    known = {field.name for field in fields(module.Config)}
    return module.Config(**{name: value for name, value in given.items() if name in known}, out=out)


@cases(40)
@given(st.sampled_from(sorted(PROGRAMS)), st.data(), values)
def test_settings_from_python(
    tmp_path_factory: pytest.TempPathFactory, program: str, data: st.DataObject, value: Any
) -> None:
    module = PROGRAMS[program]
    config = _config(module, tmp_path_factory.getbasetemp() / "none")
    field = data.draw(st.sampled_from(fields(config)))
    changed = replace(config, **{field.name: value})
    try:
        module.check(changed)
        objective = module.choose_objective(changed)
    except InputError:
        return
    assert objective.weights
    # What is let through is of the field's own type; a whole number is a number, too.
    if isinstance(value, bool):
        assert field.type == "bool"
    elif isinstance(value, int):
        assert field.type in ("int", "float", "Maybe[float]", "Maybe[int]")
    elif isinstance(value, float):
        assert math.isfinite(value)
        assert "float" in str(field.type)
    else:
        assert isinstance(value, str | tuple) or value is None
