"""Gates: everything about their distribution agrees with counting all sets of open positions."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from rlattn.actions.distributions import NonEmptyBernoulli

POSITIONS = 5
LOGITS = {
    "mild": [0.3, -1.2, 2.0, 0.0, -0.4],
    "shut": [-9.0, -8.0, -11.0, -8.5, -10.0],
    "open": [9.0, 8.0, 11.0, 8.5, 10.0],
    "split": [12.0, -12.0, 3.0, -3.0, 0.1],
}
EVERY_LOGITS = pytest.mark.parametrize("logits", LOGITS.values(), ids=LOGITS)


def every_set(positions: int = POSITIONS) -> Tensor:
    """All sets of open positions but the empty one, `[2 ** positions - 1, positions]`."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=positions))[1:])


def gates(logits: list[float], padding: int = 0) -> NonEmptyBernoulli:
    """Gates of one lane, with some positions of padding after it, whose log-odds are nonsense."""
    row = torch.tensor([[*logits, *[5.0] * padding]], dtype=torch.float64)
    return NonEmptyBernoulli(row, torch.arange(row.shape[1])[None] < len(logits))


def probabilities(logits: list[float]) -> Tensor:
    """The probability of each of `every_set`, by the definition: independent, given not empty."""
    sets = every_set(len(logits)).double()
    p = torch.sigmoid(torch.tensor(logits, dtype=torch.float64))
    joint = torch.where(sets > 0.5, p, 1 - p).prod(-1)
    return joint / joint.sum()


@EVERY_LOGITS
@pytest.mark.parametrize("padding", [0, 3])
def test_density_is_independent_gates_given_that_one_is_open(
    logits: list[float], padding: int
) -> None:
    sets = every_set()
    padded = torch.cat([sets, torch.randint(2, (len(sets), padding)).float()], dim=1)
    density = torch.cat([gates(logits, padding).log_prob(row[None]) for row in padded]).exp()
    assert density.sum() == pytest.approx(1.0, abs=1e-9)
    assert torch.allclose(density, probabilities(logits), rtol=1e-6)


@EVERY_LOGITS
@pytest.mark.parametrize("padding", [0, 3])
def test_entropy_is_the_expected_surprise(logits: list[float], padding: int) -> None:
    p = probabilities(logits)
    expected = -(p * p.log()).sum()
    assert gates(logits, padding).entropy().item() == pytest.approx(expected.item(), rel=1e-6)


@EVERY_LOGITS
@pytest.mark.parametrize("padding", [0, 3])
def test_mode_is_the_likeliest_set(logits: list[float], padding: int) -> None:
    mode = gates(logits, padding).mode()[0]
    assert torch.equal(mode[:POSITIONS], every_set()[probabilities(logits).argmax()])
    assert not mode[POSITIONS:].any()


@EVERY_LOGITS
def test_samples_are_as_frequent_as_they_are_probable(logits: list[float]) -> None:
    count, padding = 40_000, 2
    row = torch.tensor([*logits, 5.0, 5.0])
    mask = (torch.arange(POSITIONS + padding) < POSITIONS).expand(count, -1)
    drawn = NonEmptyBernoulli(row.expand(count, -1), mask).sample()
    assert not drawn[:, POSITIONS:].any()
    codes = (drawn[:, :POSITIONS] @ 2.0 ** torch.arange(POSITIONS - 1, -1, -1)).long()
    assert (codes > 0).all(), "never empty"
    seen = torch.bincount(codes, minlength=2**POSITIONS)[1:].double()
    expected = count * probabilities(logits)
    # Pearson's test, with rare sets taken together: it wants at least a few of each.
    rare = expected < 10
    seen = torch.cat([seen[~rare], seen[rare].sum()[None]])
    expected = torch.cat([expected[~rare], expected[rare].sum()[None]])
    statistic = ((seen - expected).square() / expected.clamp(min=1)).sum()
    freedom = len(seen) - 1
    assert statistic < freedom + 5 * (2 * freedom) ** 0.5


