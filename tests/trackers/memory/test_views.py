"""Which views are clear, and which are kept."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.trackers.memory import MemorySettings
from vis_pipeline.trackers.memory.views import Views, clear_views

SETTINGS = MemorySettings(views=3, refresh_every=5)
SIZE = (40, 60)


def template(number: int) -> torch.Tensor:
    return torch.full((2, 7, 7), float(number))


def colours(number: int) -> torch.Tensor:
    return torch.full((3,), float(number))


def after(frames: list[int]) -> Views:
    views = Views.first(template(frames[0]), colours(frames[0]), frames[0])
    for frame in frames[1:]:
        views = views.seen(template(frame), colours(frame), frame, SETTINGS)
    return views


def test_the_first_and_the_latest_stay_and_none_comes_too_soon() -> None:
    assert after([3, 7]).frames == (3,)
    assert after([3, 8, 12, 13]).frames == (3, 8, 13)
    assert after([3, 8, 13, 18, 23]).frames == (3, 18, 23)


@given(frames=st.lists(st.integers(0, 60), min_size=1, unique=True).map(sorted))
def test_each_template_goes_with_its_frame(frames: list[int]) -> None:
    views = after(frames)
    assert views.templates[:, 0, 0, 0].tolist() == views.colours[:, 0].tolist() == list(views.frames)
    assert views.frames[0] == frames[0] and len(views.frames) <= SETTINGS.views
    assert all(
        later - earlier >= SETTINGS.refresh_every
        for earlier, later in zip(views.frames, views.frames[1:], strict=False)
    )


def test_two_tracks_that_are_one_have_the_views_of_both() -> None:
    assert after([0, 5]).followed_by(after([50, 60]), SETTINGS).frames == (0, 50, 60)
    alone = MemorySettings(views=1)
    assert after([0, 5]).followed_by(after([50]), alone).frames == (0,)


@pytest.mark.parametrize(
    ("box", "score", "clear"),
    [
        ((2, 2, 10, 10), 0.5, True),
        ((1, 2, 10, 10), 0.5, False),
        ((2, 1, 10, 10), 0.5, False),
        ((48, 28, 10, 10), 0.5, True),
        ((49, 28, 10, 10), 0.5, False),
        ((48, 29, 10, 10), 0.5, False),
        ((2, 2, 10, 10), 0.49, False),
        # 15 of its 100 pixels lie in the box at 20, 20, then 16.5.
        ((15, 17, 10, 6), 0.9, False),
        ((11.5, 20, 10, 10), 0.9, True),
        ((11.7, 20, 10, 10), 0.9, False),
    ],
)
def test_what_is_at_the_edge_weak_or_partly_covered_is_not_clear(
    box: tuple[float, ...], score: float, clear: bool
) -> None:
    other = np.array([[20.0, 20, 20, 10]])
    found = clear_views(np.array([box], dtype=np.float64), np.array([score]), other, SIZE, SETTINGS)
    assert found.tolist() == [clear]


def test_detections_cover_each_other() -> None:
    """The small one lies in the large one, of which it covers too little to matter."""
    boxes = np.array([[5.0, 5, 30, 30], [10, 10, 6, 6]])
    assert clear_views(boxes, np.ones(2), np.zeros((0, 4)), SIZE, SETTINGS).tolist() == [True, False]
