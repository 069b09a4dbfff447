import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import ray
import torch
from ray import cloudpickle

from tests.started import started
from vis_pipeline import masks
from vis_pipeline.data.frames import ImageFrames
from vis_pipeline.errors import ConfigError, DataError, UserError, WeightsError
from vis_pipeline.protocols.results_folder import ResultsFolder
from vis_pipeline.protocols.spread import SequenceWorker, run_sequences
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.parallel import RaySettings, RunReport, VideoTask, run_in_process, run_videos
from vis_pipeline.runs.parallel.ledger import Ledger
from vis_pipeline.runs.parallel.line import Line
from vis_pipeline.settings.cores import threads_each
from vis_pipeline.settings.device import gpu_share
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = RaySettings(workers=2)


@dataclass
class Scripted:
    """Does with each video what its name says; leaves marks in `notes` for what a file system alone can remember."""

    notes: Path
    under_way: dict[int, tuple[VideoTask, Callable[[int], None]]] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)

    def begin(self, task: VideoTask, report: Callable[[int], None]) -> None:
        self.under_way[task.video_id] = task, report
        self.done[task.video_id] = 0
        with (self.notes / f"company-{task.video_id}").open("a") as marks:
            marks.write(f"{sorted(self.under_way)}\n")

    def step(self) -> list[tuple[int, VideoOutcome | UserError]]:
        ended = []
        for video_id, (task, report) in list(self.under_way.items()):
            outcome = self._ended(task, report)
            if outcome is not None:
                del self.under_way[video_id]
                ended.append((video_id, outcome))
        return ended

    def _ended(self, task: VideoTask, report: Callable[[int], None]) -> VideoOutcome | UserError | None:
        behaviour = task.frames.name
        tried = self.notes / f"tried-{task.video_id}"
        first = not tried.exists()
        tried.touch()
        if behaviour == "corrupt":
            return DataError(f"video {task.video_id}, frame 00003.jpg: damaged")
        if behaviour == "kills" or (behaviour == "kills once" and first):
            os.kill(os.getpid(), signal.SIGKILL)
        if behaviour == "fails":
            raise RuntimeError("out of memory\nand more lines")
        if behaviour == "hangs":
            report(1)
            time.sleep(600)
        if self.done[task.video_id] == task.expected_frames:
            return outcome(task.video_id, task.expected_frames)
        time.sleep(0.6 if behaviour == "slow" else 0)
        self.done[task.video_id] += 1
        report(1)
        return None


@dataclass(frozen=True)
class Factory:
    notes: Path

    def __call__(self) -> Scripted:
        (self.notes / f"loaded-{os.getpid()}").write_text(os.environ["OMP_NUM_THREADS"])
        (self.notes / f"card-{os.getpid()}").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
        return Scripted(self.notes)


def lacks_weights() -> Scripted:
    raise WeightsError("weights htc.pth: no such file")


@dataclass
class Listener:
    expected: Mapping[int, int | None] = field(default_factory=dict)
    already: int = 0
    advanced: list[tuple[int, int]] = field(default_factory=list)
    finished: dict[int, int] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)

    def start(self, expected: Mapping[int, int | None], already_finished: int) -> None:
        self.expected, self.already = expected, already_finished

    def advance(self, video_id: int, frames: int) -> None:
        self.advanced.append((video_id, frames))

    def finish(self, video_id: int, frames: int) -> None:
        self.finished[video_id] = frames

    def fail(self, video_id: int, reason: str) -> None:
        self.failed[video_id] = reason


def outcome(video_id: int, length: int) -> VideoOutcome:
    rle = masks.encode(np.ones((1, 2, 3), dtype=bool))[0]
    return VideoOutcome((TrackResult(video_id, 1, 0.5, (rle,) * length),), length, 2, 3, {"total": 1.0}, ())


def tasks(*behaviours: str, frames: int = 2) -> list[VideoTask]:
    return [VideoTask(index, ImageFrames(index, name, ()), frames) for index, name in enumerate(behaviours, start=1)]


