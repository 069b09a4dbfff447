"""The pipeline as Python sees it: load it once, then frames in, tracks out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector
from vis_pipeline.data.array_frames import ArrayFrames, array_frame
from vis_pipeline.data.frames import OnBadFrame, open_frames, prefetched
from vis_pipeline.engine import FrameLoop, Lane, in_lockstep
from vis_pipeline.errors import UserError
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.settings.device import torch_device
from vis_pipeline.structures.frames import Footage
from vis_pipeline.structures.splits import Category
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.trackers.base import Tracker

Source: TypeAlias = str | int | Path | Iterable[NDArray[np.uint8]]
"""A video: what `run --video` takes (a file, a folder of images, a pattern, the index of a camera, an address), or its
frames as arrays uint8 [H, W, 3], BGR (as OpenCV reads them)."""

VIDEO_ID = 1


class Pipeline:
    """A detector and a tracker with their networks loaded, for any number of videos.

    >>> from vis_pipeline import Pipeline
    >>> from vis_pipeline.synthesis.procedural.video import generate_video
    >>> frames = generate_video(seed=20000, index=0).frames[:3]
    >>> pipeline = Pipeline.from_config("procedural_small", device="cpu")
    >>> names = {category.id: category.name for category in pipeline.categories}
    >>> for tracks in pipeline.track(frames):
    ...     print(tracks.index, tracks.ids.tolist(), [names[label] for label in tracks.labels.tolist()])
    0 [0, 1, 2, 3, 4] ['star', 'disc', 'disc', 'crescent', 'ring']
    1 [0, 1, 2, 3, 4] ['star', 'disc', 'disc', 'crescent', 'ring']
    2 [0, 1, 2, 3, 4] ['star', 'disc', 'disc', 'crescent', 'ring']
    >>> outcome = pipeline.run(frames)
    >>> [(names[track.category_id], len(track.segmentations)) for track in outcome.tracks]
    [('star', 3), ('disc', 3), ('disc', 3), ('crescent', 3), ('ring', 3)]

    Attributes:
        categories: what the labels of its tracks mean: the detector's own classes.
    """

    def __init__(
        self, detector: Detector, tracker: Tracker[Any, Any], categories: Sequence[Category], batch_size: int = 1
    ) -> None:
        self.categories = tuple(categories)
        self._detector = detector
        self._tracker = tracker
        self._batch_size = batch_size

    @classmethod
    def from_config(
        cls, name: str = "real_small", device: str | None = None, options: Sequence[str] = ()
    ) -> "Pipeline":
        """Load a pipeline's networks.

        Args:
            name: its config: a file, or a packaged name; `real_small` is for ordinary video.
            device: `cpu`, `cuda` or `cuda:N`; None is CUDA where there is one, else the CPU.
            options: overrides of the config, each `a.b=value`.

        Raises:
            ConfigError: the config or the device cannot be used.
            WeightsError: weights are missing or do not fit.
        """
        settings = load_pipeline(name, options)
        chosen = replace(settings.detector, class_map="by-name")
        categories, where = chosen.categories(), torch_device(device, "device")
        detector = replace(settings, detector=chosen).build_detector(categories, where)
        return cls(detector, settings.tracker.build(settings.tracking, where), categories, chosen.batch_size)

    def track(self, source: Source, on_bad_frame: OnBadFrame = "error") -> Iterator[FrameTracks]:
        """The tracks of each frame of a video, as it goes on; with `on_bad_frame="skip"` of each readable one.

        Raises:
            DataError: the source or, unless they are skipped, a frame of it cannot be read.
        """
        yield from self._loop().over(_footage(source, on_bad_frame), self._batch_size)

    def run(self, source: Source, on_bad_frame: OnBadFrame = "error") -> VideoOutcome:
        """The finished tracks of a whole video.

        Raises:
            DataError: the source or, unless they are skipped, a frame of it cannot be read.
        """
        loop = self._loop()
        for _ in loop.over(_footage(source, on_bad_frame), self._batch_size):
            pass
        return loop.finish()

    def run_many(
        self, sources: Iterable[Source], lockstep: int = 4, on_bad_frame: OnBadFrame = "error"
    ) -> Iterator[tuple[int, VideoOutcome | UserError]]:
        """The finished tracks of many videos, `lockstep` of which advance together, so that they share batches.

        A video's outcome is what :meth:`run` gives, and comes with its place among the sources as soon as it is
        finished. One that cannot be read comes with its error instead; the others go on.
        """
        lanes = (
            Lane(place, self._loop(), _footage(source, on_bad_frame), self._batch_size)
            for place, source in enumerate(sources)
        )
        yield from in_lockstep(self._tracker, lanes, lockstep)

    def session(self) -> "PipelineSession":
        """Begin a video whose frames the caller has, one after another."""
        return PipelineSession(self._loop())

    def _loop(self) -> FrameLoop:
        return FrameLoop(VIDEO_ID, self._detector, self._tracker)


class PipelineSession:
    """One video, frame by frame as the caller has them; any number may be open at a time.

    >>> from vis_pipeline import Pipeline
    >>> from vis_pipeline.synthesis.procedural.video import generate_video
    >>> session = Pipeline.from_config("procedural_small", device="cpu").session()
    >>> for image in generate_video(seed=20000, index=0).frames[:2]:
    ...     tracks = session.update(image)
    >>> tracks.index, tracks.dense().shape
    (1, (5, 192, 320))
    >>> session.finish().length
    2
    """

    def __init__(self, loop: FrameLoop) -> None:
        self._loop = loop
        self._length = 0
        self._size: tuple[int, int] | None = None
        self._outcome: VideoOutcome | None = None

    def update(self, image: NDArray[np.uint8], time: float | None = None) -> FrameTracks:
        """The tracks of the next frame, an array uint8 [H, W, 3], BGR, which is copied; `time` is its own, in seconds.

        Raises:
            DataError: the array is of another kind, or of another size than those before.
            RuntimeError: the session is over.
        """
        if self._outcome is not None:
            raise RuntimeError("update: the session is over; begin another one by pipeline.session()")
        frame = array_frame(VIDEO_ID, self._length, image, self._size, time)
        (tracks,) = self._loop.over([frame], 1)
        self._length, self._size = self._length + 1, tracks.size
        return tracks

    def finish(self) -> VideoOutcome:
        """The finished tracks of all frames; the session is over."""
        if self._outcome is None:
            self._outcome = self._loop.finish()
        return self._outcome


def _footage(source: Source, on_bad_frame: OnBadFrame) -> Iterator[Footage]:
    """The frames of a source, which is opened when the first one is asked for."""
    if isinstance(source, (str, int, Path)):
        yield from prefetched(open_frames(source, on_bad_frame))
    else:
        yield from ArrayFrames(VIDEO_ID, source)
