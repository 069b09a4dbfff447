"""Detections on disk: read in place of a detector, and written by a run.

A file holds a JSON list of detections, or an object `{"categories": [{"id", "name"}, ...], "detections": [...]}`. Each
detection has

- `video_id`: of the split; it may be left out where there is one video, whose id with `run --video` is 1;
- `frame_index`: from 0 (or `image_id`, COCO's key, with the same meaning);
- `category_id`: of `categories`, which reach those of the split by their names; of a plain list the split's own ids;
- `score` in 0..1;
- `segmentation`: COCO's RLE, compressed or not, at the size of the frame, or polygons;
- `bbox`: x, y, w, h in pixels; left out, it is the mask's Min-max box.

Other keys are let be. In place of a file there may be a folder: that of a run made with `--save-detections`, its
`detections/`, or any other with a list of detections a video, `<video id>.json`, and `categories.json`, a list of
categories, where it is to state them.

Without a split (`run --video`) the stated categories are those of the results; of a plain list each id that occurs
becomes a category that is called by its number.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from detectors.detection_entries import FoundObject
from detectors.detection_files import Recording, ScannedDetections, open_recording, scan_detections
from vis_pipeline import masks
from vis_pipeline.structures.detections import Detections
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.uploads import uploaded

__all__ = [
    "RecordedDetections",
    "Recording",
    "ScannedDetections",
    "detections_to_json",
    "open_recording",
    "scan_detections",
]


class RecordedDetections:
    """A :class:`~detectors.base.Detector` that looks its answers up by `Frame.video_id` and `Frame.index`.

    At most `max_per_frame` detections with a score of at least `score_threshold` are kept a frame, in the order of the
    file. Those of the last `videos_in_memory` videos are in memory, their masks run-length encoded until their frame is
    asked for.
    """

    def __init__(
        self,
        recording: Recording,
        score_threshold: float = 0.0,
        max_per_frame: int | None = None,
        device: torch.device | str = "cpu",
        videos_in_memory: int = 1,
    ) -> None:
        self._recording = recording
        self._device = torch.device(device)
        self._score_threshold = score_threshold
        self._max_per_frame = max_per_frame
        self._of_video = lru_cache(videos_in_memory)(self._read)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The recorded detections of each frame; none where the file has none.

        Raises:
            DataError: the file is not as it was when it was opened.
        """
        return [self._detections(frame) for frame in frames]

    def _detections(self, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        recorded = self._of_video(frame.video_id).get(frame.index, [])
        strong = [entry for entry in recorded if entry.score >= self._score_threshold]
        best = sorted(range(len(strong)), key=lambda index: -strong[index].score)[: self._max_per_frame]
        entries = [strong[index] for index in sorted(best)]
        if not entries:
            return Detections.none(height, width, self._device)
        boxes = torch.tensor([entry.box for entry in entries], dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        return Detections(
            boxes=uploaded(boxes, self._device),
            scores=uploaded(np.array([entry.score for entry in entries], dtype=np.float32), self._device),
            labels=uploaded(np.array([entry.category_id for entry in entries], dtype=np.int64), self._device),
            masks=uploaded(np.stack([masks.decode(entry.mask) for entry in entries]), self._device),
        )

    def _read(self, video_id: int) -> dict[int, list[FoundObject]]:
        """By frame."""
        frames = defaultdict(list)
        for entry in self._recording.of_video(video_id):
            frames[entry.frame_index].append(entry)
        return dict(frames)


def detections_to_json(video_id: int, frame_index: int, detections: Detections) -> list[dict[str, Any]]:
    """The entries of one frame for the file that :class:`RecordedDetections` reads."""
    corners = detections.boxes.double().cpu()
    boxes = torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], dim=1)
    return [
        {
            "video_id": video_id,
            "frame_index": frame_index,
            "category_id": label,
            "score": score,
            "segmentation": rle,
            "bbox": box,
        }
        for label, score, rle, box in zip(
            detections.labels.tolist(),
            detections.scores.tolist(),
            masks.encode(detections.masks.cpu().numpy()),
            boxes.tolist(),
            strict=True,
        )
    ]
