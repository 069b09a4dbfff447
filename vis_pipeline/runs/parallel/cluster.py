"""Ray itself: started here, or reached at its address."""

import ctypes
import logging
import os
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vis_pipeline.errors import ConfigError
from vis_pipeline.files.regular_files import read_text
from vis_pipeline.interrupt import adopt_orphans, rearm, received, spared, sparing_children
from vis_pipeline.runs.parallel.ledger import first_line
from vis_pipeline.settings.cores import cores

REACH_SECONDS = 10
REARM_SECONDS = 0.05
# `ray::RayLog::InstallFailureSignalHandler(char const*, bool)`
INSTALL_HANDLER = "_ZN3ray6RayLog27InstallFailureSignalHandlerEPKcb"
OBJECT_STORE_BYTES = 256 * 2**20
# A socket's path has at most 107 bytes, of which Ray's own part takes 64 and the session's folder 13.
LONGEST_FOLDER = 30


@dataclass(frozen=True)
class RaySettings:
    """How videos are spread.

    Attributes:
        workers: processes, each with its own models.
        address: of a running Ray cluster, such as `auto` or `10.0.0.1:6379`; None starts one here, on loopback.
        gpus_per_worker: may be a fraction.
        retries: how often a video whose worker died is tried again.
        lockstep: videos that a worker has under way at a time; 0: as many as its device has memory for.
        timeout: seconds without a sign of life (a process that starts, models that are loaded, a frame that is done)
            after which a worker counts as dead.
    """

    workers: int = 1
    address: str | None = None
    gpus_per_worker: float = 0.0
    retries: int = 1
    lockstep: int = 1
    timeout: float = 600.0


@contextmanager
def ray_session(settings: RaySettings) -> Iterator[None]:
    """Ray: the caller's own, left as it is; or the one at the address; or one started here, on loopback."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray lowers its workers' priority to 15; they are what the user waits for.
    os.environ.setdefault("RAY_worker_niceness", "0")
    if settings.address is None:
        # Without this, Ray listens on the outward address even where it is told 127.0.0.1. It is read on import.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    else:
        _require_reachable(settings.address)
    import ray

    if ray.is_initialized():
        _require_resources(ray.cluster_resources(), settings)
        yield
        return
    with _started_here(settings) if settings.address is None else _joined(settings.address):
        _require_resources(ray.cluster_resources(), settings)
        yield


@contextmanager
def _started_here(settings: RaySettings) -> Iterator[None]:
    """A session on this machine, which leaves nothing behind."""
    _keep_out_of_home()
    # A signal to all may end Ray's own processes before its workers.
    adopt_orphans()
    with (
        _session_folder() as folder,
        _initialised(
            address="local",
            include_dashboard=False,
            num_cpus=max(cores(), settings.workers),
            object_store_memory=OBJECT_STORE_BYTES,
            _temp_dir=folder,
        ),
    ):
        yield


@contextmanager
def _joined(address: str) -> Iterator[None]:
    """A cluster that runs."""
    try:
        joined = ExitStack()
        joined.enter_context(_initialised(address=address))
    except (ConnectionError, ValueError) as error:
        raise ConfigError(f"--ray-address {address}: {_refusal(error)}") from error
    with joined:
        yield


@contextmanager
def _initialised(**how: Any) -> Iterator[None]:
    keeper = _Keeper(how)
    try:
        _have_ray_catch_signals()
        # While it registers, Ray's part of this process leaves at once, by a code of its own, if it misses the others.
        with _neutral_folder(), sparing_children(how.get("_temp_dir")):
            keeper.start()
            while not keeper.up.done():
                wait([keeper.up], timeout=REARM_SECONDS)
                rearm()
            keeper.up.result()
        yield
    finally:
        keeper.end.set()
        # After a signal its processes are gone already; Ray would wait for each, and this one is about to end.
        if received() is None:
            keeper.join()


class _Keeper(threading.Thread):
    """Starts Ray, and ends it when it is told to.

    In a thread of its own, so that the main one can be interrupted meanwhile and keeps its handlers, in whose place Ray
    puts others. Ray's processes end with the thread that started them: it stays as long as they are wanted.

    Attributes:
        up: done once Ray has started, or has failed to.
        end: set when Ray is not wanted any more.
    """

    def __init__(self, how: Mapping[str, Any]) -> None:
        super().__init__(name="ray", daemon=True)
        self.up: Future[None] = Future()
        self.end = threading.Event()
        self._how = how

    def run(self) -> None:
        """See the class."""
        import ray

        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **self._how)
            self.up.set_result(None)
            self.end.wait()
        except BaseException as error:
            self.up.set_exception(error)
        finally:
            if received() is None:
                ray.shutdown()


def _have_ray_catch_signals() -> None:
    """Once a process Ray puts a handler before ours, which writes a crash dump: have it do so now, and put ours back.

    It does so by itself while it starts, and holds the interpreter for some tenths of a second after it.
    """
    import ray._raylet

    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL(ray._raylet.__file__), INSTALL_HANDLER)(None, ctypes.c_bool(True))
    rearm()


def _out_of_our_group() -> None:
    # A signal to the group is this process's to mind: it ends Ray's in its own order. Elsewhere than on Linux they end
    # with their group.
    if sys.platform == "linux" and isinstance(threading.current_thread(), _Keeper):
        os.setpgrp()


os.register_at_fork(after_in_child=_out_of_our_group)


def _keep_out_of_home() -> None:
    """Ray writes a token for its session under HOME, which may not be writable, and where later sessions ask for it."""
    stored = Path(os.environ.get("HOME", "/")) / ".ray" / "auth_token"
    if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys() and not stored.is_file():
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


@contextmanager
def _session_folder() -> Iterator[str]:
    """Where Ray keeps what it writes, sockets and logs; gone at the end, which Ray's own folder never is."""
    parent = _short_folder()
    try:
        Path(parent).mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="ray-", dir=parent)
    except OSError as error:
        raise ConfigError(f"{parent}: Ray cannot write there ({error.strerror}); set RAY_TMPDIR to a folder") from error
    try:
        yield folder
    finally:
        if not spared():
            shutil.rmtree(folder, ignore_errors=True)


