import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detectors.base import Detections
from detectors.recorded import RecordedDetections, detections_to_json
from vis_pipeline import masks
from vis_pipeline.data.frames import Frame
from vis_pipeline.data.youtube_vis import Category, Split, Video
from vis_pipeline.errors import DataError

HEIGHT, WIDTH = 6, 8
SPLIT = Split(
    videos=(Video(3, WIDTH, HEIGHT, 2, ("a/0.jpg", "a/1.jpg")),),
    categories=(Category(5, "five"), Category(2, "two")),
    annotations=None,
)


def _frame(index: int, video_id: int = 3) -> Frame:
    return Frame(video_id, index, str(index), np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8))


def _entry(**changes: Any) -> dict[str, Any]:
    mask = np.zeros((1, HEIGHT, WIDTH), dtype=bool)
    mask[0, 1:4, 2:7] = True
    entry = {
        "video_id": 3,
        "frame_index": 1,
        "category_id": 2,
        "score": 0.5,
        "segmentation": masks.encode(mask)[0],
        "bbox": [1.5, 1.0, 5.25, 3.0],
    }
    return {**entry, **changes}


def _written(path: Path, *entries: Any) -> Path:
    path.write_text(json.dumps(list(entries)))
    return path


def test_looks_up_by_video_and_frame(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry(frame_index=0, category_id=5), _entry(score=1, bbox=None))
    first, second = RecordedDetections(path, SPLIT).detect([_frame(0), _frame(1)])
    assert first.labels.tolist() == [5]
    assert second.labels.tolist() == [2, 2]
    assert second.scores.tolist() == [0.5, 1.0]
    assert second.boxes.tolist() == [[1.5, 1.0, 6.75, 4.0], [2.0, 1.0, 7.0, 4.0]]
    assert second.masks.sum().item() == 30 and second.masks[0, 1:4, 2:7].all()
    (none,) = RecordedDetections(path, SPLIT).detect([_frame(0, video_id=99)])
    assert len(none) == 0 and none.masks.shape == (0, HEIGHT, WIDTH)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    written = Detections(
        boxes=torch.tensor([[0.0, 0.0, 8.0, 6.0], [1.25, 2.5, 3.0, 5.5]]),
        scores=torch.tensor([0.123456, 1.0]),
        labels=torch.tensor([2, 5]),
        masks=torch.rand((2, HEIGHT, WIDTH), generator=generator) > 0.5,
    )
    path = _written(tmp_path / "d.json", *detections_to_json(3, 1, written))
    (read,) = RecordedDetections(path, SPLIT).detect([_frame(1)])
    for name in ("boxes", "scores", "labels", "masks"):
        torch.testing.assert_close(getattr(read, name), getattr(written, name))
    assert detections_to_json(3, 1, Detections.none(HEIGHT, WIDTH)) == []


def test_class_maps(tmp_path: Path) -> None:
    path = _written(tmp_path / "d.json", _entry(category_id=77), _entry(category_id=78))
    with pytest.raises(DataError, match="entry 0: category 77 is unknown; give a --class-map that knows it"):
        RecordedDetections(path, SPLIT)
    (found,) = RecordedDetections(path, SPLIT, "agnostic").detect([_frame(1)])
    assert found.labels.tolist() == [5, 5]
    table = tmp_path / "map.json"
    table.write_text(json.dumps({"77": "two", "78": None}))
    (found,) = RecordedDetections(path, SPLIT, str(table)).detect([_frame(1)])
    assert found.labels.tolist() == [2]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"video_id": 4}, "no video 4"),
        ({"frame_index": 2}, "frame 2, but video 3 has 2 frames"),
        ({"frame_index": -1}, "frame_index"),
        ({"score": float("nan")}, "score"),
        ({"score": 1.5}, "score"),
        ({"segmentation": {"size": [8, 6], "counts": "04"}}, r"size \[8, 6\], expected \[6, 8\]"),
        ({"segmentation": 3}, "segmentation"),
        ({"bbox": [1, 2, -3, 4]}, "bbox"),
        ({"bbox": [1, 2, 3]}, "bbox"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = _written(tmp_path / "d.json", _entry(), _entry(**changes))
    with pytest.raises(DataError, match=words) as caught:
        RecordedDetections(path, SPLIT)
    assert "entry 1" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "3"])
def test_a_file_that_is_not_a_list_of_detections(tmp_path: Path, content: str) -> None:
    path = tmp_path / "d.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"detections .*d\.json: "):
        RecordedDetections(path, SPLIT)
    with pytest.raises(DataError, match="cannot be read"):
        RecordedDetections(tmp_path / "none.json", SPLIT)
