import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.visualize.overlay import Label, TrackPainter, enlarged
from vis_pipeline.visualize.style import Part, Style

GREY = 120


def _rle(height, width, top, left, h, w):
    mask = np.zeros((1, height, width), bool)
    mask[0, top : top + h, left : left + w] = True
    return masks.encode(mask)[0]


def _frame(height=192, width=320):
    return np.full((height, width, 3), GREY, np.uint8)


def draw_tracks(image, rles, labels, colours, caption="", predicted=()):
    return TrackPainter(labels, colours).draw(image, rles, caption, predicted)


def test_the_input_stays_as_it_is_and_no_tracks_change_nothing():
    frame = _frame()
    drawn = draw_tracks(frame, [], [], np.zeros((0, 3), np.uint8))
    np.testing.assert_array_equal(drawn, frame)
    draw_tracks(frame, [_rle(192, 320, 50, 50, 60, 60)], [Label("1 a", "1")], np.array([[0, 0, 255]], np.uint8))
    assert (frame == GREY).all()


def test_absent_and_empty_masks_are_not_drawn():
    empty = masks.encode(np.zeros((1, 192, 320), bool))[0]
    labels = [Label("1 a", "1"), Label("2 b", "2")]
    drawn = draw_tracks(_frame(), [None, empty], labels, np.zeros((2, 3), np.uint8))
    assert (drawn == GREY).all()


def test_a_mask_tints_its_inside_and_outlines_its_edge():
    drawn = draw_tracks(
        _frame(), [_rle(192, 320, 60, 80, 80, 100)], [Label("1 a", "1")], np.array([[255, 0, 0]], np.uint8)
    )
    inside = drawn[100, 130].astype(int)
    assert inside[0] > GREY + 40 and inside[1] < GREY - 30 and inside[2] < GREY - 30
    assert drawn[100, 80, 0] > inside[0] + 30
    assert (drawn[150:, :70] == GREY).all()


def _inside(drawn, label_free=(slice(90, 135), slice(90, 170))):
    """Which pixels well inside the mask of the test below are tinted."""
    return (drawn[label_free] != GREY).any(axis=2)


def test_a_predicted_mask_is_hatched_in_a_broken_outline():
    rle, labels, colours = _rle(192, 320, 60, 80, 80, 100), [Label("1 a", "1")], np.array([[255, 0, 0]], np.uint8)
    detected = draw_tracks(_frame(), [rle], labels, colours)
    predicted = draw_tracks(_frame(), [rle], labels, colours, predicted={0})
    assert _inside(detected).all()
    assert 0.35 < _inside(predicted).mean() < 0.65
    edges = [(drawn[70:130, 80, 0] > 190).mean() for drawn in (detected, predicted)]
    assert edges[0] == 1 and 0.3 < edges[1] < 0.8


def test_stripes_lie_still_in_the_frame_while_the_mask_moves():
    colours = np.array([[255, 0, 0]], np.uint8)
    first, second = (
        _inside(draw_tracks(_frame(), [_rle(192, 320, 60, 80 - step, 80, 100)], [Label("1", "1")], colours, "", [0]))
        for step in (0, 3)
    )
    np.testing.assert_array_equal(first, second)


def test_a_label_that_had_to_leave_its_object_has_a_line_to_it():
    # Ten objects in one place: only so many labels go around it.
    rles = [_rle(192, 320, 90, 150, 14, 14)] * 12
    colours = np.array([[0, 0, 90]] * 11 + [[0, 255, 0]], np.uint8)
    drawn = draw_tracks(_frame(), rles, [Label(str(n), str(n)) for n in range(10, 22)], colours)
    assert (drawn[97, 157] == [0, 255, 0]).all()
    few = draw_tracks(_frame(), rles[-1:], [Label("21", "21")], colours[-1:])
    assert not (few[97, 157] == [0, 255, 0]).all()


def test_labels_stay_where_they_are_while_objects_tremble():
    painter = TrackPainter([Label("1 ring 0.90", "1")], np.array([[0, 0, 255]], np.uint8))
    tops = [
        (painter.draw(_frame(), [_rle(192, 320, 90 + step, 100, 90, 160)])[:86] != GREY).any(axis=2).nonzero()[0].min()
        for step in (0, 2, -2, 1, 0)
    ]
    assert len(set(tops)) == 1


@pytest.mark.parametrize("size", [(1, 1), (4, 3000), (3000, 4), (12, 17)])
def test_frames_of_any_size_are_drawn_on(size):
    rle = masks.encode(np.ones((1, *size), bool))[0]
    frame = enlarged(_frame(*size))
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    drawn = draw_tracks(frame, [rle] * 2, [Label("1 a", "1"), Label("2 b", "2")], colours, "frame 0", [1])
    assert drawn.shape == frame.shape and (drawn != GREY).any()
    assert max(frame.shape) <= 4096


def test_a_caption_is_cut_at_the_frame_and_left_out_where_it_would_hide_it():
    drawn = draw_tracks(_frame(), [], [], np.zeros((0, 3), np.uint8), "frame 0 (" + "x" * 500 + ")")
    assert (drawn[-8:] != GREY).any() and (drawn[:160] == GREY).all()
    assert (draw_tracks(_frame(30, 320), [], [], np.zeros((0, 3), np.uint8), "frame 0") == GREY).all()