def _short_folder() -> str:
    """RAY_TMPDIR or TMPDIR, unless it is too long for Ray's sockets."""
    wanted = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    if len(wanted) <= LONGEST_FOLDER:
        return wanted
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        if os.access(folder, os.W_OK):
            return folder
    raise ConfigError(f"TMPDIR {wanted}: too long for Ray's sockets; set RAY_TMPDIR to a short folder")


@contextmanager
def _neutral_folder() -> Iterator[None]:
    """Start Ray elsewhere: its workers import from the folder that it was started in before anything else."""
    here = Path.cwd()
    os.chdir("/")
    try:
        yield
    finally:
        os.chdir(here)


def _require_reachable(address: str) -> None:
    """Ray itself gives up only after minutes; `auto` may lead to a cluster that has ended."""
    where = _last_cluster() if address == "auto" else address
    host, colon, port = where.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except OSError as error:
        meant = f", which stands for {where}" if where != address else ""
        raise ConfigError(
            f"--ray-address {address}{meant}: no Ray cluster there ({error.strerror or error})"
        ) from error


def _last_cluster() -> str:
    """The address that `auto` stands for, where it is known: the environment or the last `ray start` names it."""
    named = os.environ.get("RAY_ADDRESS", "")
    noted = Path(os.environ.get("RAY_TMPDIR") or "/tmp", "ray", "ray_current_cluster")
    return named or (read_text(noted).strip() if noted.is_file() else "")


def _refusal(error: Exception) -> str:
    """Why Ray could not be reached; it wraps a refused token in an error of connection."""
    if "InvalidAuthToken" in str(error.__cause__):
        return "the cluster asks for its token; set RAY_AUTH_MODE=token and give it as Ray's documentation says"
    return f"no Ray cluster there ({first_line(str(error))})"


def _require_resources(there: Mapping[str, float], settings: RaySettings) -> None:
    share = settings.gpus_per_worker
    if share > 1 and share != int(share):
        raise ConfigError(f"--gpus-per-worker {share:g}: above 1 it must be a whole number")
    for name, each in {"CPU": 1.0, "GPU": settings.gpus_per_worker}.items():
        if each * settings.workers > there.get(name, 0.0):
            raise ConfigError(
                f"--workers {settings.workers}: with {each:g} {name} each they need {each * settings.workers:g}, "
                f"Ray has {there.get(name, 0.0):g}; give fewer workers or a smaller share"
            )
