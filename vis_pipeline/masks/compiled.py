"""Loops that run as machine code."""

from collections.abc import Callable
from functools import update_wrapper
from threading import Lock
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])
_OPTIONS = {"nogil": True, "error_model": "numpy"}
_lock = Lock()


def compiled(function: _Function) -> _Function:
    """Compile a function of numbers and arrays by numba at its first call; the code is kept on disk for later runs.

    Where neither the package's folder nor the user's cache can be written, every run compiles anew. A compiled function
    runs without Python's lock, so threads that call it run side by side. It may call only such of its own module: numba
    does not notice when another module's has changed.

    numba is imported at the first call, too: that takes longer than everything else that an evaluation imports.
    """
    return cast(_Function, _ToCompile(function))


class _ToCompile:
    """Stands in its module until the first call of any such function there, which puts numba's in the place of all."""

    def __init__(self, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        # One who took the name out of the module before still has this one.
        names = self.function.__globals__
        with _lock:
            waiting = {
                name: value.function
                for name, value in names.items()
                if isinstance(value, _ToCompile) and value.function.__globals__ is names
            }
            # At once: a thread that already found one of them there would compile it, and what it calls is not ready.
            names.update({name: _by_numba(function) for name, function in waiting.items()})
        return names[self.function.__name__](*arguments)


def _by_numba(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit

    try:
        return cast(Callable[..., Any], njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:
        return cast(Callable[..., Any], njit(**_OPTIONS)(function))
