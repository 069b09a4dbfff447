"""The pipeline as Python sees it, on a detector and a tracker that need no weights."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from live_servers import live_http
from numpy.typing import NDArray

from vis_pipeline import FrameTracks, Pipeline
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.splits import Category
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.lifecycle import TrackingSettings
from vis_pipeline.trackers.lifecycle.tracker import LifecycleTracker
from vis_pipeline.trackers.siammask.architectures import ARCHITECTURES
from vis_pipeline.trackers.siammask.network import SiamMask
from vis_pipeline.trackers.siammask.predictor import SiamMaskPredictor
from vis_pipeline.trackers.siammask.propagator import SiamMaskPropagator
from vis_pipeline.trackers.siammask.settings import PRESETS

CPU = torch.device("cpu")
Image = NDArray[np.uint8]


class Bright:
    """Detects what is brighter than 200; counts the frames of each batch."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.batches.append(len(frames))
        return [self._one(frame.image) for frame in frames]

    def _one(self, image: Image) -> Detections:
        mask = torch.from_numpy(image.min(axis=2) > 200)
        if not mask.any():
            return Detections.none(*mask.shape)
        rows, columns = mask.nonzero().T
        box = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        return Detections(box[None], torch.tensor([0.9]), torch.tensor([1]), mask[None])


@pytest.fixture
def pipeline() -> Pipeline:
    """With an untrained SiamMask, whose predictions depend on every pixel that it is given."""
    torch.manual_seed(0)
    predictor = SiamMaskPredictor(SiamMask(ARCHITECTURES["small"]), PRESETS["davis"])
    tracker = LifecycleTracker(SiamMaskPropagator(predictor), TrackingSettings(), CPU)
    return Pipeline(Bright(), tracker, [Category(1, "square")], batch_size=2)


def images(length: int = 5) -> list[Image]:
    """A bright square on noise; in the third frame it is away."""
    frames = np.random.default_rng(0).integers(0, 90, (length, 48, 64, 3), dtype=np.uint8)
    for index, frame in enumerate(frames):
        if index != 2:
            frame[10:30, 8 + index : 24 + index] = 240
    return list(frames)


def said(tracks: FrameTracks) -> tuple[Any, ...]:
    """All that a frame's tracks say, comparable."""
    arrays = (tracks.ids, tracks.boxes, tracks.scores, tracks.labels, tracks.states, tracks.dense())
    return (tracks.index, tracks.time, *(array.tobytes() for array in arrays))


def test_a_video_comes_out_frame_by_frame_and_as_a_whole(pipeline: Pipeline) -> None:
    frames = list(pipeline.track(images()))
    assert [tracks.index for tracks in frames] == list(range(5))
    assert [tracks.ids.tolist() for tracks in frames] == [[0]] * 5
    assert pipeline._detector.batches == [2, 2, 1]  # type: ignore[attr-defined]
    outcome = pipeline.run(images())
    (track,) = outcome.tracks
    assert (track.category_id, len(track.segmentations), outcome.length) == (1, 5, 5)
    assert pipeline.categories == (Category(1, "square"),)


def test_frames_come_out_before_the_last_one_is_there(pipeline: Pipeline) -> None:
    given = iter(images())
    tracked = pipeline.track(given)
    assert next(tracked).index == 0
    assert len(list(given)) == 3


def test_a_session_gives_what_the_whole_video_does(pipeline: Pipeline) -> None:
    session = pipeline.session()
    stepped = [session.update(image) for image in images()]
    assert [said(tracks) for tracks in stepped] == [said(tracks) for tracks in pipeline.track(images())]
    outcome, whole = session.finish(), pipeline.run(images())
    assert outcome.tracks == whole.tracks and outcome.events == whole.events
    assert session.finish() is outcome
    with pytest.raises(RuntimeError, match="the session is over"):
        session.update(images()[0])


def test_sessions_do_not_disturb_each_other(pipeline: Pipeline) -> None:
    first, second = pipeline.session(), pipeline.session()
    small = [np.ascontiguousarray(image[:40, :50]) for image in images()]
    pairs = [(first.update(image), second.update(other)) for image, other in zip(images(), small, strict=True)]
    assert [said(pair[0]) for pair in pairs] == [said(tracks) for tracks in pipeline.track(images())]
    assert [said(pair[1]) for pair in pairs] == [said(tracks) for tracks in pipeline.track(small)]