def patience() -> float:
    """Seconds in which a worker starts for certain, by what one takes at the moment, and one that hangs is given up."""
    began = time.monotonic()
    worker = ray.remote(Scripted).remote(Path())
    ray.get(worker.__ray_ready__.remote())
    ray.kill(worker)
    return max(8, math.ceil(5 * (time.monotonic() - began)))


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    ray.init(
        address="local",
        num_cpus=3,
        num_gpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=100 * 2**20,
    )
    yield
    ray.shutdown()
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", {}, "abc")


@pytest.mark.usefixtures("local_ray")
def test_bad_videos_are_set_aside_and_the_rest_finish(folder: RunFolder, tmp_path: Path) -> None:
    listener = Listener()
    videos = tasks("good", "corrupt", "kills", "good", "kills once", "fails", "good")
    report = run_videos(videos, Factory(tmp_path), folder, SETTINGS, listener)
    assert folder.finished() == set(report.finished) == set(listener.finished) == {1, 4, 5, 7}
    assert set(report.set_aside) == set(listener.failed) == {2, 3, 6}
    assert report.set_aside[2] == "video 2, frame 00003.jpg: damaged"
    assert report.set_aside[3] == "video 3 (kills): its worker process died (2 tries)"
    assert report.set_aside[6] == "video 6 (fails): RuntimeError: out of memory (2 tries)"
    assert report.frames == 8 and report.seconds > 0
    with pytest.raises(DataError, match=r"^3 of 7 videos were set aside: .*frame 00003\.jpg") as raised:
        report.require_complete()
    assert "\n" not in str(raised.value)
    assert folder.read_video(5) == outcome(5, 2)
    log = (folder.path / "log.txt").read_text()
    assert "video 5 (kills once), try 1" in log and "set aside: video 3" in log

    again = Listener()
    rest = run_videos(tasks("good", "good", "good"), Factory(tmp_path), folder, SETTINGS, again)
    assert set(rest.finished) == {2, 3} and again.already == 1 and set(again.expected) == {2, 3}


