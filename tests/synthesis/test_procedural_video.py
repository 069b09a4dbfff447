"""One video: determinism, ground truth against the picture, motion blur, and what every scene must show."""

from dataclasses import replace

import numpy as np
import pytest

from vis_pipeline.synthesis.common.motion import Path
from vis_pipeline.synthesis.common.visibility import half_hidden, returns
from vis_pipeline.synthesis.procedural import CATEGORY_NAMES, CROWD, HARD, NORMAL, generate_video
from vis_pipeline.synthesis.procedural.backdrop import Backdrop
from vis_pipeline.synthesis.procedural.forms import still_form
from vis_pipeline.synthesis.procedural.layers import Body
from vis_pipeline.synthesis.procedural.render import render_frame
from vis_pipeline.synthesis.procedural.scene import DrawnScene, plan_scene, see
from vis_pipeline.synthesis.procedural.shapes import outline


@pytest.fixture(scope="module")
def video():
    return generate_video(20000, 1)


def still_path(x, y):
    return Path(np.array([0.0, 24.0]), np.array([[x, y], [x, y]], dtype=float))


def body(name, size, path, brightness=0.0):
    return Body(outline(name), still_form(size, 0.3), path, np.full((8, 8, 3), brightness, np.float32), 2.0)


def scene_of(*bodies, settings, occluders=()):
    order = tuple(range(len(bodies)))
    plate = np.full((settings.height + 8, settings.width + 8, 3), 255, np.float32)
    backdrop = Backdrop(np.full((3, 3), 255.0), plate, still_path(0, 0))
    visibility = see(settings, bodies, occluders, order)
    return DrawnScene(("disc",) * len(bodies), bodies, occluders, order, visibility, (), backdrop)


def draw(scene, settings, frame=12):
    return render_frame(scene, settings, frame, np.zeros((settings.height, settings.width, 3), np.float32))


def test_the_same_seed_and_index_give_the_same_video(video):
    again = generate_video(20000, 1)
    np.testing.assert_array_equal(video.frames, again.frames)
    np.testing.assert_array_equal(video.masks, again.masks)
    assert video.category_ids == again.category_ids


def test_seeds_share_no_videos():
    assert generate_video(0, 1).frames[0].tobytes() != generate_video(1, 0).frames[0].tobytes()


def test_forms_and_types(video):
    count = len(video.category_ids)
    assert video.frames.shape == (24, 192, 320, 3) and video.frames.dtype == np.uint8
    assert video.masks.shape == (count, 24, 192, 320) and video.masks.dtype == np.bool_
    assert video.visible_fractions.shape == video.in_frame.shape == (count, 24)
    assert all(1 <= number <= len(CATEGORY_NAMES) for number in video.category_ids)


def test_masks_are_disjoint_and_never_slivers(video):
    assert video.masks.sum(axis=0).max() == 1
    sizes = video.masks.sum(axis=(2, 3))
    assert ((sizes == 0) | (sizes >= 12)).all()
    np.testing.assert_array_equal(sizes > 0, video.visible_fractions > 0)
    assert video.in_frame[sizes > 0].all()


def test_mask_is_where_the_picture_shows_the_object():
    settings = replace(NORMAL, shutter=1e-6)
    scene = scene_of(body("star", 50, still_path(90.3, 80.6)), settings=settings)
    dark = draw(scene, settings)[..., 0] < 128
    mask = scene.visibility.pixels[0, 12]
    assert (dark & mask).sum() / (dark | mask).sum() > 0.97


def test_nearer_bodies_and_occluders_hide():
    far, near = body("square", 40, still_path(100, 100)), body("square", 40, still_path(112, 100))
    cover = body("square", 300, still_path(150, 100))
    apart = scene_of(far, near, settings=NORMAL).visibility
    assert apart.fractions[1, 0] == pytest.approx(1.0, abs=0.03)
    assert apart.fractions[0, 0] < 0.6
    covered = scene_of(far, near, settings=NORMAL, occluders=(cover,)).visibility
    assert not covered.pixels.any() and covered.in_frame.all()


def test_blur_spreads_along_the_motion_and_keeps_the_covered_area():
    size, speed = 30.0, 12.0
    moving = Path(np.array([0.0, 24.0]), np.array([[16.0, 90], [16 + 24 * speed, 90]]))
    covered, widths, heights = [], [], []
    for path in (still_path(16 + 12 * speed, 90), moving):
        picture = draw(scene_of(body("disc", size, path), settings=NORMAL), NORMAL)[..., 0]
        part = 1 - picture / 255
        covered.append(part.sum())
        widths.append((part.max(axis=0) > 0.02).sum())
        heights.append((part.max(axis=1) > 0.02).sum())
    assert covered[1] == pytest.approx(covered[0], rel=0.01)
    assert widths[1] - widths[0] == pytest.approx(speed * NORMAL.shutter, abs=2)
    assert abs(heights[1] - heights[0]) <= 1


def test_half_hidden_and_returns_by_hand():
    fractions = np.array([[1.0, 0.5, 1.0], [1.0, 0.0, 0.6], [0.0, 0.51, 0.0], [0.2, 0.0, 0.0]])
    assert half_hidden(fractions).tolist() == [True, False, False, True]
    assert returns(fractions == 0, fractions > 0).tolist() == [False, True, False, False]
    assert not returns(np.zeros((4, 3), bool), fractions > 0).any()


@pytest.mark.parametrize(("settings", "seed"), [(NORMAL, 777), (NORMAL, 31), (HARD, 20500), (CROWD, 10700)])
def test_every_scene_shows_what_it_must(settings, seed):
    for index in range(8):
        rng = np.random.default_rng([seed, index])
        scene = plan_scene(rng, settings, index, first_category=seed + index)
        fractions, in_frame = scene.visibility.fractions, scene.visibility.in_frame
        assert settings.objects[0] <= len(fractions) <= settings.objects[1]
        assert (fractions > 0).any(axis=1).all()
        assert half_hidden(fractions).mean() >= 0.3
        assert returns(~in_frame, fractions > 0).mean() >= 0.15
        assert {scene.categories[track] for track in scene.lookalikes} <= {scene.categories[0]}
        expected_lookalike = settings.lookalike_period == 0 or index % settings.lookalike_period != 3
        assert (len(scene.lookalikes) >= 2) == expected_lookalike
