"""Ctrl-C, SIGTERM and SIGHUP as one ordered end: what is finished is kept and told, and nothing of ours runs on."""

import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import psutil

SIGNALS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGINT", "SIGTERM") if hasattr(signal, name))

# `timeout` and a terminal that closes send what is meant once to a process and to its group.
_ECHO_SECONDS = 0.5
_DYING_SECONDS = 1.0
_DYING_STEP_SECONDS = 0.01
# Python starts this one again where it is missing, to complain about what it then does not know.
_TRACKER = "multiprocessing.resource_tracker"
# Of <sys/prctl.h>.
_PR_SET_CHILD_SUBREAPER = 36
_LOST_SECONDS = 0.05


@dataclass
class _Received:
    number: int | None = None
    at: float = 0.0
    words: str | None = None
    spared: bool = False
    lost: bool = False


@dataclass
class _Sparing:
    active: bool = False
    folder: str | None = None


_received = _Received()
_sparing = _Sparing()


@contextmanager
def ending_orderly() -> Iterator[None]:
    """In the block the first of the signals ends this process's children and raises KeyboardInterrupt.

    Once the block has put its things in order, the process ends with a line and the exit code 128 + n. A further signal
    ends it at once. What this process was told to ignore (by nohup, or by a shell that put it into the background) it
    goes on to ignore. Outside of the main thread, which alone gets signals, nothing changes.
    """
    _received.number, _received.words, _received.lost = None, None, False
    earlier = _handlers() if threading.current_thread() is threading.main_thread() else {}
    _catch(tuple(earlier))
    told = sys.unraisablehook
    sys.unraisablehook = partial(_unraisable, told)
    try:
        yield
    except BaseException as error:
        done = isinstance(error, SystemExit) and not error.code
        if _received.number is None or done:
            raise
        _leave(signal.Signals(_received.number))
    finally:
        sys.unraisablehook = told
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _catch(numbers: Sequence[int]) -> None:
    process = os.getpid()

    def first(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:
            os._exit(128 + number)  # a forked child has the handler, too, and nothing to tell
        _received.number, _received.at = number, time.monotonic()
        for each in numbers:
            signal.signal(each, further)
        # What is warned of from now on is but what this leads to: imports that end half-way, say.
        warnings.simplefilter("ignore")
        _received.spared = _sparing.active
        if not _received.spared:
            end_children(but=_TRACKER)
        _received.at = time.monotonic()
        raise KeyboardInterrupt

    def further(number: int, frame: FrameType | None) -> None:
        if _received.lost:
            _received.lost = False
            raise KeyboardInterrupt
        if os.getpid() != process or time.monotonic() - _received.at >= _ECHO_SECONDS:
            end_children()
            os._exit(128 + number)

    for number in numbers:
        signal.signal(number, first)


def _unraisable(told: "Callable[[sys.UnraisableHookArgs], object]", lost: "sys.UnraisableHookArgs") -> None:
    """Raise KeyboardInterrupt again where it came into a callback that C calls, or a destructor, which end it."""
    if _received.number is None:
        told(lost)
    elif isinstance(lost.exc_value, KeyboardInterrupt):
        _received.lost = True
        main = threading.main_thread().ident
        again = threading.Timer(_LOST_SECONDS, signal.pthread_kill, (main, _received.number))
        again.daemon = True
        again.start()


@contextmanager
def ending_at_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """In the block the first of the signals calls `stop`, which takes no locks; the next does what it did before.

    Outside of the main thread, which alone gets signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = _handlers()

    def restore() -> None:
        for number, handler in earlier.items():
            signal.signal(number, handler)

    def once(number: int, frame: FrameType | None) -> None:
        restore()
        stop()

    for number in earlier:
        signal.signal(number, once)
    try:
        yield
    finally:
        restore()


def mind_no_more() -> None:
    """All is done: a signal ends the process without a word, where Python would trace its own end."""
    if threading.current_thread() is threading.main_thread():
        for number in _handlers():
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def sparing_children(folder: str | None) -> Iterator[None]:
    """In the block the first of the signals leaves the children alone; they end with this process.

    For a library that ends this process in its own way when it misses them. Their folder, if one is given, goes after
    them: where they are :func:`spared` nobody else is to remove it.
    """
    _sparing.active, _sparing.folder = True, folder
    try:
        yield
    finally:
        _sparing.active = False


@contextmanager
def telling(words: Callable[[], str]) -> Iterator[None]:
    """If the block ends since a signal has come, `words` say what is finished and how to go on.

    They are asked for after whatever the block does at its end; of blocks within each other, the innermost one's count.
    """
    try:
        yield
    except BaseException:
        if _received.number is not None and _received.words is None:
            # What is told must not hide that it was an interrupt.
            with suppress(Exception):
                _received.words = words()
        raise


def rearm() -> None:
    """Put this process's handlers in place again, where a library has put its own before them, unseen by Python."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in _handlers().items():
            if handler is not None:
                signal.signal(number, handler)


def received() -> int | None:
    """The signal that has come, if any: whatever is raised then is but what it led to."""
    return _received.number


def spared() -> bool:
    """Whether a signal has come, and left the children alone."""
    return _received.number is not None and _received.spared


def adopt_orphans() -> None:
    """Have the processes of a child that has ended become this one's own, where Linux can: else nobody ends them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_children(but: str | None = None) -> None:
    """Kill every process that this one has started, and theirs, and wait; not those with `but` in their command."""
    try:
        import psutil
    except ModuleNotFoundError:
        return  # the evaluator alone starts none
    ended = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if but is None or but not in " ".join(child.cmdline()):
                child.kill()
                ended.append(child)
    # Not waited for by their numbers: who started one, such as a pool, would never learn that it is gone.
    until = time.monotonic() + _DYING_SECONDS
    while any(map(_runs, ended)) and time.monotonic() < until:
        time.sleep(_DYING_STEP_SECONDS)


def _runs(process: "psutil.Process") -> bool:
    import psutil

    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _leave(number: signal.Signals) -> NoReturn:
    # Late: with it comes rich, and signals are minded before anything else is imported.
    from vis_pipeline.terminal import echo

    words = _received.words or "the command is not finished; the same one does it again"
    # After SIGHUP there may be no terminal any more.
    with suppress(OSError, ValueError):
        echo(f"interrupted ({number.name}): {' '.join(words.split())}", err=True)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    # Threads that still run may complain of what they miss.
    for descriptor in (1, 2):
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    if _received.spared:
        import psutil

        program, packages = Path(__file__).with_name("last_program.py"), Path(psutil.__file__).parents[1]
        given = [str(program), str(packages), str(128 + number), *([_sparing.folder] if _sparing.folder else [])]
        with suppress(OSError):
            os.execv(sys.executable, [sys.executable, "-I", "-S", *given])
    end_children()
    # Past destructors and handlers of exit: Ray's would wait for the processes that are gone, and abort.
    os._exit(128 + number)


def _handlers() -> dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None]:
    """What each of the signals does now, but for those that are ignored."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    return {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
