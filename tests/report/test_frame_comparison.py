import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.track_metrics import track_metrics
from vis_pipeline.errors import DataError
from vis_pipeline.masks import encode
from vis_pipeline.report.comparison import NOTHING, compare
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult

SIDE = 20
CATEGORIES = (Category(1, "cat"), Category(2, "dog"))


def rectangle(x1, y1, x2, y2):
    mask = np.zeros((1, SIDE, SIDE), dtype=bool)
    mask[0, y1:y2, x1:x2] = True
    return encode(mask)[0]


LEFT, RIGHT, EMPTY = rectangle(0, 0, 9, 10), rectangle(10, 0, 19, 10), rectangle(0, 0, 0, 0)
# IoU 0.8, 0.5 and 0.3 with the left one.
MOST, HALF, LITTLE = rectangle(0, 0, 9, 8), rectangle(0, 0, 9, 5), rectangle(0, 0, 9, 3)


def video(length):
    return Video(1, SIDE, SIDE, length, tuple(f"v/{index:05d}.jpg" for index in range(length)))


def truth(*masks, category_id=1, iscrowd=False):
    return Annotation(7, 1, category_id, masks, None, iscrowd)


def track(*masks, category_id=1, score=0.5):
    return TrackResult(1, category_id, score, masks)


def compared(tracks, truths, **options):
    return compare(tracks, truths, video(len((tracks or truths)[0].segmentations)), **options)


def told(error):
    return {
        key: value for key, value in vars(error).items() if value is not None and key not in ("iou", "first", "last")
    }


def test_a_switch_is_told_with_both_tracks():
    found = compared([track(LEFT, None, None, LEFT), track(None, None, LEFT, None)], [truth(LEFT, LEFT, LEFT, LEFT)])
    assert found.truth_matches.tolist() == [[0, NOTHING, 1, 0]]
    assert found.matches.tolist() == [[0, NOTHING, NOTHING, 0], [NOTHING, NOTHING, 0, NOTHING]]
    assert [(error.kind, error.first, error.last) for error in found.errors] == [
        ("miss", 1, 1),
        ("switch", 2, 2),
        ("switch", 3, 3),
    ]
    assert told(found.errors[1]) == {"kind": "switch", "track": 1, "truth": 0, "before": 0}
    assert told(found.errors[2]) == {"kind": "switch", "track": 0, "truth": 0, "before": 1}
    assert found.partners.tolist() == [0]


def test_a_matched_pair_stays_though_another_track_fits_better():
    found = compared([track(HALF, HALF), track(None, LEFT)], [truth(LEFT, LEFT)])
    assert found.truth_matches.tolist() == [[0, 0]]
    (error,) = found.errors
    assert (error.kind, error.track, error.first, error.why, error.nearest) == ("false positive", 1, 1, "taken", 0)


@pytest.mark.parametrize(
    ("found", "why", "nearest"),
    [
        (track(LITTLE, LITTLE), "poor", 0),
        (track(RIGHT, RIGHT), "nothing", None),
        (track(LEFT, MOST, category_id=2), "class", 0),
        (track(EMPTY, EMPTY), "nothing", None),
    ],
)
def test_what_has_no_match_is_told_with_its_reason(found, why, nearest):
    errors = compared([found], [truth(LEFT, LEFT)]).errors
    assert [error.kind for error in errors] == ["miss", "false positive"]
    for error in errors:
        assert (error.first, error.last, error.why, error.nearest) == (0, 1, why, nearest)


def test_the_iou_of_a_stretch_is_a_mean():
    errors = compared([track(None, LITTLE, LITTLE)], [truth(LEFT, LEFT, None)]).errors
    assert [(error.kind, error.first, error.last, error.iou) for error in errors] == [
        ("miss", 0, 1, pytest.approx(0.15)),
        ("false positive", 1, 2, pytest.approx(0.15)),
    ]


def test_tracks_below_the_least_score_are_not_there():
    found = compared([track(LEFT, score=0.1), track(RIGHT, score=0.3)], [truth(LEFT)], least_score=0.2)
    assert [(error.kind, error.track, error.truth) for error in found.errors] == [
        ("miss", None, 0),
        ("false positive", 1, None),
    ]
    assert found.partners.tolist() == [NOTHING]


def test_nothing_on_one_side_is_legal():
    assert [error.kind for error in compared([], [truth(LEFT, None)]).errors] == ["miss"]
    assert [error.kind for error in compared([track(None, LEFT)], []).errors] == ["false positive"]


def test_a_damaged_mask_is_named():
    with pytest.raises(DataError, match="result 0"):
        compared([track({"size": [SIDE, SIDE], "counts": "1"})], [truth(LEFT)])


@st.composite
def scenes(draw):
    length = draw(st.integers(1, 6))
    masks = st.sampled_from([LEFT, RIGHT, MOST, HALF, LITTLE, EMPTY, None, None])
    entries = st.tuples(st.lists(masks, min_size=length, max_size=length), st.sampled_from([1, 1, 2]))
    truths = [
        Annotation(index + 1, 1, category, tuple(row), None, draw(st.booleans()))
        for index, (row, category) in enumerate(draw(st.lists(entries, max_size=4)))
    ]
    tracks = [
        track(*row, category_id=category, score=draw(st.sampled_from([0.1, 0.5])))
        for row, category in draw(st.lists(entries, max_size=5))
    ]
    return length, tracks, truths


@given(scenes(), st.sampled_from([0.0, 0.3]))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_counts_are_trackevals(scene, least_score):
    length, tracks, truths = scene
    counts = compare(tracks, truths, video(length), least_score).counts
    split = Split((video(length),), CATEGORIES, tuple(truths))
    oracle = track_metrics(tracks, split, ["clear", "identity"], least_score).pooled
    expected = [oracle.counts[name] for name in ("TP", "FP", "FN", "IDSW", "IDTP")]
    assert [counts.matched, counts.false, counts.missed, counts.switches, counts.identified] == expected
    if counts.idf1 is not None:
        assert counts.idf1 == pytest.approx(oracle.fractions["IDF1"])
    if counts.motsa is not None:
        assert counts.motsa == pytest.approx(oracle.fractions["MOTSA"])
