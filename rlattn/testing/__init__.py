"""Contract checks for rewards, action families and tasks of one's own.

Each check plays the thing through, offline and in seconds, and raises a `ContractError` that says
which rule it broke and how. Call them in a test::

    from rlattn.testing import check_reward

    def test_brevity():
        check_reward("brevity")
"""

from __future__ import annotations

from rlattn.testing.families import check_family
from rlattn.testing.rewards import check_reward
from rlattn.testing.tasks import check_task

__all__ = ["check_family", "check_reward", "check_task"]
