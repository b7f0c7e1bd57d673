"""What ends a training that cannot come to anything any more."""

from __future__ import annotations

import math

from stable_baselines3.common.callbacks import BaseCallback

from rlattn.errors import DivergedError

MOST_KL = 1000.0
"""The KL divergence of an update, in nats per action, above which its importance ratios explode.

It is Stable-Baselines3's ``train/approx_kl``, the mean of ``ratio - 1 - log(ratio)``, which a mean
ratio of about a thousand exceeds. Trainings that come to something stay below 1; a learning rate
200 times too high came to 30.
"""


class Divergence(BaseCallback):
    """Looks after each update whether the policy is still one, and ends the training if not.

    Raises:
        DivergedError: If a weight is not finite, or the update's importance ratios exploded.
    """

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._look()

    def _on_training_end(self) -> None:
        self._look()

    def _look(self) -> None:
        after = f"after the update at {self.num_timesteps} steps"
        advice = "try a lower learning rate, and look at the rewards"
        for name, weight in self.model.policy.named_parameters():
            if not weight.isfinite().all():
                raise DivergedError(
                    f"the policy broke: its weights {name} are not all finite numbers {after}: "
                    f"{advice}"
                )
        moved = self.logger.name_to_value.get("train/approx_kl", 0.0)
        if not moved <= MOST_KL or math.isnan(moved):
            raise DivergedError(
                f"the policy's importance ratios exploded: {after} its approx_kl is {moved:.3g} "
                f"nats, and at most {MOST_KL:g} is taken: {advice}"
            )
