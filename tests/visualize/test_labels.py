import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vis_pipeline.visualize.labels import place_labels

_BOXES = st.lists(
    st.tuples(st.floats(-20, 340), st.floats(-20, 220), st.floats(1, 200), st.floats(1, 150)), min_size=1, max_size=12
)
_SIZES = st.tuples(st.integers(10, 90), st.integers(8, 20))


@given(boxes=_BOXES, size=_SIZES)
@settings(max_examples=60)
def test_labels_stay_inside_and_off_one_another(boxes, size):
    wordings = [[size, (8, size[1])]] * len(boxes)
    reserved = (0, 180, 60, 12)
    places = place_labels(np.array(boxes), wordings, (192, 320), [reserved])
    areas = [(place.x, place.y, *wordings[0][place.wording]) for place in places if place is not None]
    covered = np.zeros((192, 320), int)
    covered[180:192, 0:60] += 1
    for x, y, w, h in areas:
        assert 0 <= x <= 320 - w and 0 <= y <= 192 - h
        covered[y : y + h, x : x + w] += 1
    assert covered.max() <= 1


def test_the_first_place_is_above_the_box():
    (place,) = place_labels(np.array([[50.0, 60.0, 40.0, 30.0]]), [[(30, 10)]], (192, 320))
    assert (place.x, place.y, place.wording) == (50, 50, 0)


def test_at_the_upper_edge_the_label_goes_below():
    (place,) = place_labels(np.array([[50.0, 4.0, 40.0, 30.0]]), [[(30, 10)]], (192, 320))
    assert (place.x, place.y) == (50, 34)


def test_a_box_that_fills_the_frame_has_its_label_inside():
    (place,) = place_labels(np.array([[0.0, 0.0, 320.0, 192.0]]), [[(30, 10)]], (192, 320))
    assert (place.x, place.y) == (0, 0)


def test_a_shorter_wording_is_taken_before_the_label_is_left_out():
    box = [0.0, 0.0, 40.0, 12.0]
    places = place_labels(np.array([box] * 4), [[(40, 10), (12, 10)]] * 4, (12, 40))
    assert [place and place.wording for place in places] == [0, None, None, None]
    places = place_labels(np.array([box] * 2), [[(28, 10), (12, 10)]] * 2, (12, 40))
    assert [place and place.wording for place in places] == [0, 1]
