import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.masks import encode
from vis_pipeline.masks.track_iou import DamagedTrackError, frame_intersections, mean_areas, parse_tracks, track_iou

HEIGHT, WIDTH = 7, 9


@st.composite
def videos(draw):
    """Masks [N, F, H, W] of two sets of tracks, and which of them are null [N, F]."""
    frames = draw(st.integers(1, 4))
    generator = np.random.default_rng(draw(st.integers(0, 10**6)))
    sets = []
    for _ in range(2):
        count = draw(st.integers(0, 4))
        density = generator.choice([0.0, 0.1, 0.5, 0.9, 1.0], size=(count, frames, 1, 1))
        masks = generator.random((count, frames, HEIGHT, WIDTH)) < density
        # Rectangles too: those of noise reach no high IoU.
        for mask in masks.reshape(-1, HEIGHT, WIDTH)[::2]:
            top, left = generator.integers(0, 4, size=2)
            mask[:] = False
            mask[top : top + generator.integers(0, 5), left : left + generator.integers(0, 6)] = True
        null = generator.random((count, frames)) < 0.2
        masks[null] = False
        sets.append((masks, null))
    return frames, *sets


def tracks_of(masks, null):
    return [
        tuple(None if n else encode(mask[None])[0] for mask, n in zip(track, absent, strict=True))
        for track, absent in zip(masks, null, strict=True)
    ]


def literal_iou(first, second):
    common, joined = int((first & second).sum()), int((first | second).sum())
    return common / joined if joined else 0.0


@settings(max_examples=300)
@given(videos(), st.sampled_from([0.0, 0.1, 0.5, 0.75, 1.0]), st.integers(0, 99))
def test_every_pair_has_the_iou_of_its_pixels(case, least, seed):
    frames, (first, first_null), (second, second_null) = case
    a, b = parse_tracks(tracks_of(first, first_null), frames), parse_tracks(tracks_of(second, second_null), frames)
    expected = np.array([[literal_iou(x, y) for y in second] for x in first]).reshape(len(first), len(second))
    assert track_iou(a, b).tolist() == expected.tolist()
    bounded = track_iou(a, b, least)
    assert bounded[expected >= least].tolist() == expected[expected >= least].tolist()
    assert set(bounded[expected < least].tolist()) <= {0.0, *expected[expected < least].tolist()}
    chosen = np.random.default_rng(seed).random(expected.shape) < 0.5
    assert track_iou(a, b, pairs=chosen).tolist() == np.where(chosen, expected, 0.0).tolist()

    common = [[[int((p & q).sum()) for p, q in zip(x, y, strict=True)] for y in second] for x in first]
    assert frame_intersections(a, b).tolist() == common
    assert a.areas.tolist() == first.sum(axis=(2, 3)).tolist()
    assert (a.masks == -1).tolist() == first_null.tolist()


def test_a_pair_exactly_at_the_least_iou_is_kept():
    full, half = np.zeros((2, 1, 1, 10, 10), dtype=bool)
    full[..., :4], half[..., :2] = True, True
    a, b = (parse_tracks(tracks_of(masks, np.zeros((1, 1), bool)), 1) for masks in (full, half))
    assert track_iou(a, b, 0.5).tolist() == [[0.5]]


def test_mean_area_is_over_the_frames_with_pixels():
    assert mean_areas(np.array([[0, 4, 8], [0, 0, 0]])).tolist() == [6.0, 0.0]


@pytest.mark.parametrize(
    ("damaged", "fault"),
    [
        ({"size": [HEIGHT, WIDTH], "counts": "1"}, "damaged RLE: the runs do not add up to the 63 pixels"),
        ({"size": [HEIGHT, 1], "counts": "7"}, r"mask of size \[7, 1\], but others of the video have \[7, 9\]"),
    ],
)
def test_a_damaged_mask_is_named(damaged, fault):
    good = encode(np.ones((1, HEIGHT, WIDTH), dtype=bool))[0]
    with pytest.raises(DamagedTrackError, match=f"track 1, frame 2: .*{fault}") as caught:
        parse_tracks([(good, None, good), (None, good, damaged)], 3)
    assert (caught.value.track, caught.value.frame) == (1, 2)