def test_the_caller_may_draw_on_the_frames_and_use_their_memory_again(pipeline: Pipeline) -> None:
    def one_buffer() -> Any:
        buffer = np.zeros((48, 64, 3), np.uint8)
        for image in images():
            buffer[:] = image
            yield buffer
            buffer[:] = 255

    plain = [said(tracks) for tracks in pipeline.track(images())]
    assert [said(tracks) for tracks in pipeline.track(one_buffer())] == plain
    session, stepped = pipeline.session(), []
    for image in one_buffer():
        stepped.append(said(session.update(image)))
        image[:] = 0
    assert stepped == plain


def test_arrays_may_be_views_and_have_times(pipeline: Pipeline) -> None:
    turned = [np.ascontiguousarray(image[:, :, ::-1])[:, :, ::-1] for image in images()]
    assert [said(tracks) for tracks in pipeline.track(turned)] == [said(tracks) for tracks in pipeline.track(images())]
    assert pipeline.session().update(images()[0], time=2.5).time == 2.5


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((48, 64), np.uint8), r"frame 1: is uint8 \(48, 64\), expected a NumPy array uint8"),
        (np.zeros((48, 64, 3), np.float32), "frame 1: is float32"),
        (np.zeros((48, 64, 4), np.uint8), "frame 1: is uint8"),
        (np.zeros((0, 64, 3), np.uint8), "frame 1: is empty"),
        (np.zeros((64, 48, 3), np.uint8), "frame 1: is 48x64, expected 64x48"),
        (torch.zeros((48, 64, 3)), "frame 1: is Tensor"),
    ],
)
def test_what_is_no_frame_is_named(pipeline: Pipeline, image: Any, message: str) -> None:
    session = pipeline.session()
    session.update(images()[0])
    with pytest.raises(DataError, match=message):
        session.update(image)
    # Refused, not taken in.
    assert session.update(images()[1]).index == 1
    with pytest.raises(DataError, match=message):
        list(pipeline.track([images()[0], image]))


def test_a_folder_and_its_name_are_sources(pipeline: Pipeline, tmp_path: Path) -> None:
    for index, image in enumerate(images()):
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    plain = [said(tracks) for tracks in pipeline.track(images())]
    assert [said(tracks) for tracks in pipeline.track(tmp_path)] == plain
    assert [said(tracks) for tracks in pipeline.track(str(tmp_path))] == plain
    (tmp_path / "2.png").write_bytes(b"none")
    with pytest.raises(DataError, match=r"frame 2\.png"):
        list(pipeline.track(tmp_path))
    skipped = list(pipeline.track(tmp_path, on_bad_frame="skip"))
    assert [tracks.index for tracks in skipped] == [0, 1, 3, 4]
    assert pipeline.run(tmp_path, on_bad_frame="skip").skipped == (2,)
    with pytest.raises(DataError, match="no such file or folder"):
        pipeline.run(tmp_path / "none.mp4")


def test_many_videos_come_out_as_they_do_one_by_one(pipeline: Pipeline, tmp_path: Path) -> None:
    small = [np.ascontiguousarray(image[:40, :50]) for image in images(3)]
    found = dict(pipeline.run_many([images(), tmp_path / "none.mp4", small, images(4)], lockstep=3))
    assert sorted(found) == [0, 1, 2, 3]
    assert isinstance(found[1], DataError) and "none.mp4: no such file" in str(found[1])
    for place, source in ((0, images()), (2, small), (3, images(4))):
        outcome, alone = found[place], pipeline.run(source)
        assert isinstance(outcome, VideoOutcome)
        assert (outcome.tracks, outcome.events, outcome.length) == (alone.tracks, alone.events, alone.length)


def test_a_config_or_device_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="config procedural_smal: no such file"):
        Pipeline.from_config("procedural_smal")
    with pytest.raises(ConfigError, match="device quantum"):
        Pipeline.from_config("procedural_small", device="quantum")


def test_importing_the_package_is_light() -> None:
    probe = "import sys, vis_pipeline; print('Pipeline' in dir(vis_pipeline), {'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout == "True set()\n"


def test_a_stream_is_tracked_as_it_comes_and_left_when_its_caller_leaves(pipeline: Pipeline) -> None:
    with live_http(frames=10_000) as server:
        stream = pipeline.track(server.url("cam.mjpg"))
        times = [tracks.time for tracks, _ in zip(stream, range(6), strict=False)]
        assert times == sorted(times) and times[0] == 0
        stream.close()  # type: ignore[attr-defined]
        assert not [thread for thread in threading.enumerate() if thread.name == "live"]
    with pytest.raises(DataError, match="camera 97: no such camera"):
        list(pipeline.track(97))
