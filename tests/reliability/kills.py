"""Runs that are ended at random moments, and what was lost: the table of docs/reliability_runs.md.

    python tests/reliability/kills.py --times 3 --seed 0

Each run is begun, ended at a random moment (its driver by a signal, with its group or alone; or a worker by SIGKILL),
and given again until it is done. What is compared with a run that nobody disturbed: the bytes of `results.json`.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from short_splits import shorten  # noqa: E402

HOW = ("SIGKILL driver", "SIGKILL worker", "SIGINT group", "SIGTERM group", "SIGHUP group")
LEFT_SECONDS = 2.0
MOST_TRIES = 6
MARK = "VIS_PIPELINE_KILLS"


@dataclass
class Row:
    """What became of runs that were ended in one way."""

    ended: int = 0
    workers_killed: int = 0
    wrong_code: int = 0
    more_than_a_line: int = 0
    left_running: int = 0
    videos_lost: int = 0
    other_bytes: int = 0
    slowest: float = 0.0


def command(split: Path, out: Path) -> list[str]:
    given = ["--split", split / "instances.json", "--frames", split / "JPEGImages", "--device", "cpu", "--out", out]
    words = ["run", "procedural_small", *map(str, given), "--checkpoint-every", "3"]
    return [sys.executable, "-m", "vis_pipeline", *words]


def begin(split: Path, out: Path, mark: str) -> subprocess.Popen[str]:
    """With the signals as a terminal gives them, in a group of its own, marked so that its processes are found."""
    return subprocess.Popen(
        command(split, out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), MARK: mark},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def workers_of(mark: str) -> list[psutil.Process]:
    found = []
    for process in marked(mark):
        with suppress(psutil.Error):
            if "WorkerActor" in " ".join(process.cmdline()):
                found.append(process)
    return found


def finished(out: Path) -> set[str]:
    return {path.name for path in (out / "videos").glob("*.json")}


def once(split: Path, out: Path, how: str, after: float, row: Row) -> bool:
    """Give the command, end it after so many seconds; whether it was done before that."""
    mark, before = f"{how} {time.time()}", finished(out)
    with begin(split, out, mark) as process:
        try:
            _, said = process.communicate(timeout=after)
            assert process.returncode == 0, said
            return True
        except subprocess.TimeoutExpired:
            pass
        row.ended += 1
        ended_at = time.monotonic()
        name, whom = how.split()
        number = getattr(signal, name)
        if whom == "worker":
            workers = workers_of(mark)
            while not workers and process.poll() is None:
                time.sleep(0.1)
                workers = workers_of(mark)
            for worker in workers:
                with suppress(psutil.Error):
                    worker.kill()
            row.workers_killed += len(workers)
            process.communicate(timeout=600)
            row.wrong_code += process.returncode != 0
        else:
            (os.killpg if whom == "group" else os.kill)(process.pid, number)
            process.wait(timeout=60)
            row.slowest = max(row.slowest, time.monotonic() - ended_at)
            if number != signal.SIGKILL:
                assert process.stderr is not None
                said = process.stderr.read().splitlines()
                told = [line for line in said if line.strip() and "videos: video" not in line]
                if process.returncode == -number and not told:
                    row.ended -= 1  # the command was done, and Python about to end
                    return True
                row.wrong_code += process.returncode != 128 + number
                row.more_than_a_line += len(told) != 1
                if (process.returncode, len(told)) != (128 + number, 1):
                    print(f"{how} after {after:.2f} s: {process.returncode}", *told, sep="\n  ", flush=True)
    time.sleep(LEFT_SECONDS)
    left = marked(mark)
    row.left_running += bool(left)
    for one in left:
        one.kill()
    row.videos_lost += len(before - finished(out))
    return False


def undisturbed(words: list[str]) -> None:
    subprocess.run(words, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="Ends of each kind, at least.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--videos", type=int, default=3)
    parser.add_argument("--frames", type=int, default=12, help="Of each video.")
    parser.add_argument("--after", type=float, nargs=2, help="Ends evenly from one second to another; default: random.")
    parser.add_argument("--how", choices=HOW, action="append", help="Default: all.")
    given = parser.parse_args()
    rng, rows = random.Random(given.seed), {how: Row() for how in given.how or HOW}
    moments = None if given.after is None else np.linspace(*given.after, given.times).tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        split = folder / "split"
        synth = ["synth", "--seed", "7", "--videos", str(given.videos), "--out", str(split)]
        undisturbed([sys.executable, "-m", "vis_pipeline", *synth])
        shorten(split, given.frames)
        began = time.monotonic()
        undisturbed(command(split, folder / "whole"))
        whole, takes = (folder / "whole/results.json").read_bytes(), time.monotonic() - began
        for how, row in rows.items():
            number = 0
            while row.ended < given.times:
                out = folder / re.sub(r"\W", "-", f"{how}-{number}")
                number += 1
                for _ in range(MOST_TRIES):
                    at_random = takes * rng.uniform(0.1, 1.0)
                    wait = (moments[row.ended] if moments else at_random) if row.ended < given.times else 600.0
                    if once(split, out, how, wait, row):
                        break
                else:
                    undisturbed(command(split, out))
                row.other_bytes += (out / "results.json").read_bytes() != whole
            print(how, json.dumps(row.__dict__), flush=True)


if __name__ == "__main__":
    main()
