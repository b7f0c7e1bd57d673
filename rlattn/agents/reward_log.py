"""What a training run logs of its rewards."""

from __future__ import annotations

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback


class RewardLog(BaseCallback):
    """Records every reward term, the reads and their price by name."""

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        episodes = list(self.model.ep_info_buffer or ())
        for key in episodes[-1] if episodes else ():
            if key not in ("r", "l", "t"):
                self.logger.record(f"rollout/{key}", float(np.mean([e[key] for e in episodes])))
        core = self.training_env.get_attr("core")[0]
        for name, weight in core.reward.weights.items():
            self.logger.record(f"rollout/weight_{name}", weight)
        self.logger.record("rollout/truncated_sentences", core.truncated)
