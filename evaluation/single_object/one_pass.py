"""One-pass evaluation: success and precision curves of OTB (Wu et al., PAMI 2015), LaSOT and TrackingNet.

A tracker is started once, in the first frame, which counts as found: all its curves begin from the true box.
"""

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.boxes import (
    Boxes,
    Values,
    box_overlaps,
    centre_errors,
    has_area,
    normalised_centre_errors,
)

OVERLAPS: Values = np.linspace(0, 1, 21)
PIXELS: Values = np.linspace(0, 50, 51)
SHARES: Values = PIXELS / 100
PRECISION_AT = 20  # pixels; in the normalised curve the same index is 0.2
HALF = 10  # the index of overlap 0.5


def otb_curves(boxes: Boxes, truth: Boxes) -> dict[str, Values]:
    """Success (21 overlaps) and precision (0 to 50 pixels) of one sequence, `boxes` and `truth` float64 [F, 4]."""
    given = _started(boxes, truth)
    return {
        "success": success_curve(box_overlaps(given, truth)),
        "precision": _shares_within(centre_errors(given, truth), PIXELS),
    }


def lasot_curves(boxes: Boxes, truth: Boxes, visible: NDArray[np.bool_]) -> dict[str, Values]:
    """OTB's curves, and precision by normalised distance (0 to 0.5), of one sequence.

    A frame in which the object is not `visible` (bool [F]), or its true box has no area, cannot be found: it counts as
    missed in every curve.
    """
    given = _started(boxes, truth)
    present = visible & has_area(truth)
    overlaps = np.where(present, box_overlaps(given, truth), 0)
    pixels = np.where(present, centre_errors(given, truth), np.inf)
    shares = np.where(present, normalised_centre_errors(given, truth), np.inf)
    return {
        "success": success_curve(overlaps),
        "precision": _shares_within(pixels, PIXELS),
        "normalised_precision": _shares_within(shares, SHARES),
    }


def trackingnet_curves(boxes: Boxes, truth: Boxes) -> dict[str, Values]:
    """Success (21 overlaps), precision (21 distances to 50 px) and normalised precision (21 to 0.5) of one sequence.

    As TrackingNet's devkit (Mueller et al., ECCV 2018) counts: all numbers are rounded to whole pixels first. Where it
    has had both, an overlap must be *above* its threshold here.
    """
    true = np.round(truth)
    given = _started(np.round(boxes), true)
    return {
        "success": success_curve(box_overlaps(given, true)),
        "precision": _shares_within(centre_errors(given, true), np.linspace(0, 50, len(OVERLAPS))),
        "normalised_precision": _shares_within(
            normalised_centre_errors(given, true), np.linspace(0, 0.5, len(OVERLAPS))
        ),
    }


def success_curve(overlaps: Values) -> Values:
    """Share of the frames whose overlap is above each of 0, 0.05, ... 1; float64 [21]."""
    found: NDArray[np.bool_] = np.greater(overlaps[:, None], OVERLAPS)
    return np.asarray(found.mean(axis=0), dtype=np.float64)


def one_pass_figures(curves: dict[str, Values]) -> dict[str, float]:
    """What the papers print of the curves: AUC, success at 0.5, precision at 20 px, normalised precision at 0.2."""
    figures = {
        "AUC": float(curves["success"].mean()),
        "success@0.5": float(curves["success"][HALF]),
        "precision@20": float(curves["precision"][PRECISION_AT]),
    }
    if "normalised_precision" in curves:
        figures["normalised@0.2"] = float(curves["normalised_precision"][PRECISION_AT])
        figures["normalised AUC"] = float(curves["normalised_precision"].mean())
    return figures


def trackingnet_figures(curves: dict[str, Values]) -> dict[str, float]:
    """TrackingNet's success, precision and normalised precision: the areas under their curves, by trapezoids."""
    names = {"success": "AUC", "precision": "precision AUC", "normalised_precision": "normalised AUC"}
    return {figure: float(np.trapezoid(curves[name], OVERLAPS)) for name, figure in names.items()}


def _started(boxes: Boxes, truth: Boxes) -> Boxes:
    given: Boxes = np.array(boxes)
    given[0] = truth[0]
    return given


def _shares_within(errors: Values, thresholds: Values) -> Values:
    found: NDArray[np.bool_] = np.less_equal(errors[:, None], thresholds)
    return np.asarray(found.mean(axis=0), dtype=np.float64)
