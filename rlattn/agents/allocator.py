"""Keeping memory that was freed, where the C library would hand it back."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_MOST_MMAP = 32 * 2**20  # bytes; glibc takes no more


def keep_freed_memory() -> bool:
    """Has glibc keep what this process frees; it holds its peak from then on.

    A gradient step makes and frees large tensors. By default their pages go back to the kernel
    each time and come again one by one, zeroed, which took a third of PPO's update on a CPU.

    Returns:
        Whether it was done; False where the C library is another.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_MMAP_THRESHOLD, _MOST_MMAP))
