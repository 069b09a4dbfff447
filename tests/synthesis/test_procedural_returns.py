"""Videos of returns: who is absent when, where each comes back, and who looks like it meanwhile."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline.synthesis.common.motion import Itinerary, Path, Visit
from vis_pipeline.synthesis.procedural import RETURNS, returns
from vis_pipeline.synthesis.procedural.absences import plan_absences, stays
from vis_pipeline.synthesis.procedural.render import render_frame
from vis_pipeline.synthesis.procedural.returns import plan_returns
from vis_pipeline.synthesis.procedural.textures import bgr_to_lab, other_shade

# By number of the pair: what fits into 200 frames with 12 around each absence, by hand.
LENGTHS = {0: [5, 30, 90], 1: [20, 30, 90], 2: [20, 90], 3: [5, 20, 30, 60], 4: [5, 30, 60]}


def gaps(shown):
    """Where nothing is shown: (start, stop) of each run."""
    found, start = [], None
    for frame, seen in enumerate([*shown, True]):
        if not seen and start is None:
            start = frame
        if seen and start is not None:
            found.append((start, frame))
            start = None
    return found


def scene_of(seed, first_category, settings=RETURNS):
    return plan_returns(np.random.default_rng(seed), settings, first_category)


@cache
def scene_number(number):
    return scene_of([7, number], number)


@pytest.fixture(scope="module", params=range(3))
def scene(request):
    return scene_number(request.param), request.param


def test_each_object_has_exactly_its_absences(scene):
    drawn, first_category = scene
    shown = drawn.visibility.pixels.any(axis=(2, 3))
    assert shown.shape == (4, 200)
    assert shown[:, [0, -1]].all()
    np.testing.assert_array_equal(shown, drawn.visibility.in_frame)
    for pair in (0, 1):
        both = [[stop - start for start, stop in gaps(shown[2 * pair + member])] for member in (0, 1)]
        assert all(both)
        assert sorted(both[0] + both[1]) == LENGTHS[(2 * first_category + pair) % 5]


def test_each_returns_elsewhere_while_its_lookalike_is_there(scene):
    drawn, _ = scene
    pixels = drawn.visibility.pixels
    shown = pixels.any(axis=(2, 3))
    for track in range(4):
        lookalike = track ^ 1
        assert drawn.categories[track] == drawn.categories[lookalike]
        for start, stop in gaps(shown[track]):
            assert shown[lookalike, start - 12 : stop + 12].all()
            left, back = (np.argwhere(pixels[track, frame]).mean(axis=0) for frame in (start - 1, stop))
            assert np.linalg.norm(left - back) >= 80
    assert drawn.lookalikes == (0, 1, 2, 3)
    assert drawn.categories[0] != drawn.categories[2]


def test_objects_leave_over_the_border_behind_a_cover_and_in_the_open():
    ways = set()
    for number in range(3):
        visibility = scene_number(number).visibility
        for pixels, fractions in zip(visibility.pixels, visibility.fractions, strict=True):
            for start, stop in gaps(fractions > 0):
                for frame in (start - 1, stop):
                    shown = pixels[frame]
                    at_the_border = shown[0].any() or shown[-1].any() or shown[:, 0].any() or shown[:, -1].any()
                    if fractions[frame] > 0.9:
                        ways.add("open")
                    elif fractions[frame] < 0.3:
                        ways.add("border" if at_the_border else "cover")
    assert ways == {"border", "cover", "open"}


def test_an_object_can_be_seen_for_most_of_a_visit(scene):
    drawn, _ = scene
    for fractions in drawn.visibility.fractions:
        for start, stop in gaps(fractions == 0):
            assert (fractions[start:stop] > 0.6).mean() >= 0.6


def test_lookalikes_differ_a_little(scene):
    drawn, _ = scene
    for one, other in (drawn.bodies[:2], drawn.bodies[2:]):
        assert not np.array_equal(one.texture, other.texture)
        assert 0.9 < one.form.size.mean / other.form.size.mean < 1.12
        means = bgr_to_lab(np.array([body.texture.mean(axis=(0, 1)) for body in (one, other)], dtype=float))
        assert 4 < np.linalg.norm(means[0] - means[1]) < 35
    strangers = bgr_to_lab(np.array([drawn.bodies[track].texture.mean(axis=(0, 1)) for track in (0, 2)], dtype=float))
    assert np.linalg.norm(strangers[0] - strangers[1]) > 8


@pytest.mark.parametrize("scene", [0], indirect=True)
def test_the_same_seed_gives_the_same_scene(scene):
    drawn, first_category = scene
    again = scene_of([7, first_category], first_category)
    np.testing.assert_array_equal(drawn.visibility.pixels, again.visibility.pixels)
    no_noise = np.zeros((192, 320, 3), np.float32)
    np.testing.assert_array_equal(*(render_frame(one, RETURNS, 100, no_noise) for one in (drawn, again)))


def test_settings_that_leave_no_room_are_told(monkeypatch):
    monkeypatch.setattr(returns, "_SCENES", 2)
    monkeypatch.setattr(returns, "_ATTEMPTS", 8)
    with pytest.raises(RuntimeError, match="too little room"):
        scene_of(1, 0, replace(RETURNS, elsewhere=5.0))


@given(st.integers(0, 2**32), st.integers(0, 9), st.integers(200, 420), st.integers(1, 14))
def test_plans_alternate_and_leave_the_pair_together_between(seed, pair, length, settled):
    settings = replace(RETURNS, length=length, settled=settled)
    absences = plan_absences(np.random.default_rng(seed), settings, pair)
    there = np.ones((2, length), dtype=bool)
    for absence in absences:
        there[absence.member, absence.start : absence.stop] = False
    assert there.any(axis=0).all()
    together = [stop - start for start, stop in gaps(~there.all(axis=0))]
    assert len(together) == len(absences) + 1
    assert min(together) >= settled
    lengths = [absence.stop - absence.start for absence in absences]
    *expected, next_one = ((5, 30, 90, 20, 60) * 9)[pair % 5 :][: len(lengths) + 1]
    assert sorted(lengths) == sorted(expected)
    assert sum(lengths) + next_one + settled * (len(lengths) + 2) > length
    for member in (0, 1):
        assert gaps(~there[member]) == stays(absences, member, length)
        assert not there[member].all()


def test_a_video_too_short_for_two_absences_has_no_plan():
    with pytest.raises(ValueError, match="120 frames are too few"):
        plan_absences(np.random.default_rng(0), replace(RETURNS, length=120), 1)


def test_a_body_is_nowhere_between_its_visits():
    def at(x):
        return Path(np.array([0.0, 1.0]), np.array([[x, 0.0], [x, 0.0]]))

    itinerary = Itinerary((Visit(0, 3, at(1.0)), Visit(5, 8, at(2.0))))
    times = [-0.25, 0, 2, 2.25, 2.75, 3, 4, 4.25, 4.75, 5, 7.25, 7.75, 9]
    places = [itinerary.at(time)[0] for time in times]
    there = [place if place in (1.0, 2.0) else None for place in places]
    assert there == [1, 1, 1, 1, None, None, None, None, 2, 2, 2, None, None]
    assert all(place < -10_000 for place in places if place not in (1.0, 2.0))


@given(st.integers(0, 2**32))
def test_another_shade_is_as_far_as_asked_where_the_gamut_lets_it(seed):
    rng = np.random.default_rng(seed)
    colours, background = rng.uniform(0, 255, (2, 3)), rng.uniform(0, 255, (3, 3))
    shade = other_shade(rng, colours, background, (8.0, 14.0), 34.0)
    lab, shaded, surroundings = map(bgr_to_lab, (colours, shade, background))
    moved = np.linalg.norm(shaded - lab, axis=1)
    assert ((shade >= 0) & (shade <= 255)).all()
    assert (moved > 4).all() and (moved < 26).all()
    well_inside = ((colours > 60) & (colours < 195)).all()
    clear = np.linalg.norm(lab[0] - surroundings, axis=1).min() > 34 + 14
    if well_inside and clear:
        assert (moved > 7.9).all() and (moved < 14.1).all()
        np.testing.assert_allclose(shaded[0] - lab[0], shaded[1] - lab[1], atol=1.5)
