"""What attention alone could reach: a search that knows the reference, and no policy."""

from __future__ import annotations

from rlattn.agents.oracle.bound import Bound, oracle_bound
from rlattn.agents.oracle.gate import translate_by_oracle_gate
from rlattn.agents.oracle.writing import translate_by_oracle

__all__ = ["Bound", "oracle_bound", "translate_by_oracle", "translate_by_oracle_gate"]
