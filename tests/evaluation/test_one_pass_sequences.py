"""UAV123, NfS and TrackingNet: their figures against a plain count, and what is unsound named."""

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.single_object.one_pass import otb_curves, trackingnet_curves, trackingnet_figures
from evaluation.single_object.protocols import protocol_scores
from vis_pipeline.errors import DataError

TRUE_BOX = st.tuples(*[st.floats(-9, 60)] * 2, *[st.floats(1, 40)] * 2)
ANY_BOX = st.tuples(*[st.one_of(st.floats(-40, 80), st.sampled_from([math.nan, 0.0, 0.5]))] * 4)


def plain_trackingnet(boxes: list, truth: list) -> dict[str, float]:
    """Frame by frame, threshold by threshold, the trapezoids one by one."""
    measured = []
    for frame, (found, true) in enumerate(zip(boxes, truth, strict=True)):
        tx, ty, tw, th = (round(value) for value in true)
        if not all(map(math.isfinite, found)) and frame:
            measured.append((0.0, math.inf, math.inf))
            continue
        x, y, w, h = (tx, ty, tw, th) if frame == 0 else (round(value) for value in found)
        pixels = {(c, r) for c in range(tx, tx + tw) for r in range(ty, ty + th)}
        ours = {(c, r) for c in range(x, x + w) for r in range(y, y + h)}
        across, down = (x + (w + 1) / 2) - (tx + (tw + 1) / 2), (y + (h + 1) / 2) - (ty + (th + 1) / 2)
        distances = np.hypot(across, down), np.hypot(across / tw, down / th)
        measured.append((len(pixels & ours) / len(pixels | ours), *distances))
    rows = {
        "AUC": [sum(one[0] > at for one in measured) for at in np.linspace(0, 1, 21)],
        "precision AUC": [sum(one[1] <= at for one in measured) for at in np.linspace(0, 50, 21)],
        "normalised AUC": [sum(one[2] <= at for one in measured) for at in np.linspace(0, 0.5, 21)],
    }
    return {name: sum(a + b for a, b in pairwise(row)) / 40 / len(truth) for name, row in rows.items()}


@settings(max_examples=25)
@given(st.lists(st.tuples(ANY_BOX, TRUE_BOX), min_size=1, max_size=4))
def test_trackingnet_is_that_of_the_plain_count(frames: list) -> None:
    boxes, truth = (list(part) for part in zip(*frames, strict=True))
    found = trackingnet_figures(trackingnet_curves(np.array(boxes), np.array(truth)))
    assert found == pytest.approx(plain_trackingnet(boxes, truth))


def rows(path: Path, boxes: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(f"{value:g}" for value in row) + "\n" for row in boxes))


TRUTH = np.array([[4 + 2 * index, 6 + index, 12, 10] for index in range(5)], dtype=float)


def test_uav_leaves_out_frames_without_the_object(tmp_path: Path) -> None:
    truth, boxes = TRUTH.copy(), TRUTH + 3
    truth[2] = math.nan
    rows(tmp_path / "UAV/anno/UAV20L/car.txt", truth)
    rows(tmp_path / "results/car.txt", boxes)
    scores = protocol_scores("uav20l", tmp_path / "results", tmp_path / "UAV")
    shown = [0, 1, 3, 4]
    np.testing.assert_allclose(scores.curves["success"], otb_curves(boxes[shown], truth[shown])["success"])


@pytest.mark.parametrize(
    ("protocol", "place", "row", "said"),
    [
        ("uav123", "anno/UAV123/{}.txt", 0, "line 1: the first box has NaN"),
        ("uav123", "anno/UAV123/{}.txt", 3, ""),
        ("trackingnet", "TEST/anno/{}.txt", 3, "line 4: the true box has NaN or no area"),
    ],
)
def test_nan_in_the_truth(tmp_path: Path, protocol: str, place: str, row: int, said: str) -> None:
    truth = TRUTH.copy()
    truth[row] = math.nan
    for name, boxes in (("good", TRUTH), ("odd", truth)):
        rows(tmp_path / "data" / place.format(name), boxes)
        rows(tmp_path / f"results/{name}.txt", TRUTH)
    scores = protocol_scores(protocol, tmp_path / "results", tmp_path / "data")
    assert set(scores.sequences) == ({"good"} if said else {"good", "odd"})
    assert not said or said in scores.left_out["odd"]


@pytest.mark.parametrize("protocol", ["uav123", "trackingnet"])
def test_no_area_and_other_lengths_are_named(tmp_path: Path, protocol: str) -> None:
    place = {"uav123": "anno/UAV123/{}.txt", "trackingnet": "TEST/anno/{}.txt"}[protocol]
    flat = TRUTH.copy()
    flat[1, 3] = 0
    for name, boxes in (("good", TRUTH), ("flat", flat), ("short", TRUTH), ("missing", TRUTH)):
        rows(tmp_path / "data" / place.format(name), boxes)
        rows(tmp_path / f"results/{name}.txt", TRUTH[: 4 if name == "short" else 5])
    (tmp_path / "results/missing.txt").unlink()
    scores = protocol_scores(protocol, tmp_path / "results", tmp_path / "data")
    assert set(scores.sequences) == {"good"}
    assert "line 2: the true box has NaN or no area" in scores.left_out["flat"]
    assert "4 rows, the ground truth has 5 frames" in scores.left_out["short"]
    assert "no result" in scores.left_out["missing"]


def test_nothing_of_the_form_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(DataError, match="no sequences in the form of nfs30"):
        protocol_scores("nfs30", tmp_path / "results", tmp_path)
