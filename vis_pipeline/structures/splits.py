"""What YouTube-VIS files hold: videos, categories, annotations and results."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from vis_pipeline.masks import Rle


@dataclass(frozen=True)
class Category:
    """A class of objects; ids differ from year to year (person is 1 in 2019, 26 in 2021)."""

    id: int
    name: str


@dataclass(frozen=True)
class Video:
    """One video: sizes in pixels, `length` frames, `file_names` relative to the folder of all frames.

    `times` says when each frame is shown, in seconds, None where nobody knows; it is None where the file has no times.
    """

    id: int
    width: int
    height: int
    length: int
    file_names: tuple[str, ...]
    times: tuple[float | None, ...] | None = None

    @property
    def name(self) -> str:
        """The folder that holds the frames, as in the file names; the id as text where there is none."""
        folder = str(PurePosixPath(self.file_names[0]).parent)
        return str(self.id) if folder == "." else folder


@dataclass(frozen=True)
class Annotation:
    """One object of the ground truth over the whole video.

    Attributes:
        segmentations: `length` masks, None where the object is not visible.
        areas: the file's own areas in pixels, one a frame, or None where the file has none.
        iscrowd: the evaluator ignores the object.
        occlusion: the file's own level of occlusion a frame, as in OVIS, or None where the file has none.
    """

    id: int
    video_id: int
    category_id: int
    segmentations: tuple[Rle | None, ...]
    areas: tuple[float | None, ...] | None
    iscrowd: bool
    occlusion: tuple[str | None, ...] | None = None


@dataclass(frozen=True)
class Split:
    """Videos, categories and, where the file has them, annotations (None in the valid and test forms)."""

    videos: tuple[Video, ...]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...] | None

    def videos_by_id(self) -> dict[int, Video]:
        """The videos under their ids."""
        return {video.id: video for video in self.videos}
