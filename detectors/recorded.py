"""Detections on disk: read in place of a detector, and written by a run.

The file is a JSON list; each entry has `video_id`, `frame_index` (from 0), `category_id` of the split, `score` in 0..1,
`segmentation` (RLE at the size of the frame) and `bbox` (x, y, w, h in pixels; left out, it is the mask's Min-max box).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from detectors.base import Detections
from detectors.class_maps import build_recorded_map
from vis_pipeline import masks
from vis_pipeline.data.frames import Frame
from vis_pipeline.data.youtube_vis import Split, Video
from vis_pipeline.errors import DataError
from vis_pipeline.masks import Rle


class _Entry(BaseModel):
    video_id: int
    frame_index: int = Field(ge=0)
    category_id: int
    score: float = Field(ge=0, le=1, allow_inf_nan=False)
    segmentation: Any
    bbox: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class _Recorded:
    box: tuple[float, float, float, float]
    score: float
    label: int
    mask: Rle


class RecordedDetections:
    """A :class:`~detectors.base.Detector` that looks its answers up by `Frame.video_id` and `Frame.index`.

    `class_map` is as in :func:`~detectors.class_maps.build_recorded_map`. At most `max_per_frame` detections with a
    score of at least `score_threshold` are kept a frame, in the order of the file. Masks stay run-length encoded until
    their frame is asked for.

    Raises:
        DataError: the file cannot be read, or an entry (numbered from 0) does not fit the split.
        ConfigError: the class map cannot be used.
    """

    def __init__(
        self,
        path: Path,
        split: Split,
        class_map: str | None = None,
        score_threshold: float = 0.0,
        max_per_frame: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self._device = torch.device(device)
        self._score_threshold = score_threshold
        self._max_per_frame = max_per_frame
        self._frames = _read(path, split, build_recorded_map(split.categories, class_map))

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """The recorded detections of each frame; none where the file has none."""
        return [self._detections(frame) for frame in frames]

    def _detections(self, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        recorded = self._frames.get((frame.video_id, frame.index), [])
        strong = [entry for entry in recorded if entry.score >= self._score_threshold]
        best = sorted(range(len(strong)), key=lambda index: -strong[index].score)[: self._max_per_frame]
        entries = [strong[index] for index in sorted(best)]
        if not entries:
            return Detections.none(height, width, self._device)
        boxes = torch.tensor([entry.box for entry in entries], dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        return Detections(
            boxes=boxes.to(self._device),
            scores=torch.tensor([entry.score for entry in entries], dtype=torch.float32, device=self._device),
            labels=torch.tensor([entry.label for entry in entries], dtype=torch.int64, device=self._device),
            masks=torch.from_numpy(np.stack([masks.decode(entry.mask) for entry in entries])).to(self._device),
        )


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


def _read(path: Path, split: Split, category: Callable[[int], int | None]) -> dict[tuple[int, int], list[_Recorded]]:
    try:
        entries = TypeAdapter(list[_Entry]).validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"detections {path}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ": ".join(str(part) for part in first["loc"])
        where = f"entry {place}: " if place else "not a list of detections: "
        raise DataError(f"detections {path}: {where}{first['msg']}") from error
    videos = split.videos_by_id()
    frames: dict[tuple[int, int], list[_Recorded]] = defaultdict(list)
    for position, entry in enumerate(entries):
        try:
            label = category(entry.category_id)
            if label is not None:
                frames[entry.video_id, entry.frame_index].append(_checked(entry, label, videos.get(entry.video_id)))
        except KeyError:
            raise DataError(
                f"detections {path}: entry {position}: category {entry.category_id} is unknown; "
                "give a --class-map that knows it"
            ) from None
        except DataError as error:
            raise DataError(f"detections {path}: entry {position}: {error}") from error
    return dict(frames)


def _checked(entry: _Entry, label: int, video: Video | None) -> _Recorded:
    if video is None:
        raise DataError(f"the split has no video {entry.video_id}")
    if entry.frame_index >= video.length:
        raise DataError(f"frame {entry.frame_index}, but video {video.id} has {video.length} frames")
    try:
        mask = masks.from_segmentation(entry.segmentation, video.height, video.width)
        x, y, width, height = entry.bbox or masks.bounding_boxes([mask])[0].tolist()
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"a damaged segmentation ({error})") from error
    if not (np.isfinite([x, y, width, height]).all() and width >= 0 and height >= 0):
        raise DataError(f"bbox {[x, y, width, height]} is not x, y, w, h")
    return _Recorded((x, y, width, height), entry.score, label, mask)
