"""What every reward term keeps to."""

from __future__ import annotations

import copy
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from rlattn.errors import ContractError, InputError
from rlattn.rewards import Reward, Step, make_reward
from rlattn.rewards.total import checked
from rlattn.storage.checkpoint import read_checkpoint, write_checkpoint
from rlattn.testing.episodes import Lane, play

_LANES = 4
_HALF = 5
"""Steps before a term is handed over: in the middle of sentences."""


def check_reward(term: str | Reward, *, lanes_apart: bool = True) -> None:
    """Plays made-up sentences to a reward term, and looks at what it gives.

    The rules: it reads only what it asks for by `needs`; it gives one finite number for each lane,
    as a floating-point tensor on the device of the step; it leaves the step as it was; the same
    seed gives the same numbers; one that goes on from its state in a checkpoint does, too; padding
    of the source counts for nothing; and a lane's numbers do not depend on which other lanes are
    there.

    Args:
        term: The name of a registered term, or a term.
        lanes_apart: Whether a lane's numbers are its own; give False for a term that compares
            lanes with each other on purpose.

    Raises:
        ContractError: If it breaks a rule.
        InputError: If there is no term of that name.
    """
    if not isinstance(term, str | Reward):
        raise InputError(f"{term!r} is no reward: register it, and give its name")
    given = make_reward(term) if isinstance(term, str) else term
    name = given.name

    def fresh() -> Reward:
        # A term may remember; each time it is played to, it has nothing to remember yet.
        return make_reward(term) if isinstance(term, str) else copy.deepcopy(given)

    lanes = [Lane.drawn(seed) for seed in range(_LANES)]
    together = _numbers(name, fresh(), lanes)
    again, wider = _numbers(name, fresh(), lanes), _numbers(name, fresh(), lanes, padding=3)
    _equal(name, together, again, "seed the same way, it gives other numbers: draw from `seed`")
    resumed = _numbers(name, fresh(), lanes, other=fresh())
    _equal(
        name,
        together,
        resumed,
        "another one that goes on from its state_dict gives other numbers: what it remembers "
        "belongs into attributes that are tensors, arrays or numbers, or it overrides state_dict "
        "and load_state_dict",
    )
    _equal(name, together, wider, "padding of the source counts: look at step.mask")
    if not lanes_apart:
        return
    for number, lane in enumerate(lanes):
        alone = _numbers(name, fresh(), [lane])
        _equal(
            name,
            together[:, number : number + 1],
            alone,
            "a lane alone earns something else than beside others: do not take means, ranks or "
            "sums over the lanes (or check with lanes_apart=False)",
        )


def _numbers(
    name: str, term: Reward, lanes: list[Lane], padding: int = 0, other: Reward | None = None
) -> Tensor:
    """What a term gives, ``[steps, lanes]``; after half of the steps `other` goes on."""
    term.seed(0)
    rows: list[Tensor] = []
    for step in play(lanes, term.needs, padding):
        if other is not None and len(rows) == _HALF:
            _hand_over(name, term, other)
            term = other
        before = {key: value.clone() for key, value in _tensors(step).items()}
        step.reader = name, term.needs
        row = checked(name, term(step), step)
        if not row.isfinite().all():
            raise ContractError(f"the reward {name!r} gave {row.tolist()}: expected finite numbers")
        for key, value in before.items():
            if not torch.equal(value, _tensors(step)[key]):
                raise ContractError(f"the reward {name!r} changed step.{key}: work on a copy")
        rows.append(row.clone())
    return torch.stack(rows)


def _hand_over(name: str, term: Reward, other: Reward) -> None:
    """Has another term go on from the first one's state, by way of a checkpoint."""
    try:
        with TemporaryDirectory() as folder:
            state = read_checkpoint(write_checkpoint(Path(folder), 0, term.state_dict()))
    except TypeError as error:
        raise ContractError(
            f"the state_dict of the reward {name!r} cannot be kept: {error}"
        ) from error
    other.seed(0)
    other.load_state_dict(state)


def _tensors(step: Step) -> dict[str, Tensor]:
    return {key.lstrip("_"): t for key, t in vars(step).items() if isinstance(t, Tensor)}


def _equal(name: str, ours: Tensor, theirs: Tensor, rule: str) -> None:
    if torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4):
        return
    step, lane = (~torch.isclose(ours, theirs, atol=1e-4, rtol=1e-4)).nonzero()[0].tolist()
    raise ContractError(
        f"the reward {name!r} gave {ours[step, lane]:.6g} and then {theirs[step, lane]:.6g} for "
        f"the same step: {rule}"
    )
