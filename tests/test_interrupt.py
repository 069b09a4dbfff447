"""Signals: each ends a process in the same way, with its children, in time, and says so in one line."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.started import started
from vis_pipeline import __version__

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("SIGHUP", "SIGINT", "SIGTERM")
TOLD = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
BEGUN = """
import ctypes, os, subprocess, sys, time
from vis_pipeline.interrupt import ending_orderly, sparing_children, telling
def waits_and_fails():
    try:
        time.sleep(300)
    except KeyboardInterrupt:
        import warnings
        warnings.warn("half a module")
        raise OSError("its child died")
with ending_orderly():
    told = {{"stdout": subprocess.PIPE, "text": True}}
    child = subprocess.Popen(["sh", "-c", "sleep 300 & echo $!; wait"], start_new_session=True, **told)
    with telling(lambda: "outer"), telling(lambda: "3 of 5\\n are finished"):
        try:
            print(child.pid, int(child.stdout.readline()), flush=True)
            {waiting}
        finally:
            print("in order", flush=True)
            {ending}
"""


@contextmanager
def begin(
    waiting: str = "time.sleep(300)", ending: str = "", ignored: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    def as_wanted() -> None:
        for name in NAMES:
            number = getattr(signal, name)
            signal.signal(number, signal.SIG_IGN if number == ignored else signal.default_int_handler)

    script = BEGUN.format(waiting=waiting, ending=ending)
    with started([sys.executable, "-c", script], **TOLD, preexec_fn=as_wanted) as process:
        yield process


def running(pid: int) -> bool:
    with suppress(OSError):
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    return False


def children(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(pid) for pid in process.stdout.readline().split()]


def wait_for(word: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None and process.stdout.readline() == f"{word}\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_signal_ends_a_process_and_its_children_with_a_line(name: str) -> None:
    with begin() as process:
        pids = children(process)
        process.send_signal(getattr(signal, name))
        out, err = process.communicate(timeout=20)
    assert process.returncode == 128 + getattr(signal, name)
    assert out == "in order\n"
    assert err == f"interrupted ({name}): 3 of 5 are finished\n"
    assert not [pid for pid in pids if running(pid)]


def test_an_error_that_the_signal_led_to_is_not_told() -> None:
    with begin("waits_and_fails()") as process:
        children(process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert err == "interrupted (SIGTERM): 3 of 5 are finished\n"


def test_a_signal_that_comes_while_c_calls_python_is_not_lost() -> None:
    """There an exception is told and dropped, as it is in destructors."""
    called = "lambda: (print('called', flush=True), time.sleep(1), None)[-1]"
    with begin(f"ctypes.CFUNCTYPE(None)({called})(); time.sleep(300)") as process:
        children(process)
        wait_for("called", process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (128 + signal.SIGTERM, "interrupted (SIGTERM): 3 of 5 are finished\n")


SPARED = """
with sparing_children({folder!r}):
    try:
        print("inside", flush=True)
        time.sleep(300)
    finally:
        print(child.poll(), flush=True)
        time.sleep(0.2)
"""


def test_children_that_are_spared_end_last_and_their_folder_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    (folder / "logs").mkdir(parents=True)
    waiting = textwrap.indent(SPARED.format(folder=str(folder)), " " * 12).strip()
    with begin(waiting) as process:
        pids = children(process)
        wait_for("inside", process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (128 + signal.SIGTERM, "None\nin order\n")
    assert err == "interrupted (SIGTERM): 3 of 5 are finished\n"
    until = time.monotonic() + 2
    while [pid for pid in pids if running(pid)]:
        assert time.monotonic() < until
    assert not folder.exists()


def test_without_a_folder_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    inside = "sparing_children(None).__enter__(); print('inside', flush=True)"
    with begin(f"os.chdir({str(tmp_path)!r}); {inside}; time.sleep(300)") as process:
        pids = children(process)
        wait_for("inside", process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM and not [pid for pid in pids if running(pid)]
    assert (tmp_path / "kept").is_dir()


def test_a_second_signal_does_not_wait_for_order() -> None:
    with begin(ending="time.sleep(300)") as process:
        children(process)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None and process.stdout.readline() == "in order\n"
        # What comes along with the first, as from `timeout`, is the same one.
        process.send_signal(signal.SIGINT)
        time.sleep(0.7)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGINT and err == ""


def test_what_is_to_be_ignored_is_ignored() -> None:
    with begin(waiting="time.sleep(0.5)", ignored=signal.SIGHUP) as process:
        pids = children(process)
        process.send_signal(signal.SIGHUP)
        process.wait(timeout=20)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "in order\n", "")


def test_who_started_a_process_learns_that_it_was_ended() -> None:
    """A pool asks for its processes by their numbers, and waits for ever for one that somebody else has waited for."""
    script = """
import os, subprocess, sys
from vis_pipeline.interrupt import end_children
process = subprocess.Popen(["sleep", "60"])
end_children()
assert os.waitpid(process.pid, os.WNOHANG)[0] == process.pid
"""
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)


DONE = """
import atexit, sys, time
from vis_pipeline.__main__ import main
atexit.register(lambda: (print("done", flush=True), time.sleep(300)))
sys.argv = ["vis-pipeline", "--version"]
main()
"""


@pytest.mark.parametrize("name", NAMES)
def test_after_the_command_a_signal_ends_the_process_without_a_word(name: str) -> None:
    with started([sys.executable, "-c", DONE], **TOLD) as process:
        wait_for(__version__, process)
        wait_for("done", process)
        process.send_signal(getattr(signal, name))
        assert process.communicate(timeout=20)[1] == ""
    assert process.returncode == -getattr(signal, name)


HALF_AN_ANSWER = """
import os, struct, sys, time
from multiprocessing.synchronize import SemLock
from vis_pipeline.interrupt import ending_orderly, telling
from vis_pipeline.process_pool import process_pool
named = SemLock._make_name
def told():
    name = named()
    print(name, end=" ", flush=True)
    return name
def half_an_answer():
    os.write(sys._getframe(1).f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1000))
    print("half", flush=True)
    time.sleep(300)
if __name__ == "__main__":
    SemLock._make_name = staticmethod(told)
    with ending_orderly(), telling(lambda: "done"), process_pool(1) as pool:
        pool.submit(half_an_answer).result()
"""


def test_a_process_that_is_killed_while_it_answers_is_not_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "half_an_answer.py"
    script.write_text(HALF_AN_ANSWER)
    with started([sys.executable, str(script)], **TOLD) as process:
        assert process.stdout is not None
        *semaphores, half = process.stdout.readline().split()
        assert semaphores and half == "half"
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (128 + signal.SIGTERM, "interrupted (SIGTERM): done\n")
    assert not [name for name in semaphores if Path(f"/dev/shm/sem.{name.strip('/')}").exists()]


def test_synth_in_several_processes_says_what_to_remove(tmp_path: Path) -> None:
    """The signal goes to all of them, as from a terminal."""
    out = tmp_path / "split"
    command = [sys.executable, "-m", "vis_pipeline", "synth", "--seed", "1", "--videos", "9", "--workers", "2"]
    with started(
        [*command, "--out", str(out)],
        **TOLD,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        until = time.monotonic() + 60
        while not list(out.glob("JPEGImages/*/*.jpg")):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGINT
    told = [line for line in err.splitlines() if "drawing" not in line and line.strip()]
    assert len(told) == 1 and told[0].startswith("interrupted (SIGINT): "), err
    assert told[0].endswith(f"videos are drawn, without their annotations; remove {out} and begin again")
