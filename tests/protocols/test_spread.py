import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from box_folders import otb, trackers

from vis_pipeline.data.array_frames import ArrayFrames
from vis_pipeline.errors import DataError
from vis_pipeline.protocols import one_pass
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.otb import OTB
from vis_pipeline.protocols.results_folder import ResultsFolder, results_identity
from vis_pipeline.protocols.spread import SequenceWorker, SequenceWorkerFactory, run_sequences
from vis_pipeline.runs.parallel import RaySettings, RunReport
from vis_pipeline.runs.progress import ProgressBar
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.followers import FollowerSettings

FOLLOWERS = FollowerSettings(weights="bundled:siammask_small")


@dataclass(frozen=True)
class Colours(SequenceWorkerFactory[Any]):
    """Workers that find a square by its colour."""

    made: Callable[[], None] = lambda: None

    def __call__(self) -> SequenceWorker[Any]:
        self.made()
        return SequenceWorker(self.benchmark, trackers(), self.results)


def run(data: Path, out: Path, made: Callable[[], None] = lambda: None) -> RunReport:
    folder = ResultsFolder.create(out, {"benchmark": "otb"})
    factory = Colours(OTB, FOLLOWERS, "state", "cpu", folder.results, made)
    with ProgressBar(counted="sequences") as progress:
        return run_sequences(OTB.listing(data, None).found, factory, folder, RaySettings(), progress)


def test_one_bad_sequence_does_not_hold_up_the_rest_and_is_tried_again(tmp_path: Path) -> None:
    data = otb(tmp_path / "data", "A", "B", "C")
    image = data / "B/img/00000002.png"
    sound = image.read_bytes()
    image.write_bytes(b"")
    report = run(data, tmp_path / "out")
    assert (set(report.finished), report.frames) == ({1, 3}, 8)
    assert report.set_aside.keys() == {2} and "00000002.png" in report.set_aside[2]
    assert "00000002.png" in (tmp_path / "out/log.txt").read_text()
    assert sorted(path.name for path in (tmp_path / "out/results").iterdir()) == ["A.txt", "C.txt"]
    image.write_bytes(sound)
    written = (tmp_path / "out/results/A.txt").stat().st_mtime_ns
    assert run(data, tmp_path / "out").finished == (2,)
    assert (tmp_path / "out/results/A.txt").stat().st_mtime_ns == written
    made: list[int] = []
    assert run(data, tmp_path / "out", lambda: made.append(1)).finished == ()
    assert not made, "networks are loaded though all is done"


def test_what_nobody_expected_spoils_one_sequence_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = otb(tmp_path / "data", "A", "B", "C")
    follow = one_pass.follow_boxes

    def failing(given: Any, *rest: Any) -> Any:
        if given.name == "B":
            raise RuntimeError("out of memory\nand more lines")
        return follow(given, *rest)

    monkeypatch.setattr(one_pass, "follow_boxes", failing)
    report = run(data, tmp_path / "out")
    assert set(report.finished) == {1, 3}
    assert report.set_aside == {2: "RuntimeError: out of memory (log.txt says where)"}
    assert "in failing raise RuntimeError" in (tmp_path / "out/log.txt").read_text()


def test_what_is_finished_before_an_interrupt_stays(tmp_path: Path) -> None:
    data = otb(tmp_path / "data", "A", "B")

    class Stopping:
        found = 0

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *given: None

        def advance(self, video_id: int, frames: int) -> None:
            if video_id == 2:
                raise KeyboardInterrupt

    folder = ResultsFolder.create(tmp_path / "out", {})
    factory = Colours(OTB, FOLLOWERS, "state", "cpu", folder.results)
    with pytest.raises(KeyboardInterrupt):
        run_sequences(OTB.listing(data, None).found, factory, folder, RaySettings(), Stopping())
    assert [path.name for path in folder.results.iterdir()] == ["A.txt"]


def test_a_folder_holds_results_of_one_kind(tmp_path: Path) -> None:
    identity = results_identity("otb", FOLLOWERS, "state")
    assert identity == results_identity("otb", replace(FOLLOWERS), "state")
    ResultsFolder.create(tmp_path, identity)
    other = results_identity("otb", replace(FOLLOWERS, preset="vot", penalty_k=0.2), "opt")
    ResultsFolder.create(tmp_path, other)
    (tmp_path / "results/A.txt").write_text("1,2,3,4\n")
    with pytest.raises(DataError, match=r"other settings \(boxes, penalty_k, preset\); give another --out"):
        ResultsFolder.create(tmp_path, identity)
    ResultsFolder.create(tmp_path, other)
    assert json.loads((tmp_path / "run.json").read_text()) == other


def test_weights_count_by_content(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.pth", "b.pth", "c.pth")]
    for path, content in zip(files, (b"1", b"1", b"2"), strict=True):
        path.write_bytes(content)
    one, same, other = (results_identity("otb", FollowerSettings(weights=str(path)), "state") for path in files)
    assert one == same != other


class WholeNumbers:
    """What of a benchmark a worker needs, whose results are boxes with all their digits."""

    def is_done(self, given: Any, results: Path) -> bool:
        return (results / given.name).exists()

    def run(self, given: Any, trackers: Trackers, results: Path, report: Callable[[int], None]) -> None:
        followed = trackers.follow(ArrayFrames(1, given.images), np.array([40.0, 40.0, 60.0, 50.0]))
        (results / given.name).write_text("".join(f"{found.box.tolist()} {found.score}\n" for found in followed))


@dataclass(frozen=True)
class Drawn:
    name: str
    images: list[np.ndarray]

    @property
    def length(self) -> int:
        return len(self.images)


def test_threads_change_no_digit(tmp_path: Path) -> None:
    drawn = Drawn("drawn", list(generate_video(seed=20000, index=0).frames[:4]))
    followers = FollowerSettings(weights="bundled:siammask_lite0")
    earlier, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            folder = ResultsFolder.create(tmp_path / str(threads), {})
            factory = SequenceWorkerFactory(WholeNumbers(), followers, "state", "cpu", folder.results)
            with ProgressBar(counted="sequences") as progress:
                assert run_sequences([drawn], factory, folder, RaySettings(), progress).finished == (1,)
            found.append((folder.results / drawn.name).read_text())
    finally:
        torch.set_num_threads(earlier)
    assert found[0].count("\n") == 4 and found == found[:1] * 3
