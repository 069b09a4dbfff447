"""What a list of edits makes of the tracks of one video."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.corrections.edit_list import Delete, Edit, Handle, Join, Rename, Split, edit_name
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import TrackResult

_NOBODY = -1


@dataclass(frozen=True, eq=False)
class Corrected:
    """The N tracks of a video of F frames after M are left of them.

    Attributes:
        tracks: M, those that keep their index in its order, each followed by what was split off it.
        handles: M, how the edits called them.
        owners: int64 [N, F], which of the M tracks has the frame of each track before the edits; -1 for none.
        masks_left_out: by the index of the edit, the masks that a join had no place for.
    """

    tracks: tuple[TrackResult, ...]
    handles: tuple[Handle, ...]
    owners: NDArray[np.int64]
    masks_left_out: dict[int, int]


def apply(edits: Sequence[tuple[int, Edit]], tracks: Sequence[TrackResult]) -> Corrected:
    """Apply the edits of one video, each with its index in the list, in their order.

    - A joined track has the index and the class of the first that the edit names. In a frame that several of them
      show, the mask of the best scored stays (of equal scores the first named) and the others are left out.
    - Every frame keeps the score of the track that its mask comes from, and a track scores the mean over the frames
      that it shows. So a split off part scores what the whole did, a joined track the mean weighted by frames, and
      a split that undoes a join gives back the scores.

    Raises:
        DataError: a track is not there (any more), or a split leaves one side without a mask; the edit is named.
    """
    if not tracks:
        for index, edit in edits:
            raise DataError(f"{edit_name(index, edit)}: video {edit.video} has no tracks")
        return Corrected((), (), np.zeros((0, 0), dtype=np.int64), {})
    table = _Table(tracks)
    left_out: dict[int, int] = {}
    for index, edit in edits:
        try:
            if isinstance(edit, Join):
                left_out[index] = table.join(edit.handles)
            elif isinstance(edit, Split):
                table.split(edit.handle, edit.frame)
            elif isinstance(edit, Rename):
                table.rename(edit.handle, edit.category)
            elif isinstance(edit, Delete):
                table.delete(edit.handle)
        except DataError as error:
            raise DataError(f"{edit_name(index, edit)}: video {edit.video}: {error}") from error
    return table.corrected(left_out)


class _Table:
    """Who has which frame of the N tracks that there were.

    Nothing is moved or copied: a part is a number, and `_owners`, int64 [N, F], says whose each frame is. At most one
    of a part's frames at a time shows a mask.
    """

    def __init__(self, tracks: Sequence[TrackResult]) -> None:
        self._tracks = tracks
        self._shown = np.array([[mask is not None for mask in track.segmentations] for track in tracks], dtype=np.bool_)
        self._owners = np.repeat(np.arange(len(tracks))[:, None], self._shown.shape[1], axis=1)
        self._handles = [Handle(index) for index in range(len(tracks))]
        self._categories = [track.category_id for track in tracks]
        self._fates: dict[Handle, str] = {}

    def join(self, handles: Sequence[Handle]) -> int:
        """One object of several; how many masks were left out."""
        parts = [self._part(handle) for handle in handles]
        taken = np.zeros(self._shown.shape[1], dtype=np.bool_)
        left_out = 0
        for part in sorted(parts, key=lambda part: -self._score(part)):
            shows = (self._owners == part) & self._shown
            left_out += int(np.count_nonzero(shows & taken))
            self._owners[shows & taken] = _NOBODY
            taken |= shows.any(axis=0)
        # Where the joined track shows a mask, what became of its other parts in that frame is not its own story.
        self._owners[np.isin(self._owners, parts) & ~self._shown & taken] = _NOBODY
        self._owners[np.isin(self._owners, parts)] = parts[0]
        for handle in handles[1:]:
            self._fates[handle] = f"was joined to {handles[0]} before"
        return left_out

    def split(self, handle: Handle, frame: int) -> None:
        """Another object from a frame on."""
        part = self._part(handle)
        shows = ((self._owners == part) & self._shown).any(axis=0)
        if not (shows[:frame].any() and shows[frame:].any()):
            frames = np.flatnonzero(shows)
            where = f"its masks are in frames {frames[0]} to {frames[-1]}" if len(frames) else "it has no masks"
            raise DataError(f"{handle} has nothing on one side of frame {frame}: {where}")
        new = len(self._handles)
        self._handles.append(Handle(handle.track, sum(other.track == handle.track for other in self._handles)))
        self._categories.append(self._categories[part])
        later = self._owners[:, frame:]
        later[later == part] = new

    def rename(self, handle: Handle, category: int) -> None:
        """Another class."""
        self._categories[self._part(handle)] = category

    def delete(self, handle: Handle) -> None:
        """No object."""
        self._owners[self._owners == self._part(handle)] = _NOBODY
        self._fates[handle] = "was deleted before"

    def corrected(self, masks_left_out: dict[int, int]) -> Corrected:
        """What is left."""
        left = sorted((handle, part) for part, handle in enumerate(self._handles) if handle not in self._fates)
        places = np.full(len(self._handles) + 1, _NOBODY)
        places[[part for _, part in left]] = np.arange(len(left))
        return Corrected(
            tracks=tuple(self._track(part) for _, part in left),
            handles=tuple(handle for handle, _ in left),
            # -1, of nobody, is the last place, too.
            owners=places[self._owners],
            masks_left_out=masks_left_out,
        )

    def _part(self, handle: Handle) -> int:
        if handle in self._fates:
            raise DataError(f"{handle} {self._fates[handle]}")
        if handle.track >= len(self._tracks):
            raise DataError(f"there is no {Handle(handle.track)}; it has {len(self._tracks)}, from 0")
        if handle not in self._handles:
            raise DataError(f"there is no {handle}: no split before this edit has made it")
        return self._handles.index(handle)

    def _track(self, part: int) -> TrackResult:
        origins, frames = np.nonzero((self._owners == part) & self._shown)
        segmentations = [None] * self._shown.shape[1]
        for origin, frame in zip(origins.tolist(), frames.tolist(), strict=True):
            segmentations[frame] = self._tracks[origin].segmentations[frame]
        video_id = self._tracks[0].video_id
        return TrackResult(video_id, self._categories[part], self._score(part), tuple(segmentations))

    def _score(self, part: int) -> float:
        shown: list[int] = np.count_nonzero((self._owners == part) & self._shown, axis=1).tolist()
        counted = [(track.score, frames) for track, frames in zip(self._tracks, shown, strict=True) if frames]
        scores = {score for score, _ in counted} or {self._tracks[self._handles[part].track].score}
        # The mean of equal scores may be off by a bit.
        if len(scores) == 1:
            return scores.pop()
        return math.fsum(score * frames for score, frames in counted) / sum(frames for _, frames in counted)