@pytest.mark.usefixtures("local_ray")
def test_a_worker_that_the_memory_monitor_ends_is_one_video_s_failure(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = ray.get

    def get_or_run_out(reference: object, **options: object) -> object:
        value = get(reference, **options)
        if isinstance(value, list) and any(video_id == 2 for video_id, _ in value):
            raise ray.exceptions.OutOfMemoryError("the node was low on memory")
        return value

    monkeypatch.setattr(ray, "get", get_or_run_out)
    report = run_videos(tasks("good", "good", "good"), Factory(tmp_path), folder, SETTINGS, Listener())
    assert set(report.finished) == folder.finished() == {1, 3}
    assert report.set_aside == {2: "video 2 (good): Ray ended its worker (OutOfMemoryError) (2 tries)"}


@pytest.mark.usefixtures("local_ray")
def test_models_are_loaded_once_a_worker_and_progress_is_seen(folder: RunFolder, tmp_path: Path) -> None:
    listener = Listener()
    report = run_videos(tasks(*["slow"] * 4), Factory(tmp_path), folder, SETTINGS, listener)
    assert len(report.finished) == 4
    loaded = list(tmp_path.glob("loaded-*"))
    assert len(loaded) == 2
    assert {path.read_text() for path in loaded} == {str(threads_each(2))}
    assert {video_id for video_id, frames in listener.advanced if frames == 1}
    report.require_complete()


@pytest.mark.usefixtures("local_ray")
def test_three_workers_share_two_cards(folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    sharing = RaySettings(workers=3, gpus_per_worker=gpu_share("cuda", 3))
    run_videos(tasks(*["slow"] * 3, frames=4), Factory(tmp_path), folder, sharing, Listener()).require_complete()
    cards = sorted(path.read_text() for path in tmp_path.glob("card-*"))
    assert cards in (["0", "0", "1"], ["0", "1", "1"])


@pytest.mark.usefixtures("local_ray")
def test_of_videos_that_go_together_only_those_at_fault_are_set_aside(folder: RunFolder, tmp_path: Path) -> None:
    videos = tasks("good", "kills", "corrupt", "fails", "good", "good", "kills once", "good")
    together = RaySettings(workers=2, lockstep=3)
    report = run_videos(videos, Factory(tmp_path), folder, together, Listener())
    assert set(report.finished) == folder.finished() == {1, 5, 6, 7, 8}
    assert report.set_aside == {
        2: "video 2 (kills): its worker process died (2 tries)",
        3: "video 3, frame 00003.jpg: damaged",
        4: "video 4 (fails): RuntimeError: out of memory (2 tries)",
    }
    companies = (tmp_path / "company-2").read_text().splitlines()
    assert companies[0] != "[2]" and companies[1:] == ["[2]", "[2]"]
    log = (folder.path / "log.txt").read_text()
    assert "video 2 (kills), beside 1: its worker process died" in log or "video 2 (kills), beside 1, 3" in log


@pytest.mark.usefixtures("local_ray")
def test_of_videos_that_go_together_each_is_stored_as_it_ends(folder: RunFolder, tmp_path: Path) -> None:
    stored: dict[int, set[int]] = {}

    class Watching(Listener):
        def finish(self, video_id: int, frames: int) -> None:
            super().finish(video_id, frames)
            stored[video_id] = folder.finished()

    videos = [*tasks("slow", frames=4), *(VideoTask(key, ImageFrames(key, "good", ()), 1) for key in (5, 6, 7))]
    report = run_videos(videos, Factory(tmp_path), folder, RaySettings(lockstep=2), Watching())
    assert report.finished == (5, 6, 1, 7)
    assert all(video_id in finished for video_id, finished in stored.items())
    assert 1 not in stored[5]
    assert (tmp_path / "company-6").read_text() == "[1, 6]\n"


class SlowDisk(RunFolder):
    """A folder that is long in storing the first video, and cannot store the third."""

    def write_video(self, video_id: int, outcome: VideoOutcome) -> None:
        if video_id == 1:
            time.sleep(0.3)
        if video_id == 3:
            raise DataError("videos/3.json: cannot be written (No space left on device)")
        super().write_video(video_id, outcome)


@pytest.mark.parametrize("raised", [None, KeyboardInterrupt()])
def test_what_is_closed_is_stored_however_the_run_ends(folder: RunFolder, raised: BaseException | None) -> None:
    listener = Listener()
    videos = tasks("good", "good")
    with (
        suppress(KeyboardInterrupt),
        Ledger(SlowDisk(folder.path, "abc"), listener, retries=0) as ledger,
    ):
        for task in ledger.open(videos):
            ledger.close(task, outcome(task.video_id, 2))
            ledger.advance(task.video_id, 1)
        if raised:
            raise raised
    assert folder.finished() == {1, 2} and listener.advanced == []
    told = () if raised else (1, 2)
    assert ledger.report().finished == tuple(listener.finished) == told


def test_a_video_that_cannot_be_stored_ends_the_run(folder: RunFolder) -> None:
    videos = tasks("good", "good", "good")
    with (
        pytest.raises(DataError, match=r"3\.json: cannot be written"),
        Ledger(SlowDisk(folder.path, "abc"), Listener(), retries=0) as ledger,
    ):
        for task in ledger.open(videos):
            ledger.close(task, outcome(task.video_id, 2))
    assert folder.finished() == {1, 2}


@pytest.mark.usefixtures("local_ray")
def test_of_videos_that_go_together_the_one_that_hangs_is_found(folder: RunFolder, tmp_path: Path) -> None:
    patient = RaySettings(workers=1, retries=0, lockstep=2, timeout=patience())
    report = run_videos(tasks("good", "hangs", frames=3), Factory(tmp_path), folder, patient, Listener())
    assert report.finished == (1,)
    assert report.set_aside == {
        2: f"video 2 (hangs): its worker did nothing for {patient.timeout:g} s and was ended (1 try)"
    }


def test_no_worker_goes_without_a_video_while_another_has_several() -> None:
    line = Line(tasks(*["good"] * 5), RaySettings(workers=2, lockstep=4))
    assert [task.video_id for task in line.take(0)] == [1, 2, 3]
    assert [task.video_id for task in line.take(0)] == [4, 5] and not line


def test_a_video_that_comes_back_goes_last_and_alone() -> None:
    line = Line(tasks(*["good"] * 4), RaySettings(lockstep=2))
    first, second = line.take(0)
    line.put_back(first)
    line.put_back(second)
    assert [task.video_id for task in line.take(0)] == [3, 4] and len(line) == 2
    assert line.take(1) == []
    assert line.take(0) == [first] and line.take(1) == [] and line.take(0) == [second]


@pytest.mark.usefixtures("local_ray")
@dataclass(frozen=True)
class KillsOnce:
    """A benchmark whose first sequence kills its worker the first time."""

    notes: Path

    def is_done(self, given: ImageFrames, results: Path) -> bool:
        return (results / given.name).exists()

    def run(self, given: ImageFrames, trackers: object, results: Path, report: Callable[[int], None]) -> None:
        tried = self.notes / f"tried-{given.name}"
        first = not tried.exists()
        tried.touch()
        if given.name == "kills once" and first:
            os.kill(os.getpid(), signal.SIGKILL)
        if given.name == "corrupt":
            raise DataError("frame 00003.jpg: damaged")
        report(given.length or 0)
        (results / given.name).write_text("done")


@dataclass(frozen=True)
class SequenceFactory:
    benchmark: KillsOnce
    results: Path

    def __call__(self) -> SequenceWorker:
        return SequenceWorker(self.benchmark, None, self.results)


def test_sequences_of_a_benchmark_are_tried_again_when_their_worker_dies(local_ray: None, tmp_path: Path) -> None:
    listed = [ImageFrames(0, name, (tmp_path,) * 2) for name in ("kills once", "good", "corrupt")]
    folder, listener = ResultsFolder.create(tmp_path / "out", {}), Listener()
    factory = SequenceFactory(KillsOnce(tmp_path), folder.results)
    report = run_sequences(listed, factory, folder, SETTINGS, listener)
    assert (sorted(report.finished), report.frames) == ([1, 2], 4)
    assert report.set_aside == {3: "frame 00003.jpg: damaged"} == listener.failed
    assert "sequence kills once, try 1: its worker process died" in (tmp_path / "out/log.txt").read_text()


def test_a_worker_that_cannot_be_made_ends_the_run(folder: RunFolder) -> None:
    with pytest.raises(WeightsError, match=r"^weights htc\.pth: no such file$"):
        run_videos(tasks("good"), lacks_weights, folder, SETTINGS, Listener())


@pytest.mark.usefixtures("local_ray")
def test_resources_that_are_not_there_are_named(folder: RunFolder) -> None:
    with pytest.raises(ConfigError, match="--workers 9: with 1 CPU each they need 9, Ray has 3"):
        run_videos(tasks("good"), lacks_weights, folder, RaySettings(workers=9), Listener())
    with pytest.raises(ConfigError, match="1 GPU each they need 3, Ray has 2"):
        run_videos(tasks("good"), lacks_weights, folder, RaySettings(workers=3, gpus_per_worker=1), Listener())


@pytest.mark.usefixtures("local_ray")
def test_a_worker_that_hangs_is_ended_and_its_video_set_aside(folder: RunFolder, tmp_path: Path) -> None:
    patient = RaySettings(workers=2, retries=0, timeout=patience())
    listener = Listener()
    report = run_videos(tasks("hangs", "good", "good"), Factory(tmp_path), folder, patient, listener)
    assert set(report.finished) == {2, 3} and (1, 1) in listener.advanced
    assert report.set_aside == {
        1: f"video 1 (hangs): its worker did nothing for {patient.timeout:g} s and was ended (1 try)"
    }


@pytest.mark.usefixtures("local_ray")
def test_workers_that_ray_has_no_room_for_are_not_awaited_for_ever(folder: RunFolder, tmp_path: Path) -> None:
    holder = ray.remote(num_cpus=3)(Scripted).remote(tmp_path)
    ray.get(holder.__ray_ready__.remote())
    message = (
        r"^no worker could be started in 1 s: each asks Ray for 1 CPU and 0 GPU, and 0 CPU and 2 GPU are free; end"
    )
    with pytest.raises(ConfigError, match=message):
        run_videos(tasks("good"), Factory(tmp_path), folder, RaySettings(timeout=1), Listener())
    ray.kill(holder)


def test_an_address_without_a_cluster_is_named(folder: RunFolder) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(ConfigError, match=f"^--ray-address {address}: no Ray cluster there"):
            run_videos(tasks("good"), lacks_weights, folder, RaySettings(address=address), Listener())


def test_a_cluster_that_has_ended_is_not_waited_for(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray/ray_current_cluster").write_text(f"{address}\n")
        monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
        with pytest.raises(ConfigError, match=f"^--ray-address auto, which stands for {address}: no Ray cluster there"):
            run_videos(tasks("good"), lacks_weights, folder, RaySettings(address="auto"), Listener())
        with pytest.raises(ConfigError, match=f"^--ray-address ray://{address}: no Ray cluster there"):
            run_videos(tasks("good"), lacks_weights, folder, RaySettings(address=f"ray://{address}"), Listener())


def test_nothing_to_do_starts_nothing(folder: RunFolder) -> None:
    folder.write_video(1, outcome(1, 2))
    listener = Listener()
    report = run_videos(tasks("good"), lacks_weights, folder, SETTINGS, listener)
    assert report == RunReport((), {}, 0, 0.0) and listener.already == 1


def test_in_process(folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    listener = Listener()
    report = run_in_process(tasks("good", "corrupt", "good"), Factory(tmp_path), folder, listener)
    assert set(report.finished) == {1, 3} == folder.finished()
    assert report.set_aside == {2: "video 2, frame 00003.jpg: damaged"}
    assert listener.advanced == [(1, 1), (1, 2), (3, 1), (3, 2)]


SCRIPT = """
import sys
from pathlib import Path
from ray import cloudpickle
from vis_pipeline.interrupt import ending_orderly
sys.path[:0] = [sys.argv[2]]
import test_parallel as here
cloudpickle.register_pickle_by_value(here)
class Loud(here.Listener):
    def finish(self, video_id, frames):
        print("finished", video_id, here.ray._private.worker._global_node.get_session_dir_path(), flush=True)
run = Path(sys.argv[1])
folder = here.RunFolder.create(run, {}, "abc")
with ending_orderly():
    here.run_videos(
        [*here.tasks("slow", frames=60), here.VideoTask(9, here.ImageFrames(9, "good", ()), 1)],
        here.Factory(run), folder, here.RaySettings(workers=2), Loud(),
    )
"""


@pytest.mark.slow
def test_an_interrupted_run_keeps_what_is_finished(tmp_path: Path) -> None:
    """In an unfriendly place: modules of the user in the current folder, no HOME, a long TMPDIR; and by SIGTERM."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), str(Path(__file__).parent)]
    for module in ("scipy", "av", "detectors"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('run by accident')")
    long = tmp_path / ("long" * 12)
    long.mkdir()
    unfriendly = {"HOME": "/dev/null", "TMPDIR": str(long), "PYTHONSAFEPATH": "1"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | unfriendly
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(command, **pipes, env=environment, cwd=tmp_path, start_new_session=True) as process:
        assert process.stdout is not None and process.stderr is not None
        finished, video_id, session = process.stdout.readline().split()
        assert (finished, video_id) == ("finished", "9") and Path(session).is_dir()
        # To all of Ray's processes, too, as `timeout` and service managers do.
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
        # Without Ray's own crash dump.
        assert process.stderr.read().startswith("interrupted (SIGTERM): ")
    assert RunFolder.open(tmp_path / "run").finished() == {9}
    assert not Path(session).exists() and not Path(session).parent.exists()
    pids = [int(path.name.split("-")[1]) for path in (tmp_path / "run").glob("loaded-*")]
    time.sleep(2)
    assert pids and not [pid for pid in pids if running(pid)]


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
