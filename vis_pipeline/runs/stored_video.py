"""A finished video as a run stores it, checked as if a stranger had written it."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, FiniteFloat, NonNegativeInt

from vis_pipeline.data.entries import Entry, Id, parsed
from vis_pipeline.data.results import tracks_from_json
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome


class _StoredVideo(Entry):
    video_id: Id
    length: NonNegativeInt
    height: NonNegativeInt
    width: NonNegativeInt
    seconds: dict[str, Annotated[FiniteFloat, Field(ge=0)]]
    notes: list[str]
    skipped: list[NonNegativeInt]
    searches: NonNegativeInt
    tracks: list[Any]


def stored_video(content: Any, video_id: int) -> VideoOutcome:
    """The outcome of video `video_id` from the parsed JSON of its file.

    Raises:
        DataError: a key is missing or of another type, the video is another one, or its tracks do not fit it; the text
            says which, not where.
    """
    stored = parsed(_StoredVideo, content)
    if stored.video_id != video_id:
        raise DataError(f"is of video {stored.video_id}")
    if any(index >= stored.length for index in stored.skipped):
        raise DataError(f"skipped: frame {max(stored.skipped)} of {stored.length}")
    tracks = tracks_from_json(stored.tracks, "tracks")
    _require_fit(tracks, stored)
    return VideoOutcome(
        tracks=tracks,
        length=stored.length,
        height=stored.height,
        width=stored.width,
        seconds=stored.seconds,
        notes=tuple(stored.notes),
        skipped=tuple(stored.skipped),
        searches=stored.searches,
    )


def _require_fit(tracks: Sequence[TrackResult], video: _StoredVideo) -> None:
    size = [video.height, video.width]
    for index, track in enumerate(tracks):
        if track.video_id != video.video_id:
            raise DataError(f"track {index} is of video {track.video_id}")
        if len(track.segmentations) != video.length:
            raise DataError(f"track {index} has {len(track.segmentations)} masks, the video {video.length} frames")
        if any(rle is not None and rle["size"] != size for rle in track.segmentations):
            raise DataError(f"track {index} has a mask of another size than the video's {video.width}x{video.height}")
