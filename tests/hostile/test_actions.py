"""Whatever actions are given, to any face of any core: a step that is right, or one clear error."""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from hypothesis import given
from hypothesis import strategies as st

from rlattn.actions import make_family
from rlattn.envs import AttentionEnv, AttentionVecEnv, AttentionVectorEnv, ClassificationCore
from rlattn.envs.base import Core
from rlattn.errors import ContractError, InputError, RlattnError
from rlattn.hosts import Seq2SeqHost
from rlattn.rewards import TotalReward
from tests.envs.cores import LANES, make
from tests.hostile.strategies import arrays, cases, numbers, values
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.hosts.tiny import SOURCE, pairs, tiny_host

SPECS = (
    *("bias", "gate", "gate:3", "gate:sentence:5", "mix", "position", "sharpness", "simplex"),
    *("topk:2", "topk:45%", "window", "per-layer:gate", "per-layer:mix", "per-layer:position"),
)
READERS = ("gate", "bias", "position", "topk:2", "simplex", "window")
"""Those that steer a classifier."""


@cache
def tiny() -> Seq2SeqHost:
    return tiny_host()


@cache
def translation(spec: str) -> Core:
    return make(tiny(), action=spec)


@cache
def classification(spec: str) -> Core:
    labelled = [pair._replace(target=LABELS[n % 3]) for n, pair in enumerate(pairs(40))]
    return ClassificationCore(
        small_classifier(),
        labelled,
        family=make_family(spec),
        reward=TotalReward({"gain": 1.0, "reads": -1.0}),
        lanes=LANES,
        max_source=SOURCE,
    )


def state(core: Core) -> list[torch.Tensor]:
    """All that lanes see, and how far they are."""
    return [*core.view().values(), core.mask, torch.tensor(core.ages)]


def in_space(core: Core, given: Any) -> bool:
    """Whether there is an action for each lane, by NumPy and Gymnasium alone."""
    space = core.family.space(core.max_source)
    try:
        array = np.asarray(given)
    except (ValueError, TypeError):
        return False
    if array.dtype.kind not in "biuf":
        return False
    size = int(np.prod(space.shape or (1,)))
    if array.shape[:1] != (LANES,) or array.size != LANES * size:
        return False
    with np.errstate(all="ignore"):
        rows = array.astype(np.float32).reshape(LANES, size)
    if not np.isfinite(rows).all():
        return False
    if isinstance(space, Box):
        return True
    return all(_is_in(space, row) for row in rows)


def _is_in(space: gymnasium.Space[Any], row: np.ndarray) -> bool:
    if (row != row.round()).any() or np.abs(row).max() > 100:
        return False
    return bool(space.contains(row.astype(space.dtype) if space.shape else np.int64(row[0])))


def check_step(core: Core, given: Any, step: Any) -> None:
    """Takes a step, which is right if the actions are, and else an error that changes nothing."""
    if core.ages.max() == 0 and not core._started:
        core.reset(0)
    before = state(core)
    if not in_space(core, given):
        with pytest.raises(InputError, match=r"^(the )?actions? "):
            step(given)
        assert all(map(torch.equal, before, state(core)))
        return
    mask = core.mask
    reward, opened = step(given)
    assert reward.shape == (LANES,)
    assert np.isfinite(reward).all()
    if opened is not None:
        assert not (opened & ~mask[:, : opened.shape[1]]).any()
    after = core.view()
    assert all(torch.isfinite(part.float()).all() for part in after.values())
    assert not after["attention"][~core.mask].any()


def by_core(core: Core) -> Any:
    def step(given: Any) -> Any:
        transition = core.step(given)
        return transition.reward, transition.opened

    return step


def by_vec_env(env: AttentionVecEnv) -> Any:
    def step(given: Any) -> Any:
        env.step_async(given)
        return env.step_wait()[1], None

    return step


