"""YouTube-VIS files: splits (2019, 2021 and 2022; with and without annotations) and results, read, checked and written.

The form is that of COCO with `videos` for `images` and, in each annotation or result, `segmentations` (one a frame,
null where the object is absent) for `segmentation`.
"""

from vis_pipeline.data.results import RESULTS_NAME, read_results, results_to_json, tracks_from_json
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.structures.splits import Annotation, Category, Split, TrackResult, Video

__all__ = [
    "RESULTS_NAME",
    "Annotation",
    "Category",
    "Split",
    "TrackResult",
    "Video",
    "read_results",
    "read_split",
    "results_to_json",
    "split_to_json",
    "tracks_from_json",
]
