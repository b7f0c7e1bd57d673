"""Where glibc is, freed memory is kept."""

from __future__ import annotations

import platform
import resource

import pytest
import torch

from rlattn.agents.allocator import keep_freed_memory


def test_freed_memory_is_used_again_without_asking_the_kernel() -> None:
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("the C library is not glibc")
    assert keep_freed_memory()

    def faults() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    def work() -> None:
        for size in (2**20, 2**22, 2**21):
            torch.ones(size)  # 4 to 16 MiB

    for _ in range(3):
        work()
    before = faults()
    for _ in range(10):
        work()
    assert faults() - before < 100  # of 70,000 pages


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not keep_freed_memory()
