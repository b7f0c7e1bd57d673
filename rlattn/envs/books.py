"""The books of an environment: what each lane has earned since its sentence began."""

from __future__ import annotations

import numpy as np
import torch

from rlattn.rewards import Step, TotalReward
from rlattn.rewards.weights import Per
from rlattn.storage.state import State, take


class Books:
    """What each lane has earned, in all and term by term, and what it has read.

    Args:
        reward: What is rewarded.
        lanes: How many lanes there are.
        per: Whether what is read of a source is a mean over its steps, or the sum over the
            sentence.
    """

    def __init__(self, reward: TotalReward, lanes: int, per: Per = "step") -> None:
        self._reward, self._per = reward, per
        self._names = [f"reward_{name}" for name in reward.terms]
        self._sums = np.zeros((lanes, 2 + len(self._names)))

    def restart(self, lanes: np.ndarray) -> None:
        """Clears the books of lanes that begin a sentence."""
        self._sums[lanes] = 0.0

    def state_dict(self) -> State:
        """What stands in the books."""
        return {"sums": self._sums}

    def load_state_dict(self, state: State) -> None:
        """Goes on from what stood in other books."""
        self._sums = take(state, "sums", self._sums)

    def enter(self, step: Step) -> np.ndarray:
        """Has a step rewarded, and writes it down.

        Returns:
            The reward, float32, ``[lanes]``.

        Raises:
            ContractError: If a term gives anything but one finite number for each lane.
        """
        total, terms = self._reward(step)
        columns = [total[:, None], step.reads_fraction[:, None], terms]
        earned: np.ndarray = torch.cat(columns, dim=1).cpu().numpy()
        self._reward.check_finite(earned[:, 2:], earned[:, 0])
        self._sums += earned
        return earned[:, 0].copy()

    def close(self, lanes: np.ndarray, lengths: np.ndarray) -> list[dict[str, float]]:
        """Tells what sentences came to, and has the weights of the terms told, too.

        Args:
            lanes: The lanes whose sentences ended.
            lengths: How many steps each of these took.

        Returns:
            For each of them: return ``r``, length ``l``, ``reads_fraction`` as the mean over the
            steps or their sum, and the sum of every term.
        """
        sums = self._sums[lanes]
        self._reward.finish(sums[:, 2:], lengths, self._per)
        over = lengths if self._per == "step" else np.ones_like(lengths)
        return [
            {
                "r": float(row[0]),
                "l": int(steps),
                "reads_fraction": float(row[1] / parts),
                **dict(zip(self._names, row[2:].tolist(), strict=True)),
            }
            for row, steps, parts in zip(sums, lengths, over, strict=True)
        ]
