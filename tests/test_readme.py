"""Every example in the README runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_python_examples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import gymnasium

    from rlattn.envs import registry
    from rlattn.rewards import REWARDS

    monkeypatch.chdir(tmp_path)
    known, ids = set(REWARDS), set(registry.TASKS)
    names: dict[str, object] = {"__name__": "readme"}
    try:
        for block in blocks("python"):
            # Shorter, and otherwise as it stands.
            assert "ppo.learn(" not in block or "ppo.learn(160_000)" in block
            code = block.replace("ppo.learn(160_000)", "ppo.learn(64)")
            exec(compile(code, "README.md", "exec"), names)
    finally:
        for name in set(REWARDS) - known:
            del REWARDS[name]
        for id in set(registry.TASKS) - ids:
            del registry._tasks[id]
            del gymnasium.registry[id]
    assert (tmp_path / "policy" / "policy.safetensors").is_file()
    assert "tensor(" in capsys.readouterr().out
