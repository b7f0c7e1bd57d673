"""Steering: the only place that touches a model's attention."""

from __future__ import annotations

from rlattn.steering.allocation import Allocation, SteeringMode
from rlattn.steering.context import Steering, steer

__all__ = ["Allocation", "Steering", "SteeringMode", "steer"]
