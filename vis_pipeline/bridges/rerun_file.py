"""Frames with their tracks as a recording of Rerun (`.rrd`), to be opened by `rerun FILE`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.bridges.extras import extra
from vis_pipeline.data.own_split import jpeg
from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import put_in_place, unfinished
from vis_pipeline.runs.worker import Watcher
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState
from vis_pipeline.visualize.palette import identity_colours

APPLICATION = "vis_pipeline"
FRAME, TIME = "frame", "time"
IMAGE, MASKS, BOXES = "image", "masks", "boxes"
ONLY_VIDEO = "video"
# Classes of Rerun are 16 bits wide, and 0 is what no object shows.
_MOST_CLASSES = 2**16 - 1
_ALL_COLOURS = 150


class RerunRecording:
    """Takes the frames of videos, one after another.

    Of each video, below an entity of its own: `image`, a JPEG; `masks`, a segmentation image uint16 [H, W]; `boxes`
    (x1, y1, x2, y2) with labels and, as values of ours, `track`, `score`, `category`, `class_name` and `state`. To
    Rerun a class is a track, so that each has its colour: class `track % 65535 + 1`, whose name is the number and the
    class of objects, in an annotation context that changes as these do. Where masks overlap, that of the better score
    is above. Timelines: `frame`, and `time` in seconds where the frames have times.
    """

    def __init__(self, stream: Any, class_names: Mapping[int, str]) -> None:
        self._rerun = extra("rerun", "rerun")
        self._stream = stream
        self._class_names = class_names
        self._colours = identity_colours(_ALL_COLOURS)
        self._named: dict[str, dict[int, str]] = {}
        self.frames = 0

    def add(self, video: str, frame: Frame, tracks: FrameTracks) -> None:
        """Add a frame of a video, under its name.

        Raises:
            DataError: the frame is too large for a JPEG.
        """
        rerun, tracks = self._rerun, tracks.shown()
        self.frames += 1
        self._stream.reset_time()
        self._stream.set_time(FRAME, sequence=frame.index)
        if tracks.time is not None:
            self._stream.set_time(TIME, duration=tracks.time)
        classes = tracks.ids % _MOST_CLASSES + 1
        names = [self._class_names.get(label, f"class {label}") for label in tracks.labels.tolist()]
        labels = [f"{number} {name}" for number, name in zip(tracks.ids.tolist(), names, strict=True)]
        self._name(video, dict(zip(classes.tolist(), labels, strict=True)))
        self._log(video, IMAGE, rerun.EncodedImage(contents=jpeg(frame), media_type="image/jpeg"))
        self._log(video, MASKS, rerun.SegmentationImage(_segmentation(tracks, classes)))
        if not len(tracks):
            # Else those of the frame before would stay.
            self._log(video, BOXES, rerun.Clear(recursive=False))
            return
        self._log(
            video,
            BOXES,
            rerun.Boxes2D(array=tracks.boxes, array_format=rerun.Box2DFormat.XYXY, class_ids=classes, labels=labels),
            rerun.AnyValues(
                track=tracks.ids,
                score=tracks.scores,
                category=tracks.labels,
                class_name=names,
                state=[MaskState(state).name.lower() for state in tracks.states],
            ),
        )

    def _name(self, video: str, names: Mapping[int, str]) -> None:
        known = self._named.setdefault(video, {})
        if names.items() <= known.items():
            return
        known.update(names)
        infos = [
            (number, name, tuple(self._colours[(number - 1) % _ALL_COLOURS][::-1].tolist()))
            for number, name in known.items()
        ]
        self._log(video, None, self._rerun.AnnotationContext(infos))

    def _log(self, video: str, part: str | None, *what: Any) -> None:
        self._stream.log([video] if part is None else [video, part], *what)


@contextmanager
def rerun_file(path: Path, class_names: Mapping[int, str]) -> Iterator[RerunRecording]:
    """What fills a file, which comes into its place when the block ends; after an error nothing of it is left.

    Raises:
        ConfigError: Rerun's SDK is not installed.
        DataError: nothing can be written there, or no frame came.
    """
    rerun = extra("rerun", "rerun")
    filled = unfinished(path)
    try:
        with _written_to(path):
            filled.touch()
        stream = rerun.RecordingStream(APPLICATION)
        stream.save(filled)
        recording = RerunRecording(stream, class_names)
        try:
            yield recording
        finally:
            stream.flush()
            stream.disconnect()
        if not recording.frames:
            raise DataError(f"{path}: not written, since no frame came")
        with _written_to(path):
            put_in_place(filled, path)
    finally:
        filled.unlink(missing_ok=True)


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    """Errors of the system are about this file."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error


@contextmanager
def into_rerun_file(path: Path, class_names: Mapping[int, str]) -> Iterator[Watcher]:
    """What puts the frames of one video, as they come, into a file, below `video`; see :func:`rerun_file`."""
    with rerun_file(path, class_names) as recording:

        def watch(frame: Frame, tracks: FrameTracks) -> None:
            recording.add(ONLY_VIDEO, frame, tracks)

        yield watch


def _segmentation(tracks: FrameTracks, classes: NDArray[np.int64]) -> NDArray[np.uint16]:
    image = np.zeros(tracks.size, dtype=np.uint16)
    for index in np.argsort(tracks.scores, kind="stable"):
        x, y = tracks.corners[index]
        mask = tracks.masks[index]
        image[y : y + mask.shape[0], x : x + mask.shape[1]][mask] = classes[index]
    return image
