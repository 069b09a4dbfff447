"""Targets followed through lists of detections, as a session would, with a similarity for the network."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from vis_pipeline.trackers.siam_rcnn.targets import Needs, Outcome, Redetections

Similarity = Callable[[Any, Any], float]


def boxes_of(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def answered(needs: Needs[Any], names: Sequence[Any], similarity: Similarity) -> np.ndarray:
    pairs = zip(needs.rows.tolist(), needs.detections.tolist(), strict=True)
    return np.array([similarity(needs.references[row], names[place]) for row, place in pairs], dtype=np.float64)


def step(
    target: Any, boxes: Sequence[Sequence[float]], names: Sequence[Any], similarity: Similarity, template: Any = 0
) -> tuple[Any, Outcome]:
    """One frame; a detection is known to `similarity` by its name."""
    scores = np.array([similarity(template, name) for name in names], dtype=np.float64)
    found = Redetections(boxes_of(boxes), scores, tuple(names))
    needs = target.needs(found.boxes)
    target, outcome = target.advance(found, needs, answered(needs, names, similarity))
    assert outcome.box.base is None
    return target, outcome


def followed(
    target: Any, frames: Sequence[Sequence[tuple[Any, Sequence[float]]]], similarity: Similarity, template: Any = 0
) -> Iterator[tuple[Any, Outcome]]:
    """The target and its outcome after each frame, which is a list of names and boxes."""
    for frame in frames:
        target, outcome = step(target, [box for _, box in frame], [name for name, _ in frame], similarity, template)
        yield target, outcome
