"""Masks that are shown where nothing is: what a tracker shows that goes on after it has lost its object."""

from collections.abc import Iterator, Sequence

from pycocotools import mask as coco_mask

from vis_pipeline.data.fit import checked_annotations, require_fit
from vis_pipeline.masks.track_iou import Track
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult

LEAST_SHARE = 0.5


def stray_share(results: Sequence[TrackResult], split: Split) -> float:
    """Share of the shown masks of which less than `LEAST_SHARE` of the pixels lies on annotated objects of any class.

    Crowds count as objects. 0 where no mask is shown.

    Raises:
        DataError: the split has no annotations, or an annotation or a result does not fit it.
    """
    annotations = checked_annotations(split)
    require_fit(results, split)
    shares = [
        share
        for video in split.videos
        for share in _on_objects(
            [result.segmentations for result in results if result.video_id == video.id],
            [annotation.segmentations for annotation in annotations if annotation.video_id == video.id],
            video.length,
        )
    ]
    return sum(share < LEAST_SHARE for share in shares) / len(shares) if shares else 0.0


def _on_objects(shown: Sequence[Track], true: Sequence[Track], frames: int) -> Iterator[float]:
    """For each shown mask of one video the share of its pixels that lies on any true mask of its frame."""
    for frame in range(frames):
        masks = [track[frame] for track in shown if track[frame] is not None]
        objects = [track[frame] for track in true if track[frame] is not None]
        if not masks:
            continue
        if not objects:
            yield from [0.0] * len(masks)
            continue
        # With a crowd pycocotools divides the intersection by the first mask's own area.
        yield from coco_mask.iou(masks, [coco_mask.merge(objects)], [1])[:, 0].tolist()
