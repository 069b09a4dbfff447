"""Loops that run as machine code."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])
_njit = partial(njit, nogil=True, error_model="numpy")


def compiled(function: _Function) -> _Function:
    """Compile a function of numbers and arrays by numba at its first call; the code is kept on disk for later runs.

    Where neither the package's folder nor the user's cache can be written, every run compiles anew. A compiled function
    runs without Python's lock, so threads that call it run side by side. It may call only such of its own module: numba
    does not notice when another module's has changed.
    """
    try:
        return cast(_Function, _njit(cache=True)(function))
    except RuntimeError:
        return cast(_Function, _njit()(function))
