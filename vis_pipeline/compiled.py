"""Loops that run as machine code."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compile a function of numbers and arrays by numba at its first call; the code is kept on disk for later runs.

    It runs without Python's lock, so threads that call it run side by side. A compiled function may call only such of
    its own module: numba does not notice when another module's has changed.
    """
    return cast(_Function, njit(cache=True, nogil=True, error_model="numpy")(function))
