"""How many cases of bad input were tried."""

from __future__ import annotations

import pytest

from tests.hostile.strategies import TRIED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TRIED:
        terminalreporter.write_line(f"{TRIED.total():,} cases of bad input were tried")