def test_the_first_track_lies_on_top():
    both = [_rle(192, 320, 60, 80, 80, 100)] * 2
    drawn = draw_tracks(
        _frame(), both, [Label("1", "1"), Label("2", "2")], np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    )
    assert drawn[100, 130, 0] > drawn[100, 130, 2]


@pytest.mark.parametrize("factor", [2, 3])
def test_masks_follow_an_enlarged_frame(factor):
    rle = _rle(96, 160, 30, 40, 40, 50)
    large = np.full((96 * factor, 160 * factor, 3), GREY, np.uint8)
    drawn = draw_tracks(large, [rle], [Label("1", "1")], np.array([[0, 255, 0]], np.uint8))
    changed = drawn[75 * factor :] != GREY
    assert not changed.any()
    below_label = (drawn[50 * factor] != GREY).any(axis=1).nonzero()[0]
    assert abs(below_label[0] - 40 * factor) <= 3 and abs(below_label[-1] - (90 * factor - 1)) <= 3


def test_masks_follow_a_shrunken_frame_down_to_one_pixel():
    rle = _rle(720, 1280, 719, 1279, 1, 1)
    drawn = draw_tracks(_frame(90, 160), [rle], [Label("1", "1")], np.array([[0, 255, 0]], np.uint8))
    assert drawn.shape == (90, 160, 3)


def test_a_hundred_tracks_and_edges_do_not_break_the_drawing():
    rng = np.random.default_rng(3)
    boxes = rng.integers(0, 180, (100, 2))
    rles = [_rle(192, 320, y, x, 25, 30) for y, x in boxes]
    labels = [Label(f"{i} something long 0.50", str(i)) for i in range(100)]
    drawn = draw_tracks(_frame(), rles, labels, rng.integers(0, 255, (100, 3)).astype(np.uint8), "frame 1")
    assert drawn.shape == (192, 320, 3) and drawn.dtype == np.uint8


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((192, 320), (384, 640)),
        ((360, 640), (360, 640)),
        ((100, 50), (800, 400)),
        ((1, 1), (360, 360)),
        ((4, 3000), (4, 3000)),
    ],
)
def test_small_frames_grow_by_a_whole_factor(size, expected):
    assert enlarged(_frame(*size)).shape[:2] == expected


def _styled(parts, predicted=(), trails=(), **settings):
    """A mask of rows 60 to 139 and columns 80 to 179 in blue, drawn so; which pixels are changed."""
    style = Style(frozenset(parts), **settings)
    painter = TrackPainter([Label("1 a", "1")], np.array([[255, 0, 0]], np.uint8), style)
    drawn = painter.draw(_frame(), [_rle(192, 320, 60, 80, 80, 100)], "", predicted, trails)
    return drawn, (drawn != GREY).any(axis=2)


def test_each_part_is_drawn_alone():
    assert not _styled([])[1].any()
    fill = _styled([Part.FILL])[1]
    assert fill[60:140, 80:180].all() and fill.sum() == 80 * 100
    contour = _styled([Part.CONTOUR])[1]
    assert contour[60, 80:180].all() and contour[60:140, 80].all() and not contour[64:136, 84:176].any()
    assert not contour[:57].any() and not contour[:, :77].any()
    # The box lies at the mask's edges, right and bottom ones exclusive.
    box = _styled([Part.BOXES])[1]
    assert box[60, 80:180].all() and box[100, [80, 180]].all() and not box[64:136, 84:176].any()
    label = _styled([Part.LABELS])[1]
    rows, columns = np.nonzero(label)
    assert rows.max() < 60 and columns.min() >= 80 and label.any()


def test_the_opacity_is_how_much_of_the_colour_there_is():
    for opacity in (0.0, 0.25, 1.0):
        drawn, _ = _styled([Part.FILL], opacity=opacity)
        expected = np.rint(GREY + opacity * (np.array([255, 0, 0]) - GREY))
        np.testing.assert_array_equal(drawn[100, 130], expected)


def test_a_predicted_box_is_broken():
    whole, broken = _styled([Part.BOXES])[1], _styled([Part.BOXES], predicted=[0])[1]
    assert whole[60, 90:170].all() and 0.3 < broken[60, 90:170].mean() < 0.8
    assert not broken[64:136, 84:176].any() and 0.3 < broken[70:130, 180].mean() < 0.8


def test_a_trail_goes_through_its_points_and_has_gaps_where_the_object_was_not_seen():
    way = np.array([[20, 30], [60, 30], [np.nan, np.nan], [120, 30], [200, 30]], float)
    drawn, changed = _styled([Part.TRAILS], trails=[way])
    assert changed[30, 20:61].all() and changed[30, 120:201].all() and not changed[30, 70:110].any()
    assert not changed[50:].any()
    # It is thicker towards the last point, where the object is, in its colour.
    assert changed[:, 30].sum() <= changed[:, 190].sum() < changed[:, 200].sum()
    assert (drawn[30, 200] == [255, 0, 0]).all()
    assert not _styled([Part.TRAILS], trails=[np.full((3, 2), np.nan)])[1].any()
    far = np.array([[1e9, -1e9], [10, 10]])
    assert _styled([Part.TRAILS], trails=[far])[1][10, 10]
