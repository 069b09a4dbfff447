"""Objects of the ground truth in the colours of the identities that found them."""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vis_pipeline import masks
from vis_pipeline.data.frames import ImageFrames
from vis_pipeline.errors import DataError
from vis_pipeline.structures.splits import Annotation
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.visualize.ground_truth import LEAST_IOU, GroundTruth, true_identities
from vis_pipeline.visualize.identities import identities
from vis_pipeline.visualize.run_videos import RunVideo

HEIGHT, WIDTH, LENGTH = 8, 12, 3

_PLACES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(1, 4), st.integers(1, 3)), min_size=LENGTH, max_size=3
)


def _dense(places: list[tuple[int, int, int, int]]) -> NDArray[np.bool_]:
    found = np.zeros((LENGTH, HEIGHT, WIDTH), bool)
    for frame, (x, y, w, h) in zip(found, places, strict=True):
        frame[y : y + h, x : x + w] = True
    return found


def _annotation(identifier: int, dense: NDArray[np.bool_], category: int = 7) -> Annotation:
    return Annotation(identifier, 3, category, tuple(masks.encode(dense)), None, False)


@given(truth=st.lists(_PLACES, max_size=3), found=st.lists(_PLACES, max_size=3))
@settings(max_examples=60)
def test_counterparts_are_the_pairs_whose_ious_sum_to_most(truth: list, found: list) -> None:
    true_masks, found_masks = [_dense(places) for places in truth], [_dense(places) for places in found]
    tracks = [TrackResult(3, 7, 0.9 - 0.1 * n, tuple(masks.encode(dense))) for n, dense in enumerate(found_masks)]
    shown = identities(tracks, {}, 0.0)
    drawn = true_identities([_annotation(n, dense) for n, dense in enumerate(true_masks)], shown, {7: "ring"}, 5)
    iou = np.array([[(a & b).sum() / (a | b).sum() for b in found_masks] for a in true_masks]).reshape(
        len(truth), len(found)
    )
    slots = [*range(len(found)), *[-1] * len(truth)]
    best = max(
        sum(iou[row, column] for row, column in enumerate(way) if column >= 0)
        for way in permutations(slots, len(truth))
    )
    paired = [one for one in drawn if one.number <= len(found)]
    rows = [
        next(row for row, dense in enumerate(true_masks) if tuple(masks.encode(dense)) == one.segmentations)
        for one in paired
    ]
    shares = [iou[row, one.number - 1] for row, one in zip(rows, paired, strict=True)]
    assert len({one.number for one in drawn}) == len(drawn) == len(truth)
    # What is left out of the pairs is below the least.
    assert best - sum(shares) <= LEAST_IOU * (min(len(truth), len(found)) - len(paired)) + 1e-9
    assert all(one.figure == f"{share:.2f}" for one, share in zip(paired, shares, strict=True))
    assert [one.number for one in drawn if one.figure == "-"] == [6, 7, 8][: len(truth) - len(paired)]


def test_counterparts_share_number_and_colour_and_have_no_score() -> None:
    left, right = _dense([(0, 0, 4, 3)] * LENGTH), _dense([(7, 4, 4, 3)] * LENGTH)
    tracks = [TrackResult(3, 9, 0.9, tuple(masks.encode(right))), TrackResult(3, 7, 0.5, tuple(masks.encode(left)))]
    shown = identities(tracks, {7: "ring"}, 0.0)
    drawn = true_identities([_annotation(1, left), _annotation(2, right, 8)], shown, {7: "ring"}, 2)
    assert [(one.number, one.class_name, one.label.full) for one in drawn] == [
        (1, "class 8", "1 class 8"),
        (2, "ring", "2 ring"),
    ]
    for one, other in zip(drawn, shown, strict=True):
        np.testing.assert_array_equal(one.colour, other.colour)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    square = masks.encode(_dense([(0, 0, 4, 3)] * LENGTH))
    videos = [
        {
            "id": n,
            "width": WIDTH,
            "height": HEIGHT,
            "length": LENGTH,
            "file_names": [f"{name}/{i}.png" for i in (0, 1, 2)],
        }
        for n, name in ((3, "clip"), (8, "other"))
    ]
    annotation = {"id": 1, "video_id": 8, "category_id": 7, "iscrowd": 0, "segmentations": square}
    content = {"videos": videos, "categories": [{"id": 7, "name": "ring"}], "annotations": [annotation]}
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    return path


def _video(split_id: int | None, name: str, height: int = HEIGHT, length: int = LENGTH) -> RunVideo:
    frames = ImageFrames(split_id or 1, name, ())
    return RunVideo(split_id, frames, VideoOutcome([], length, height, WIDTH, {}), None)


def test_a_video_is_found_by_its_id_or_by_its_name(file: Path) -> None:
    truth = GroundTruth(file)
    assert truth.class_names == truth.all_names == {7: "ring"}
    assert truth.named({"ring", "star"}) == {7} and truth.named({"star"}) == set()
    assert truth.objects(_video(3, "clip")) == []
    assert [one.id for one in truth.objects(_video(8, "any"))] == [1]
    assert [one.id for one in truth.objects(_video(None, "other"))] == [1]
    content = json.loads(file.read_text())
    content["videos"] = content["videos"][1:]
    file.write_text(json.dumps(content))
    assert [one.id for one in GroundTruth(file).objects(_video(None, "my clip"))] == [1]


def test_faults_name_the_file_and_the_video(file: Path) -> None:
    truth = GroundTruth(file)
    with pytest.raises(DataError, match=r"instances.json: has no video 4 \(clip\), only 3, 8"):
        truth.objects(_video(4, "clip"))
    with pytest.raises(DataError, match="has no video 'third', only 3, 8"):
        truth.objects(_video(None, "third"))
    with pytest.raises(DataError, match=r"video 3 \(clip\) is 12x8, 3 frames, in the run 12x9, 3 frames"):
        truth.objects(_video(3, "clip", height=9))
    with pytest.raises(DataError, match="in the run 12x8, 4 frames"):
        truth.objects(_video(3, "clip", length=4))
    content = json.loads(file.read_text())
    del content["annotations"]
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"--gt .*instances.json: .*without ground truth"):
        GroundTruth(file)