@st.composite
def cores_and_actions(draw: st.DrawFn, build: Any, specs: tuple[str, ...]) -> tuple[Core, Any]:
    core = build(draw(st.sampled_from(specs)))
    size = core.family.size(core.max_source)
    return core, draw(st.one_of(arrays((LANES, size)), arrays((LANES, size)), values))


@cases(48)
@given(cores_and_actions(translation, SPECS))
def test_a_translation_core(case: tuple[Core, Any]) -> None:
    core, given = case
    check_step(core, given, by_core(core))


@cases(24)
@given(cores_and_actions(classification, READERS))
def test_a_classification_core(case: tuple[Core, Any]) -> None:
    core, given = case
    check_step(core, given, by_core(core))


@cases(16)
@given(cores_and_actions(translation, SPECS))
def test_the_face_of_stable_baselines(case: tuple[Core, Any]) -> None:
    core, given = case
    check_step(core, given, by_vec_env(AttentionVecEnv(core)))


@cases(8)
@given(st.sampled_from(SPECS), st.data())
def test_tensors_of_any_kind(spec: str, data: st.DataObject) -> None:
    core = translation(spec)
    kinds = st.sampled_from([torch.bool, torch.int64, torch.bfloat16, torch.float64])
    given = torch.ones(LANES, core.family.size(SOURCE), dtype=data.draw(kinds))
    check_step(core, given.float().numpy(), lambda _: by_core(core)(given))
    for odd in (given.to(torch.complex64), given.float().to_sparse(), given.to("meta")):
        with pytest.raises(InputError, match=r"expected an array of numbers"):
            core.step(odd)


@pytest.fixture(scope="module")
def face(task: dict[str, Any]) -> AttentionEnv:
    env = AttentionEnv(**task)
    env.reset(seed=0)
    return env


@pytest.fixture(scope="module")
def vector(task: dict[str, Any]) -> AttentionVectorEnv:
    env = AttentionVectorEnv(num_envs=LANES, **task)
    env.reset(seed=0)
    return env


@cases(12)
@given(st.one_of(arrays((SOURCE,)), values))
def test_the_single_face_of_gymnasium(face: AttentionEnv, given: Any) -> None:
    try:
        observation, reward, terminated, truncated, _ = face.step(given)
    except InputError as error:
        assert str(error).startswith(("actions ", "the action "))  # noqa: PT017
        return
    assert np.isfinite(reward)
    assert face.observation_space.contains(observation)
    if terminated or truncated:
        face.reset()


@cases(12)
@given(st.one_of(arrays((LANES, SOURCE)), values))
def test_the_vector_face_of_gymnasium(vector: AttentionVectorEnv, given: Any) -> None:
    try:
        observation, reward, *_ = vector.step(given)
    except InputError as error:
        assert str(error).startswith(("actions ", "the action "))  # noqa: PT017
        return
    assert np.isfinite(reward).all()
    assert vector.observation_space.contains(observation)


@cases(12)
@given(numbers)
def test_seeds_are_whole_numbers_from_0_on(number: Any) -> None:
    core = translation("gate")
    if type(number) is int and 0 <= number < 2**63:
        core.reset(number)
    else:
        with pytest.raises(InputError, match=r"seed .*: expected"):
            core.reset(number)


LIMITS = ("lanes", "max_source", "max_target", "horizon", "copies")


@cases(12)
@given(st.sampled_from(LIMITS), st.one_of(numbers, values))
def test_limits_of_a_core_are_whole_numbers(name: str, value: Any) -> None:
    if type(value) is int and 1 <= value < 2**31:
        value = 1 + value % 8  # more takes more memory, and that is all
    try:
        core = make(tiny(), **{"lanes": 2, "copies": 1, name: value})
    except RlattnError as error:
        assert name in str(error) or isinstance(error, ContractError)  # noqa: PT017
    else:
        assert type(value) is int
        core.reset(0)
        assert np.isfinite(core.step(torch.ones(core.lanes, core.max_source)).reward).all()
