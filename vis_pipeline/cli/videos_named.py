"""What `--only` leaves of a split."""

from dataclasses import replace
from typing import TYPE_CHECKING

from vis_pipeline.errors import DataError

if TYPE_CHECKING:
    from vis_pipeline.structures.splits import Split


def videos_named(split: "Split", names: str | None) -> "Split":
    """The split with the videos alone that are named, with commas between; None: all.

    Raises:
        DataError: it has no such video.
    """
    if names is None:
        return split
    wanted = [name.strip() for name in names.split(",")]
    unknown = set(wanted) - {video.name for video in split.videos}
    if unknown:
        raise DataError(f"--only: the split has no video {min(unknown)}")
    return replace(split, videos=tuple(video for video in split.videos if video.name in wanted))
