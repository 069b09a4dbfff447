"""GOT-10k (Huang et al., PAMI 2019): average overlap AO, and the success rates SR at overlaps 0.50 and 0.75."""

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object.boxes import Boxes, Values, box_overlaps


def got10k_overlaps(boxes: Boxes, truth: Boxes, cover: NDArray[np.float64], size: tuple[int, int]) -> Values:
    """Overlaps of the frames that count: all but the first, where the object shows (`cover` above 0).

    Args:
        boxes: float64 [F, 4]: x, y, width, height in pixels.
        truth: float64 [F, 4].
        cover: float64 [F], how much of the object shows.
        size: width and height of the image, which both boxes are limited to.

    Returns:
        float64 [K], in the order of the frames.
    """
    overlaps = box_overlaps(_limited(boxes, size), _limited(truth, size))
    return overlaps[1:][cover[1:] > 0]


def got10k_figures(overlaps: Values) -> dict[str, float]:
    """AO, SR.50 and SR.75 over frames, at least one; of several sequences those of all, put together."""
    return {
        "AO": float(overlaps.mean()),
        "SR.50": float((overlaps > 0.5).mean()),
        "SR.75": float((overlaps > 0.75).mean()),
    }


def got10k_curve(overlaps: Values) -> Values:
    """Share of the frames whose overlap is above each of 0, 0.01, ... 1; float64 [101]."""
    found: NDArray[np.bool_] = np.greater(overlaps[:, None], np.linspace(0, 1, 101))
    return np.asarray(found.mean(axis=0), dtype=np.float64)


def _limited(boxes: Boxes, size: tuple[int, int]) -> Boxes:
    # As the benchmark does it: a corner that is moved into the image keeps its width, it does not lose what was cut.
    corners = np.clip(boxes[:, :2], 0, size)
    return np.hstack([corners, np.clip(boxes[:, 2:], 0, size - corners)])
