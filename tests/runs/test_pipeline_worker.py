"""The worker of a run on a cheap detector: what becomes of each video that it has under way."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vis_pipeline.data.frames import ImageFrames
from vis_pipeline.errors import UserError
from vis_pipeline.runs.journal import Journal
from vis_pipeline.runs.parallel import VideoTask
from vis_pipeline.runs.worker import PipelineWorker
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.last_mask import NoPrediction
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker

SIZE = (12, 16)


class Everything:
    """Detects the whole frame, until it is asked for a frame that it fails on."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked: list[int] = []
        self._fails_at = fails_at

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.asked += [frame.index for frame in frames]
        if self._fails_at in self.asked:
            raise RuntimeError("out of memory")
        box = torch.tensor([[0.0, 0, SIZE[1], SIZE[0]]])
        whole = torch.ones((1, *SIZE), dtype=torch.bool)
        return [Detections(box, torch.ones(1), torch.ones(1, dtype=torch.int64), whole) for _ in frames]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "0.png"
    cv2.imwrite(str(path), np.full((*SIZE, 3), 90, np.uint8))
    return path


def worker(folder: Path | None, watched: list[tuple[int, int]]) -> PipelineWorker:
    def watch(frame: Frame, tracks: FrameTracks) -> None:
        watched.append((frame.video_id, tracks.index))

    tracker = LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"))
    return PipelineWorker(Everything(), tracker, 2, folder, watch)


def test_each_video_has_its_own_news_detections_and_end(picture: Path, tmp_path: Path) -> None:
    reported: dict[int, list[int]] = {1: [], 2: [], 3: []}
    watched: list[tuple[int, int]] = []
    ended: dict[int, VideoOutcome | UserError] = {}
    one = worker(tmp_path, watched)
    (tmp_path / "3.json").mkdir()
    for video_id, paths in {1: [picture] * 3, 2: [picture, tmp_path / "none.png"], 3: [picture]}.items():
        frames = ImageFrames(video_id, str(video_id), tuple(paths))
        one.begin(VideoTask(video_id, frames, len(paths)), reported[video_id].append)
    for _ in range(4):
        ended |= dict(one.step())
    assert one.step() == []
    whole, missing, unwritten = ended[1], ended[2], ended[3]
    assert isinstance(whole, VideoOutcome) and whole.length == 3
    assert isinstance(missing, UserError) and "none.png" in str(missing)
    assert isinstance(unwritten, UserError) and "3.json" in str(unwritten)
    assert sum(reported[1]) == 3
    assert [index for video_id, index in watched if video_id == 1] == [0, 1, 2]
    assert [entry["frame_index"] for entry in json.loads((tmp_path / "1.json").read_text())] == [0, 1, 2]
    assert not (tmp_path / "2.json").exists()


def with_journal(picture: Path, folder: Path) -> VideoTask:
    frames = ImageFrames(1, "1", (picture,) * 13)
    return VideoTask(1, frames, 13, Journal(folder / "1", {"config_hash": "ab"}))


def outcome_of(task: VideoTask, detector: Everything, folder: Path) -> tuple[VideoOutcome, list[int]]:
    reported: list[int] = []
    tracker = LifecycleTracker(NoPrediction(), TrackingSettings(), torch.device("cpu"))
    one = PipelineWorker(detector, tracker, 2, folder, checkpoint_every=4)
    one.begin(task, reported.append)
    while not (ended := one.step()):
        pass
    assert isinstance(ended[0][1], VideoOutcome), ended[0][1]
    return ended[0][1], reported


def test_a_worker_goes_on_where_another_one_died(picture: Path, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("whole", "killed")]
    for folder in folders:
        folder.mkdir()
    whole, _ = outcome_of(with_journal(picture, folders[0]), Everything(), folders[0])
    with pytest.raises(RuntimeError, match="out of memory"):
        outcome_of(with_journal(picture, folders[1]), Everything(fails_at=11), folders[1])
    detector = Everything()
    found, reported = outcome_of(with_journal(picture, folders[1]), detector, folders[1])
    assert detector.asked == [8, 9, 10, 11, 12]
    assert reported == [8, 2, 2, 1]
    assert replace(found, seconds={}) == replace(whole, seconds={})
    assert (folders[1] / "1.json").read_text() == (folders[0] / "1.json").read_text()


def test_what_cannot_be_gone_on_from_is_one_line(picture: Path, tmp_path: Path) -> None:
    task = with_journal(picture, tmp_path)
    assert task.journal is not None
    task.journal.begin().append(Checkpoint([{"detections": []}], {"taken": 4}, {}))
    one = worker(None, [])
    one.begin(task, lambda frames: None)
    ((_, error),) = one.step()
    assert isinstance(error, UserError) and str(error).endswith(
        "1.journal: not what a run keeps there; remove it to have it made again"
    )


def test_a_worker_that_does_not_see_the_run_folder_begins_at_the_beginning(picture: Path, tmp_path: Path) -> None:
    detector = Everything()
    outcome_of(with_journal(picture, tmp_path / "elsewhere"), detector, tmp_path)
    assert detector.asked == list(range(13)) and not (tmp_path / "elsewhere").exists()
