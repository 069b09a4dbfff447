"""Rows of a track table as tests need them."""

from dataclasses import replace

import numpy as np

from vis_pipeline.trackers.lifecycle.table import TrackTable, newborn


def rows(count: int, **columns: object) -> TrackTable:
    """`count` tracks with 10 x 10 boxes at the origin, confirmed and just detected, but for the columns given."""
    table = newborn(np.array([[0.0, 0, 10, 10]] * count).reshape(count, 4), np.full(count, 100), 0)
    given = {"detections": np.full(count, 9), **{name: np.asarray(value) for name, value in columns.items()}}
    return replace(table, **given)
