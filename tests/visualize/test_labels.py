import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.visualize.labels import PlacedLabel, nearest_free, place_labels, room_for_full

HEIGHT, WIDTH = 60, 80

_BOXES = st.lists(
    st.tuples(st.floats(-20, 90), st.floats(-20, 70), st.floats(1, 60), st.floats(1, 50)), min_size=1, max_size=14
)
_SIZES = st.tuples(st.integers(1, 45), st.integers(1, 25))
_AREAS = st.lists(
    st.tuples(st.integers(-10, 75), st.integers(-10, 55), st.integers(1, 40), st.integers(1, 40)), max_size=6
)


def _wordings(full, boxes):
    return [[full, (max(full[0] // 3, 1), full[1])]] * len(boxes)


def _areas(places, wordings):
    return [(p.x, p.y, *sizes[p.wording]) for p, sizes in zip(places, wordings, strict=True) if p is not None]


def _free_places(size, taken):
    """Every place for a label of this size, found by trying them all on a map of what is covered."""
    covered = np.zeros((HEIGHT, WIDTH), bool)
    for x, y, w, h in taken:
        covered[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = True
    return [
        (x, y)
        for y in range(HEIGHT - size[1] + 1)
        for x in range(WIDTH - size[0] + 1)
        if not covered[y : y + size[1], x : x + size[0]].any()
    ]


@given(boxes=_BOXES, full=_SIZES, reserved=_AREAS)
@settings(max_examples=80)
def test_labels_stay_inside_the_frame_and_off_one_another(boxes, full, reserved):
    wordings = _wordings(full, boxes)
    places = place_labels(np.array(boxes), wordings, (HEIGHT, WIDTH), reserved)
    covered = np.zeros((HEIGHT, WIDTH), int)
    for x, y, w, h in reserved:
        covered[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = 1
    for x, y, w, h in _areas(places, wordings):
        assert 0 <= x <= WIDTH - w and 0 <= y <= HEIGHT - h
        assert not covered[y : y + h, x : x + w].any()
        covered[y : y + h, x : x + w] = 1


@given(boxes=_BOXES, full=_SIZES, reserved=_AREAS)
@settings(max_examples=60)
def test_a_label_is_left_out_only_where_no_place_in_the_frame_is_free(boxes, full, reserved):
    wordings = _wordings(full, boxes)
    places = place_labels(np.array(boxes), wordings, (HEIGHT, WIDTH), reserved)
    for index, place in enumerate(places):
        if place is None:
            taken = [*reserved, *_areas(places[:index], wordings[:index])]
            assert _free_places(wordings[index][-1], taken) == []


@given(
    target=st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    size=st.tuples(st.integers(1, 90), st.integers(1, 70)),
    taken=_AREAS,
    corner=st.tuples(st.floats(-20, 70), st.floats(-20, 50)),
    span=st.tuples(st.floats(0, 100), st.floats(0, 80)),
)
def test_the_nearest_free_place_is_the_nearest_of_all(target, size, taken, corner, span):
    left, top, right, bottom = within = (*corner, corner[0] + span[0], corner[1] + span[1])
    places = [(x, y) for x, y in _free_places(size, taken) if left <= x <= right and top <= y <= bottom]
    found = nearest_free(target, size, (HEIGHT, WIDTH), taken, within)
    if not places:
        assert found is None
        return
    assert found in places
    # From a target outside of all places one goes to their edge first.
    x = np.clip(target[0], np.ceil(max(left, 0)), np.floor(min(right, WIDTH - size[0])))
    y = np.clip(target[1], np.ceil(max(top, 0)), np.floor(min(bottom, HEIGHT - size[1])))
    distances = [(px - x) ** 2 + (py - y) ** 2 for px, py in places]
    assert (found[0] - x) ** 2 + (found[1] - y) ** 2 == pytest.approx(min(distances), abs=1e-6)


def test_the_nearest_free_place_may_be_far_away():
    assert nearest_free((0, 0), (10, 10), (1000, 1000), [(0, 0, 1000, 985)]) == (0, 985)
    assert nearest_free((500, 0), (10, 10), (1000, 1000), [(0, 0, 1000, 700), (0, 0, 900, 1000)]) == (900, 700)


@given(boxes=_BOXES, full=_SIZES, reserved=_AREAS)
@settings(max_examples=40)
def test_the_same_boxes_have_the_same_labels_and_in_the_next_frame_too(boxes, full, reserved):
    wordings = _wordings(full, boxes)
    places = place_labels(np.array(boxes), wordings, (HEIGHT, WIDTH), reserved)
    assert place_labels(np.array(boxes), wordings, (HEIGHT, WIDTH), reserved) == places
    assert place_labels(np.array(boxes), wordings, (HEIGHT, WIDTH), reserved, places) == places


def test_labels_do_not_tremble_with_their_boxes():
    rng = np.random.default_rng(4)
    boxes = np.array([[20 + 70 * column, 30 + 60 * row, 40, 30] for row in range(4) for column in range(4)], float)
    wordings = [[(30, 20)]] * len(boxes)
    moved = {}
    for name in ("with memory", "without"):
        before, moved[name] = None, 0.0
        for _ in range(20):
            trembling = boxes + rng.uniform(-2, 2, boxes.shape)
            places = place_labels(trembling, wordings, (300, 320), (), before if name == "with memory" else None)
            if before is not None:
                moved[name] += sum(abs(a.x - b.x) + abs(a.y - b.y) for a, b in zip(places, before, strict=True))
            before = places
    assert moved["with memory"] < moved["without"] / 5


def test_labels_follow_their_boxes_on_a_short_leash():
    before = None
    for step in range(10):
        (place,) = place_labels(np.array([[10.0 + 12 * step, 60, 40, 30]]), [[(30, 20)]], (200, 320), (), [before])
        assert 10 + 12 * step - place.x <= 20 / 4 + 1 and place.y == 40
        before = place


def test_a_label_away_from_home_stays_on_its_side_until_home_is_free():
    # Home is between x 50 and 80; a neighbour that sways over it pushes the label to the left or to the right.
    box, size = np.array([[50.0, 60.0, 30.0, 30.0]]), [[(30, 10)]]
    before = None
    sides = []
    for sway in (3, -3, 3, -3, 3):
        (before,) = place_labels(box, size, (192, 320), [(50 + sway, 0, 30, 60)], [before])
        sides.append(before.x > 50)
    assert len(set(sides)) == 1
    (home,) = place_labels(box, size, (192, 320), (), [before])
    assert abs(home.x - 50) + abs(home.y - 50) <= 4


@given(
    box=st.tuples(st.floats(0, 200), st.floats(0, 100), st.floats(40, 100), st.floats(40, 90)),
    size=st.tuples(st.integers(5, 40), st.integers(5, 30)),
    before=st.tuples(st.integers(0, 280), st.integers(0, 160)),
)
def test_a_label_comes_home_from_anywhere_where_home_is_free(box, size, before):
    places = [
        place_labels(np.array([box]), [[size]], (192, 320), (), [was])[0] for was in (None, PlacedLabel(*before, 0))
    ]
    home, found = ((place.x, place.y) for place in places)
    assert np.hypot(found[0] - home[0], found[1] - home[1]) <= size[1] / 4 + 2


def test_a_label_that_was_pushed_away_comes_home():
    box = np.array([[50.0, 60.0, 40.0, 30.0]])
    (pushed,) = place_labels(box, [[(30, 10)]], (192, 320), [(0, 0, 100, 60)])
    assert (pushed.x, pushed.y) != (50, 50)
    (home,) = place_labels(box, [[(30, 10)]], (192, 320), (), [pushed])
    assert abs(home.x - 50) + abs(home.y - 50) <= 4


def test_the_first_place_is_above_the_box():
    (place,) = place_labels(np.array([[50.0, 60.0, 40.0, 30.0]]), [[(30, 10)]], (192, 320))
    assert place == PlacedLabel(50, 50, 0)


def test_at_the_upper_edge_the_label_goes_below():
    (place,) = place_labels(np.array([[50.0, 4.0, 40.0, 30.0]]), [[(30, 10)]], (192, 320))
    assert (place.x, place.y) == (50, 34)


def test_a_box_that_fills_the_frame_has_its_label_inside():
    (place,) = place_labels(np.array([[0.0, 0.0, 320.0, 192.0]]), [[(30, 10)]], (192, 320))
    assert (place.x, place.y) == (0, 0)


def test_a_small_object_is_not_hidden_by_its_own_label():
    # Above is taken and below is outside: on the object would be nearest.
    (place,) = place_labels(np.array([[50.0, 20.0, 12.0, 12.0]]), [[(30, 10)]], (36, 320), [(0, 0, 320, 20)])
    assert place.x >= 62 or place.x + 30 <= 50


def test_a_shorter_wording_is_taken_before_the_label_leaves_its_object():
    box = [0.0, 0.0, 40.0, 60.0]
    # Above, beside and below the box there is no room; on it there is for two.
    places = place_labels(np.array([box] * 3), [[(40, 30), (12, 30)]] * 3, (60, 40))
    assert [place and place.wording for place in places] == [0, 0, None]
    places = place_labels(np.array([box] * 5), [[(28, 30), (12, 30)]] * 5, (60, 40))
    assert [place and place.wording for place in places] == [0, 0, 1, 1, None]
    # The long one would have to leave it.
    far = place_labels(np.array([box]), [[(40, 10), (12, 10)]], (200, 40), [(0, 0, 40, 100)])
    assert far == [PlacedLabel(0, 100, 1)]


def test_a_label_beside_its_object_is_better_than_one_that_is_nearer_to_home_but_off_it():
    first, second = place_labels(np.array([[50.0, 60.0, 80.0, 12.0]] * 2), [[(30, 20)]] * 2, (192, 320))
    assert (first.x, first.y) == (50, 40)
    # Above the first one it would be 20 pixels from home.
    assert (second.x, second.y) == (20, 40)


def test_names_are_written_where_there_is_room_for_all_of_them_in_every_frame():
    sizes = [(50, 20)] * 4
    one_by_one = np.zeros((4, 4, 4))
    for index in range(4):
        one_by_one[index, index] = [10, 10, 60, 60]
    together = np.broadcast_to([10.0, 10, 60, 60], (4, 4, 4))
    # A tenth of 200x180 is 3,600: three labels of 1,000.
    assert room_for_full(sizes, one_by_one, (180, 200)).all()
    assert room_for_full(sizes[:3], together[:, :3], (180, 200)).all()
    assert not room_for_full(sizes, together, (180, 200)).any()


def test_objects_smaller_than_their_names_have_their_numbers_alone():
    boxes = np.zeros((5, 3, 4))
    boxes[:, 0, 2:] = [60, 60]
    boxes[:, 1, 2:] = [30, 30]
    # Mostly large is large; and one that is never seen.
    boxes[0, 0, 2:] = [5, 5]
    np.testing.assert_array_equal(room_for_full([(50, 20)] * 3, boxes, (1000, 1000)), [True, False, False])
    assert room_for_full([], np.zeros((0, 0, 4)), (10, 10)).shape == (0,)
