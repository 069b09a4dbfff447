import os
import subprocess
import sys

import pytest

from vis_pipeline.settings import cores as module
from vis_pipeline.settings.cores import cgroup_quota, cores, thread_environment, threads_each


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, None),
        ({"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container(tmp_path, files, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert cgroup_quota(tmp_path) == quota


def test_the_lower_of_affinity_and_quota_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert cores() == 8
    (tmp_path / "cpu.max").write_text("250000 100000")
    assert cores() == 3
    (tmp_path / "cpu.max").write_text("20000 100000")
    assert cores() == 1


@pytest.mark.parametrize(
    ("asked", "processes", "threads"),
    [(None, 1, 8), (None, 2, 4), (None, 3, 2), (None, 9, 1), ("1", 2, 1), ("6", 1, 6), ("0", 4, 2), ("32", 2, 4)],
)
def test_processes_share_the_cores_out(tmp_path, monkeypatch, asked, processes, threads):
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads_each(processes) == threads


def test_the_command_line_keeps_openmp_from_spinning_unless_told_otherwise():
    script = "import sys; sys.argv = ['x', '--version']; from vis_pipeline.cli.app import main; main()"
    names = "('OMP_WAIT_POLICY', 'OMP_NUM_THREADS', 'GOMP_SPINCOUNT')"
    show = f"import os, atexit; atexit.register(lambda: print(*map(os.environ.get, {names})))"
    environment = {key: value for key, value in os.environ.items() if key not in thread_environment(1)}
    for more, expected in (
        ({}, f"PASSIVE {cores()} 10000"),
        ({"OMP_NUM_THREADS": "7"}, "PASSIVE 7 10000"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, f"ACTIVE {cores()} None"),
    ):
        command = [sys.executable, "-c", f"{show}; {script}"]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment | more, check=True)
        assert ran.stdout.splitlines()[-1] == expected


def test_a_count_given_for_openmp_is_that_of_torch():
    script = (
        "from vis_pipeline.settings.cores import limit_threads\nlimit_threads()\n"
        "import torch\nprint(torch.get_num_threads())"
    )
    environment = {key: value for key, value in os.environ.items() if key not in thread_environment(1)}
    environment |= {"OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    assert ran.stdout.split() == ["1"]