def test_a_lane_does_not_see_its_neighbours() -> None:
    logits, lengths = torch.randn(3, 6), torch.tensor([6, 2, 4])
    mask = torch.arange(6) < lengths[:, None]
    together = NonEmptyBernoulli(logits, mask)
    action = together.sample()
    for lane, length in enumerate(lengths.tolist()):
        row = logits[lane : lane + 1, :length]
        alone = NonEmptyBernoulli(row, torch.ones(1, length, dtype=torch.bool))
        assert torch.allclose(
            together.log_prob(action)[lane], alone.log_prob(action[lane : lane + 1, :length])[0]
        )
        assert torch.allclose(together.entropy()[lane], alone.entropy()[0])
        assert torch.equal(together.mode()[lane, :length], alone.mode()[0])


@pytest.mark.parametrize("value", [1e4, -1e4, 40.0, -40.0, 0.0])
@pytest.mark.parametrize("positions", [1, 64])
def test_extreme_log_odds_stay_finite_with_their_gradients(value: float, positions: int) -> None:
    logits = torch.full((2, positions), value, requires_grad=True)
    mask = torch.ones(2, positions, dtype=torch.bool)
    mask[1, 1:] = False
    distribution = NonEmptyBernoulli(logits, mask)
    actions = [distribution.sample(), distribution.mode(), mask.float()]
    numbers = [distribution.log_prob(action) for action in actions] + [distribution.entropy()]
    assert all(number.isfinite().all() for number in numbers)
    assert all((action[mask.sum(-1) > 0].sum(-1) >= 1).all() for action in actions)
    assert distribution.entropy().min() > -1e-4
    sum(number.sum() for number in numbers).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert not logits.grad[1, 1:].any()


def test_gradients_agree_with_finite_differences() -> None:
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    action = torch.tensor([[0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
    logits = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)

    def numbers(logits: Tensor) -> tuple[Tensor, Tensor]:
        distribution = NonEmptyBernoulli(logits, mask)
        return distribution.log_prob(action), distribution.entropy()

    assert torch.autograd.gradcheck(numbers, logits)


def test_one_position_leaves_no_choice() -> None:
    only = gates([-7.0], padding=2)
    open_ = torch.tensor([[1.0, 0.0, 0.0]])
    assert torch.equal(only.sample(), open_)
    assert torch.equal(only.mode(), open_)
    assert only.log_prob(open_).item() == pytest.approx(0.0, abs=1e-6)
    assert only.entropy().item() == pytest.approx(0.0, abs=1e-6)


def test_straight_through_draws_are_gates_and_padding_stays_shut() -> None:
    mask = torch.arange(4) < torch.tensor([[4], [2], [1]])
    for logits in (torch.full((3, 4), -30.0), torch.zeros(3, 4), torch.full((3, 4), 30.0)):
        drawn = NonEmptyBernoulli(logits, mask).straight_through(temperature=0.5)
        assert set(drawn.unique().tolist()) <= {0.0, 1.0}
        assert drawn.any(-1).all()
        assert not drawn[~mask].any()


def test_straight_through_gates_open_as_often_as_their_log_odds_say() -> None:
    logits = torch.tensor([[2.0, 0.0, -2.0, 5.0]]).expand(20_000, -1)
    mask = torch.ones_like(logits, dtype=torch.bool)
    opened = NonEmptyBernoulli(logits, mask).straight_through(temperature=1.0).mean(0)
    assert torch.allclose(opened, torch.sigmoid(logits[0]), atol=0.02)


def test_a_straight_through_gate_changes_as_its_relaxation_does() -> None:
    logits = torch.tensor([[0.5, -1.0, 0.2]], requires_grad=True)
    mask = torch.tensor([[True, True, False]])
    torch.manual_seed(3)
    drawn = NonEmptyBernoulli(logits, mask).straight_through(temperature=0.7)
    (gradient,) = torch.autograd.grad(drawn.sum(), logits)
    torch.manual_seed(3)
    noise = torch.rand_like(logits).logit(eps=1e-6)
    soft = torch.sigmoid((logits + noise) / 0.7).masked_fill(~mask, 0.0)
    (expected,) = torch.autograd.grad(soft.sum(), logits)
    assert torch.equal(gradient, expected)
