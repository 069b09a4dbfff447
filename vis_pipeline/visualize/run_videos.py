"""What a run folder holds, video by video, together with the frames to draw on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vis_pipeline.data.frames import open_recorded, split_frames
from vis_pipeline.data.limits import NO_LIMITS, Limits
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.files.file_names import file_stem, file_stems
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.frames import FrameSource
from vis_pipeline.structures.splits import Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.visualize.provenance import predicted_frames
from vis_pipeline.visualize.text import can_draw


@dataclass(frozen=True)
class RunVideo:
    """One finished video.

    Attributes:
        split_id: its id in the split; None for the only video of a run without one.
        source: its frames; bad ones are skipped.
        outcome: what was found in it.
        predicted: of each track the frames in which no detection stands behind its mask; None where nobody knows.
    """

    split_id: int | None
    source: FrameSource
    outcome: VideoOutcome
    predicted: Sequence[Collection[int]] | None

    @property
    def tracks(self) -> Sequence[TrackResult]:
        """What was found in it."""
        return self.outcome.tracks

    @property
    def length(self) -> int:
        """Number of frames, as the run counted them."""
        return self.outcome.length


class RunVideos:
    """The finished videos of a run, opened one at a time.

    The run's config says where the split (`split`) and the frames (`frames`, a folder, or `video`, one video file or
    folder of images) were; the arguments take their place.

    Raises:
        DataError: no run there, nothing finished in it, or the split or the frames cannot be found.
    """

    def __init__(self, run: Path, split: Path | None = None, frames: Path | None = None) -> None:
        self._folder = RunFolder.open(run)
        video = self._folder.input_path("video")
        self._single = video is not None
        self._frames = frames or video or self._folder.input_path("frames")
        if self._frames is None:
            if live := self._folder.config().get("live"):
                raise DataError(
                    f"run folder {run}: the frames of {live} were not kept; run with --save-frames does that"
                )
            raise DataError(f"run folder {run}: its config does not say where the frames are; give --frames")
        split_path = split or self._folder.input_path("split")
        if split_path is None and not self._single:
            raise DataError(f"run folder {run}: its config does not say where the split is; give --split")
        self._split: Split | None = None if split_path is None else read_split(split_path)
        self._categories = () if self._split is None else self._split.categories
        self.video_ids = tuple(sorted(self._folder.finished()))
        if not self.video_ids:
            raise DataError(f"run folder {run}: no finished video in it; run it again to go on")

    @property
    def class_names(self) -> Mapping[int, str]:
        """Names of the split's categories by id, those that can be drawn; none for a run without a split."""
        return {category.id: category.name for category in self._categories if can_draw(category.name)}

    @property
    def undrawable_names(self) -> tuple[str, ...]:
        """Names of categories for which no font of this machine has the letters."""
        return tuple(category.name for category in self._categories if not can_draw(category.name))

    @property
    def all_names(self) -> Mapping[int, str]:
        """Names of the split's categories by id, as they are written; none for a run without a split."""
        return {category.id: category.name for category in self._categories}

    def numbered_classes(self, video_ids: Sequence[int]) -> Mapping[int, str]:
        """The classes that were found in some of the videos, by id, under the names that they have without a split."""
        found = {track.category_id for video_id in video_ids for track in self.outcome(video_id).tracks}
        return {identifier: f"class {identifier}" for identifier in sorted(found)}

    def select(self, video_ids: Sequence[int]) -> tuple[int, ...]:
        """The given videos, each once, in the order given.

        Raises:
            DataError: one of them is not finished in this run.
        """
        for video_id in video_ids:
            if video_id not in self.video_ids:
                raise DataError(f"run folder {self._folder.path}: video {video_id} is not among its finished videos")
        return tuple(dict.fromkeys(video_ids))

    def open(self, video_id: int) -> RunVideo:
        """One finished video.

        Raises:
            DataError: it is damaged or not in the split, or its frames cannot be found.
        """
        outcome = self.outcome(video_id)
        events = self._folder.read_events(video_id)
        described = f"events of video {video_id} of run folder {self._folder.path}"
        predicted = None if events is None else predicted_frames(events, len(outcome.tracks), described)
        split_id = None if self._single else video_id
        return RunVideo(split_id, self._source(video_id, outcome.length), outcome, predicted)

    def outcome(self, video_id: int) -> VideoOutcome:
        """What was found in a finished video.

        Raises:
            DataError: it is damaged.
        """
        return self._folder.read_video(video_id)

    def file_stem(self, video_id: int) -> str:
        """What to call the video's pictures: its name, with the id where another video's files have the same name."""
        if self._single or self._split is None:
            return file_stem(self._source(video_id, 1).name)
        self._video(video_id)
        return self._stems[video_id]

    @property
    def unfinished(self) -> int:
        """How many videos of the split are not finished."""
        return 0 if self._split is None else len(self._split.videos_by_id().keys() - set(self.video_ids))

    @cached_property
    def _stems(self) -> Mapping[int, str]:
        return file_stems({video.id: video.name for video in self._split.videos} if self._split else {})

    def _source(self, video_id: int, length: int) -> FrameSource:
        assert self._frames is not None
        if self._single:
            # A run with limits has no more frames than these, though the video has.
            limits = Limits(frames=length) if self._folder.config().get("limits") else NO_LIMITS
            return open_recorded(self._frames, "skip", video_id, limits)
        return split_frames(self._video(video_id), self._frames, "skip")

    def _video(self, video_id: int) -> Video:
        videos = {} if self._split is None else self._split.videos_by_id()
        if video_id not in videos:
            raise DataError(
                f"run folder {self._folder.path}: the split has no video {video_id}; give the run's --split"
            )
        return videos[video_id]
