"""The videos of a finished run, frame by frame in the form in which the tracker gives them while it runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vis_pipeline import masks
from vis_pipeline.data.splits import read_split
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks, MaskState, TrackResult
from vis_pipeline.visualize.run_videos import RunVideo, RunVideos


class FinishedRun:
    """A run folder.

    Attributes:
        video_ids: those that are finished, rising.
        class_names: of the split's categories, by id; none for a run without a split.

    Raises:
        DataError: no run there, nothing finished in it, or the split or the frames cannot be found.
    """

    def __init__(self, run: Path, split: Path | None = None, frames: Path | None = None) -> None:
        """Take the split and the frames from where the run's config says that they were, or from elsewhere."""
        self._videos = RunVideos(run, split, frames)
        self.video_ids: Sequence[int] = self._videos.video_ids
        path = split or RunFolder.open(run).input_path("split")
        categories = () if path is None else replace(read_split(path), annotations=None).categories
        self.class_names: Mapping[int, str] = {category.id: category.name for category in categories}

    def select(self, video_ids: Sequence[int]) -> tuple[int, ...]:
        """The given videos, each once.

        Raises:
            DataError: one of them is not finished in this run.
        """
        return self._videos.select(video_ids)

    def name(self, video_id: int) -> str:
        """What to call a video: its name, with the id where another's would be the same file's."""
        return self._videos.file_stem(video_id)

    def open(self, video_id: int) -> RunVideo:
        """One video, as a whole.

        Raises:
            DataError: it is damaged or not in the split, or its frames cannot be found.
        """
        return self._videos.open(video_id)

    def frames(self, video_id: int) -> Iterator[tuple[Frame, FrameTracks]]:
        """The readable frames of a video with the finished tracks that they show.

        As :func:`frame_tracks` gives them: `ids` are the tracks' indices among the video's results, and each has the
        score of its whole track.

        Raises:
            DataError: as :meth:`open`.
        """
        video = self.open(video_id)
        for footage in video.source:
            if isinstance(footage, Frame) and footage.index < video.length:
                yield footage, frame_tracks(video.tracks, video.predicted, footage)


def frame_tracks(
    tracks: Sequence[TrackResult], predicted: Sequence[Collection[int]] | None, frame: Frame
) -> FrameTracks:
    """What finished tracks show in a frame; none is hidden.

    `predicted[i]` has the frames in which no detection stands behind the mask of track i; where it is None, all masks
    count as detected.
    """
    rles = [(number, rle) for number, track in enumerate(tracks) if (rle := track.segmentations[frame.index])]
    areas = masks.area([rle for _, rle in rles])
    shown = [(number, rle) for (number, rle), area in zip(rles, areas, strict=True) if area]
    numbers = [number for number, _ in shown]
    # x, y, w, h
    extents = masks.bounding_boxes([rle for _, rle in shown]).astype(np.int64)
    guessed = [predicted is not None and frame.index in predicted[number] for number in numbers]
    return FrameTracks(
        index=frame.index,
        time=frame.time,
        size=(frame.image.shape[0], frame.image.shape[1]),
        ids=np.array(numbers, dtype=np.int64),
        boxes=np.concatenate([extents[:, :2], extents[:, :2] + extents[:, 2:]], axis=1).astype(np.float32),
        scores=np.array([tracks[number].score for number in numbers], dtype=np.float32),
        labels=np.array([tracks[number].category_id for number in numbers], dtype=np.int64),
        states=np.where(guessed, MaskState.PREDICTED, MaskState.DETECTED).astype(np.int8),
        corners=extents[:, :2],
        masks=tuple(
            np.ascontiguousarray(masks.decode(rle)[y : y + height, x : x + width])
            for (_, rle), (x, y, width, height) in zip(shown, extents.tolist(), strict=True)
        ),
    )
