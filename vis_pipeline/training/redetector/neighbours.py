"""Approximate nearest neighbours in the embedding, by hnswlib, and the examples that are drawn from them."""

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vis_pipeline.errors import ConfigError

_LINKS, _CONSTRUCTION = 16, 100
"""hnswlib's M and ef_construction."""


class NeighbourIndex:
    """N points of the unit sphere, float32 [N, E], each of a video; the same points give the same index.

    Raises:
        ConfigError: hnswlib is not installed.
    """

    def __init__(self, points: NDArray[np.float32], videos: NDArray[np.int64], seed: int) -> None:
        self._points = points
        self._videos = videos
        self._index: Any = _hnswlib().Index(space="l2", dim=points.shape[1])
        self._index.init_index(len(points), ef_construction=_CONSTRUCTION, M=_LINKS, random_seed=seed)
        # In one thread, whose order is always the same.
        self._index.add_items(points, np.arange(len(points)), num_threads=1)

    def nearest(self, row: int, count: int) -> NDArray[np.int64]:
        """The `count` rows nearest to a row that are of other videos, nearest first; fewer where there are no more."""
        # The own video's may be among the nearest, all of them.
        wanted = min(count + int((self._videos == self._videos[row]).sum()), len(self._points))
        if 2 * wanted > len(self._points):  # most of them, not all of which the index's graph may reach
            found = np.argsort(-(self._points @ self._points[row]), kind="stable")[:wanted]
        else:
            self._index.set_ef(max(wanted, _CONSTRUCTION))
            found = self._index.knn_query(self._points[row : row + 1], k=wanted, num_threads=1)[0][0].astype(np.int64)
        return np.asarray(found[self._videos[found] != self._videos[row]][:count], dtype=np.int64)


def one_a_video(rows: NDArray[np.int64], videos: NDArray[np.int64], count: int, rng: Generator) -> NDArray[np.int64]:
    """At most `count` of the rows, drawn at random, no two of one video; `videos` [N] are those of all rows."""
    shuffled = rng.permutation(rows)
    _, first = np.unique(videos[shuffled], return_index=True)
    return rng.permutation(shuffled[first])[:count]


def _hnswlib() -> Any:
    try:
        import hnswlib
    except ImportError as error:
        raise ConfigError(
            "hard_examples: needs the package hnswlib; run `pip install hnswlib` or `pip install vis_pipeline[mining]`"
        ) from error
    return hnswlib
