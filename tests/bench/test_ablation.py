"""Figures of tracks by hand, and their means over workloads."""

from dataclasses import replace

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.bench.ablation import AblationRow, Spread, TrackingFigures, summarise, to_json, tracking_figures
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

ROW = AblationRow("none", TrackingFigures(0.5, 0.6, 0.7, 0.8, 3, 1.5, 0.1, 9, 4), 2.0, 30.0)


def square(left):
    mask = np.zeros((1, 10, 40), dtype=bool)
    mask[0, :, left : left + 10] = True
    return masks.encode(mask)[0]


def test_an_object_that_returns_as_another_track():
    one, other = square(0), square(20)
    video = Video(1, 40, 10, 6, tuple(f"{frame}.jpg" for frame in range(6)))
    truth = Split(
        (video,),
        (Category(1, "x"),),
        (
            Annotation(1, 1, 1, (one, one, None, None, one, one), None, False),
            Annotation(2, 1, 1, (other,) * 6, None, False),
        ),
    )
    results = [
        TrackResult(1, 1, 0.9, (other,) * 6),
        TrackResult(1, 1, 0.8, (one, one, None, None, None, None)),
        TrackResult(1, 1, 0.7, (None, None, None, None, one, one)),
    ]
    figures = tracking_figures(results, truth)
    assert (figures.births, figures.rebirths, figures.switches) == (3, 1, 1)
    # Of 10 masks 8 are under the right identity; the 2 of the third track are under none.
    assert figures.idf1 == pytest.approx(2 * 8 / (2 * 8 + 2 + 2))
    # Six masks have all 6 of theirs, four have 2 of the 4.
    assert figures.assa == pytest.approx((6 * 1 + 4 * 0.5) / 10)
    assert figures.hota == pytest.approx(np.sqrt(0.8))
    assert figures.tracks_per_object == pytest.approx(1.5)
    assert figures.stray == 0
    # The first object is found at IoU 0.5 alone, by the second track: of 10 thresholds 1 has both, 9 the half.
    assert figures.ap == pytest.approx((1 + 9 * 51 / 101) / 10)


def test_a_figure_s_spread_over_workloads():
    rows = [
        ROW,
        replace(ROW, variant="more", frames_per_second=1.0),
        replace(ROW, figures=replace(ROW.figures, idf1=0.9, rebirths=6)),
        replace(ROW, variant="more", frames_per_second=3.0),
        replace(ROW, figures=replace(ROW.figures, idf1=0.6, rebirths=5)),
        replace(ROW, variant="more", frames_per_second=8.0),
    ]
    none, more = summarise(rows)
    assert (none.variant, more.variant) == ("none", "more")
    assert [row.figures.idf1 for row in none.rows] == [0.6, 0.9, 0.6]
    assert none.spreads["rebirths"] == Spread(5, 1, 4, 6)
    assert none.spreads["idf1"].mean == pytest.approx(0.7)
    assert none.spreads["idf1"].deviation == pytest.approx(np.sqrt((0.01 + 0.04 + 0.01) / 2))
    assert more.spreads["frames_per_second"] == Spread(4, pytest.approx(np.sqrt((9 + 1 + 16) / 2)), 1, 8)
    content = to_json([none, more], ["a", "b", "c"])
    assert [workload["folder"] for workload in content[1]["workloads"]] == ["a", "b", "c"]
    assert [workload["frames_per_second"] for workload in content[1]["workloads"]] == [1, 3, 8]
    assert content[1]["mean"]["frames_per_second"] == 4
    assert content[0]["least"]["rebirths"] == 4 and content[0]["most"]["rebirths"] == 6


def test_one_workload_has_no_spread():
    (summary,) = summarise([ROW])
    assert summary.spreads["ap"] == Spread(0.5, 0, 0.5, 0.5)
