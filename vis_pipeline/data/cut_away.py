"""Videos that cut away: what they show leaves at once, another one's frames come in between, and it is back."""

from dataclasses import replace

from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation, Split, Video


def cut_away(split: Split, length: int) -> Split:
    """Each video with the first `length` frames of the next one after its first half, and nothing else new.

    The next one is that with the next id, after the last the first. Of annotated objects those of both are there, each
    where its own frames are; the second half is as far from the first as it was, so that who comes back has moved on.
    Frames are shown without times.

    Raises:
        DataError: there is one video only, the next one has frames of another size, or too few.
    """
    if len(split.videos) < 2:
        raise DataError("split: one video alone has no other to cut away to")
    order = sorted(split.videos, key=lambda video: video.id)
    made: list[Video] = []
    objects: list[Annotation] = []
    for here, there in zip(order, [*order[1:], order[0]], strict=True):
        _require_fit(here, there, length)
        half = here.length // 2
        names = (*here.file_names[:half], *there.file_names[:length], *here.file_names[half:])
        made.append(replace(here, length=len(names), file_names=names, times=None))
        for entry in split.annotations or ():
            if entry.video_id in (here.id, there.id):
                own = entry.video_id == here.id
                shown = _spread(entry, half, length) if own else _inserted(entry, half, length, here)
                if any(mask is not None for mask in shown.segmentations):
                    objects.append(replace(shown, id=len(objects) + 1, video_id=here.id))
    return replace(split, videos=tuple(made), annotations=None if split.annotations is None else tuple(objects))


def _spread(entry: Annotation, half: int, length: int) -> Annotation:
    """An object of the video itself: nothing of it in the frames that come in between."""
    gap = (None,) * length
    return replace(
        entry,
        segmentations=entry.segmentations[:half] + gap + entry.segmentations[half:],
        areas=None if entry.areas is None else entry.areas[:half] + gap + entry.areas[half:],
        occlusion=None if entry.occlusion is None else entry.occlusion[:half] + gap + entry.occlusion[half:],
    )


def _inserted(entry: Annotation, half: int, length: int, here: Video) -> Annotation:
    """An object of the other video, which only those frames show."""
    before, after = (None,) * half, (None,) * (here.length - half)
    return replace(
        entry,
        segmentations=before + entry.segmentations[:length] + after,
        areas=None if entry.areas is None else before + entry.areas[:length] + after,
        occlusion=None if entry.occlusion is None else before + entry.occlusion[:length] + after,
    )


def _require_fit(here: Video, there: Video, length: int) -> None:
    if (here.width, here.height) != (there.width, there.height):
        raise DataError(
            f"video {here.name}: {here.width}x{here.height}, and {there.name}, to which it would cut away, "
            f"{there.width}x{there.height}; only videos of one size can be cut together"
        )
    if there.length < length:
        raise DataError(f"video {there.name}: has {there.length} frames, too few to cut away to for {length}")
