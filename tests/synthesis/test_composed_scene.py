"""How composed scenes move and what shows of them: the camera, the paths, and visibility against a literal oracle."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from composed_inputs import BLUE, GREEN, HEIGHT, RED, WIDTH, square_mask, write_backgrounds, write_image
from hypothesis import given
from hypothesis import strategies as st

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.synthesis.composed.backgrounds import Background, BackgroundObject
from vis_pipeline.synthesis.composed.camera import Anchored, View, backdrops, random_camera, read_backdrop
from vis_pipeline.synthesis.composed.choreography import choreograph, entering_path, reversed_path
from vis_pipeline.synthesis.composed.cutouts import Patch
from vis_pipeline.synthesis.composed.render import Placed, render, see
from vis_pipeline.synthesis.composed.scene import Cast, plan_scene
from vis_pipeline.synthesis.composed.settings import HARD, NORMAL
from vis_pipeline.synthesis.composed.sources import InstanceSource

FRAME = replace(NORMAL, width=40, height=24)
PLAIN = replace(NORMAL, noise=0.0, light=0.0, match=0.0, defocus=0.0, occluders=0, shutter=1e-6, length=12)


def test_a_view_maps_its_edges_to_the_frame_s():
    matrix = View(0.25, 0.5, 0.5, 0.25).matrix(picture=(80, 100), frame=(24, 40))
    # Pixel i covers i - 0.5 to i + 0.5, in the picture as in the frame.
    np.testing.assert_allclose(matrix @ [-0.5, -0.5, 1], [0.25 * 100 - 0.5, 0.5 * 80 - 0.5])
    np.testing.assert_allclose(matrix @ [39.5, 23.5, 1], [0.75 * 100 - 0.5, 0.75 * 80 - 0.5])


@pytest.mark.parametrize("settings", [NORMAL, HARD, replace(HARD, width=90, height=160)])
@pytest.mark.parametrize("picture", [(480, 640), (640, 480), (100, 900)])
def test_the_view_stays_inside_and_keeps_the_frame_s_shape(settings, picture):
    for seed in range(5):
        camera = random_camera(np.random.default_rng(seed), settings, picture)
        for time in np.linspace(0, settings.length, 30):
            view = camera.at(time)
            assert min(view.left, view.top) >= 0
            assert max(view.left + view.width, view.top + view.height) <= 1 + 1e-9
            shape = view.width * picture[1] / (view.height * picture[0])
            assert shape == pytest.approx(settings.width / settings.height)


def test_what_is_anchored_moves_with_the_background():
    camera = random_camera(np.random.default_rng(4), NORMAL, (300, 400))
    point = np.array([0.48, 0.55])
    for time in (0.0, 9.5, 24.0):
        matrix = camera.at(time).matrix((300, 400), (192, 320))
        in_picture = point * [400, 300] - 0.5
        in_frame = np.linalg.solve(matrix[:, :2], in_picture - matrix[:, 2])
        np.testing.assert_allclose(Anchored(camera, point, (320, 192)).at(time), in_frame)


def test_a_real_video_runs_in_order_and_back(tmp_path):
    for index in range(3):
        write_image(tmp_path / f"{index}.png", np.full((30, 40, 3), 50 * index, np.uint8))
    background = Background(tuple(tmp_path / f"{index}.png" for index in range(3)))
    first = read_backdrop(background, 0, 24.0)
    assert first.image.shape == (24, 32, 3)
    shown = backdrops(np.random.default_rng(0), replace(FRAME, length=8), background, first, 24.0)
    assert [int(backdrop.image[0, 0, 0]) // 50 for backdrop in shown] == [0, 1, 2, 1, 0, 1, 2, 1]


def test_a_background_of_another_size_than_its_annotations_is_refused(tmp_path):
    (path,) = sorted(write_backgrounds(tmp_path, 1).iterdir())
    rle = masks.encode(np.ones((1, HEIGHT, 9), dtype=bool))[0]
    with pytest.raises(DataError, match=f"0.png: {WIDTH}x{HEIGHT} pixels, its annotations say 9x{HEIGHT}"):
        read_backdrop(Background((path,), (BackgroundObject(1, (rle,)),)), 0, 100.0)


@pytest.mark.parametrize("radius", [10.0, 60.0])
def test_entering_and_leaving(radius):
    stage = NORMAL.stage
    for seed in range(20):
        path = entering_path(np.random.default_rng(seed), stage, radius)
        size = np.array([stage.width, stage.height])
        start, end = path.at(0), path.at(stage.length)
        assert (np.maximum(-start, start - size).max() >= radius - 1e-6) and (end > 0).all() and (end < size).all()
        left = reversed_path(path, stage.length)
        np.testing.assert_allclose([left.at(0), left.at(stage.length)], [end, start], atol=1e-9)
        np.testing.assert_allclose(left.at(stage.length - 7.0), path.at(7.0), atol=1e-9)


def test_a_choreography_has_a_path_and_a_depth_for_each():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        plan = choreograph(rng, HARD, [30.0, 90.0, 40.0, 50.0, 35.0], [20.0, 60.0, 30.0, 30.0, 20.0], [0, 1])
        assert len(plan.paths) == 5
        assert sorted(plan.order) == [0, 1, 2, 3, 4]


rectangles = st.tuples(st.integers(0, 30), st.integers(0, 16), st.integers(1, 10), st.integers(1, 8))


def within(rectangle, row, column):
    left, top, width, height = rectangle
    return left <= column < left + width and top <= row < top + height


def owner(actors, owned, row, column):
    """Whose pixel it is, looked at from the front: a track, None for a piece of background or nothing."""
    for track, (rectangle, is_piece) in reversed(list(enumerate(actors))):
        if within(rectangle, row, column):
            return None if is_piece else track
    return next((10 + n for n, rectangle in enumerate(owned) if rectangle and within(rectangle, row, column)), None)


def filled(rectangle):
    return np.array([[within(rectangle, row, column) for column in range(40)] for row in range(24)])


@given(
    st.lists(st.tuples(rectangles, st.booleans()), max_size=4),
    st.lists(st.none() | rectangles, max_size=3),
)
def test_visibility_is_that_of_a_literal_look_at_each_pixel(actors, owned):
    placed = [
        Placed(None if is_piece else track, Patch(left, top, np.ones((height, width, 4), np.float32)), 60.0)
        for track, ((left, top, width, height), is_piece) in enumerate(actors)
    ]
    own_masks = [None if rectangle is None else filled(rectangle) for rectangle in owned]
    sights = see(placed, own_masks, [60.0] * len(owned), FRAME, cast_size=10)

    boxes = {track: box for track, (box, is_piece) in enumerate(actors) if not is_piece}
    boxes |= {10 + number: box for number, box in enumerate(owned) if box}
    assert set(sights) == {track for track, box in boxes.items() if box[2] * box[3] >= 12}
    owners = [[owner(actors, owned, row, column) for column in range(40)] for row in range(24)]
    for track, sight in sights.items():
        expected = np.array([[who == track for who in row] for row in owners])
        assert sight.fraction == (min(expected.sum() / 60, 1) if expected.sum() >= 12 else 0)
        assert (sight.pixels is None) == (expected.sum() < 12)
        assert sight.pixels is None or (sight.pixels == expected).all()


@pytest.fixture
def cast(tmp_path):
    """Two green squares before a blue photograph that has a red one of its own."""
    mask = square_mask(60, 60, 90, 240, 320)
    image = np.full((240, 320, 3), BLUE, np.uint8)
    image[mask] = RED
    write_image(tmp_path / "ground.png", image)
    drawn = square_mask(30, 20, 40)
    photograph = np.full((HEIGHT, WIDTH, 3), BLUE, np.uint8)
    photograph[drawn] = GREEN
    write_image(tmp_path / "photo.png", photograph)
    source = InstanceSource(tmp_path / "photo.png", 7, masks.encode(drawn[None])[0], ())
    own = BackgroundObject(9, (masks.encode(mask[None])[0],))
    return Cast(0, (source, source), (0, 1), Background((tmp_path / "ground.png",), (own,)))


def colour_mask(image, colour):
    """Pixels nearer to a colour than to the others, literally by distance."""
    distances = [np.abs(image.astype(int) - other).sum(axis=2) for other in (BLUE, GREEN, RED)]
    return np.argmin(distances, axis=0) == (BLUE, GREEN, RED).index(colour)


def overlap(first, second):
    return (first & second).sum() / max((first | second).sum(), 1)


@pytest.mark.parametrize("settings", [PLAIN, replace(PLAIN, width=192, height=320), replace(PLAIN, shutter=0.5)])
def test_masks_are_where_the_picture_shows_the_objects(cast, settings):
    compared = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for frame in render(plan_scene(rng, settings, cast), settings, rng):
            green = [frame.sights[track].pixels for track in (0, 1) if track in frame.sights]
            shown = np.any([pixels for pixels in green if pixels is not None] or [np.zeros(1, bool)], axis=0)
            if shown.sum() > 300:
                assert overlap(shown, colour_mask(frame.image, GREEN)) > 0.93
                compared += 1
            own = frame.sights.get(2)
            if own is not None and own.pixels is not None and own.pixels.sum() > 300:
                assert overlap(own.pixels, colour_mask(frame.image, RED)) > 0.93
                compared += 1
    assert compared > 40


def test_fractions_count_what_the_frame_s_edge_hides(cast):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        for frame in render(plan_scene(rng, PLAIN, replace(cast, sources=(), lookalikes=())), PLAIN, rng):
            sight = frame.sights[0]
            # The red square is 90 of 240x320, the view's share of which is what the frame shows magnified.
            if sight.fraction > 0.99:
                rows, columns = np.nonzero(sight.pixels)
                assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)
            else:
                assert sight.pixels[[0, -1]].any() or sight.pixels[:, [0, -1]].any()


def test_light_noise_and_defocus_change_the_picture_only(cast):
    lively = replace(PLAIN, noise=4.0, light=0.3, defocus=1.0)
    frames = list(render(plan_scene(np.random.default_rng(1), lively, cast), lively, np.random.default_rng(2)))
    brightness = [cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY).mean() for frame in frames]
    assert np.ptp(brightness) > 1
    flat = frames[0].image[np.all([colour_mask(frames[0].image, BLUE)], axis=0)].astype(float)
    assert flat.std(axis=0).min() > 2
