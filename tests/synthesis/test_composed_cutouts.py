"""Cut-outs: soft edges without halo, placing, blending and bending, and which sources are whole."""

import numpy as np
import pytest
from composed_inputs import BLUE, GREEN, HEIGHT, WIDTH, square_mask, write_image, write_sprite

from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.synthesis.common.motion import Wave
from vis_pipeline.synthesis.composed.cutouts import Bend, Patch, lay_over, lift, place, soft_mask, tinted, widened
from vis_pipeline.synthesis.composed.sources import InstanceSource, SpriteSource, is_whole

IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


@pytest.fixture(scope="module")
def square():
    mask = square_mask(30, 20, 40)
    image = np.full((HEIGHT, WIDTH, 3), BLUE, np.uint8)
    image[mask] = GREEN
    return lift(image, soft_mask(mask), np.inf)


def moved(x, y):
    return np.array([[1.0, 0, x], [0, 1, y]])


def test_no_halo_of_the_old_background(square):
    alpha = square.layer[..., 3]
    edge = (alpha > 0.02) & (alpha < 0.9)
    assert edge.sum() > 100
    np.testing.assert_allclose(
        square.layer[edge][:, :3] / alpha[edge][:, None], np.tile(GREEN, (edge.sum(), 1)), atol=4
    )


def test_a_pixel_is_taken_off_a_drawn_mask(square):
    assert square.area == 38 * 38
    rows, columns = np.nonzero(square.layer[..., 3] > 0.5)
    assert (square.centre == [columns.mean(), rows.mean()]).all()
    assert square.radius == pytest.approx(18.5 * np.sqrt(2))
    assert square.layer[[0, -1], :, 3].max() == square.layer[:, [0, -1], 3].max() < 0.01


def test_lifting_shrinks_to_the_size_and_never_enlarges():
    mask = square_mask(30, 20, 40)
    image = np.full((HEIGHT, WIDTH, 3), GREEN, np.uint8)
    assert np.sqrt(lift(image, mask.astype(np.float32), 20.0).area) == pytest.approx(20, abs=1)
    assert np.sqrt(lift(image, mask.astype(np.float32), 80.0).area) == pytest.approx(40, abs=1)


def test_nothing_is_left_of_what_is_too_thin():
    line = np.zeros((HEIGHT, WIDTH), dtype=bool)
    line[40, 10:100] = True
    assert lift(np.zeros((HEIGHT, WIDTH, 3), np.uint8), soft_mask(line), 50.0) is None


def test_a_layer_lies_where_its_matrix_says(square):
    patch = place(square.layer, [moved(7, -2)], 0.0, HEIGHT, WIDTH)
    rows, columns = np.nonzero(patch.solid)
    assert columns.mean() + patch.left == pytest.approx(square.centre[0] + 7)
    assert rows.mean() + patch.top == pytest.approx(square.centre[1] - 2)
    assert patch.solid.sum() == square.area


def test_a_layer_is_cut_at_the_frame(square):
    patch = place(square.layer, [moved(-20, 0)], 0.0, HEIGHT, WIDTH)
    whole = place(square.layer, [IDENTITY], 0.0, HEIGHT, WIDTH).layer
    np.testing.assert_allclose(patch.layer, whole[:, 20 : 20 + patch.layer.shape[1]], atol=1e-4)
    assert patch.left == 0
    for matrix in (moved(-200, 0), moved(WIDTH, 0), moved(0, HEIGHT)):
        assert place(square.layer, [matrix], 0.0, HEIGHT, WIDTH) is None


@pytest.mark.parametrize(("moments", "blur"), [([(30, 20)], 2.0), ([(24, 20), (30, 20), (36, 20)], 0.0)])
def test_blur_keeps_what_is_covered(square, moments, blur):
    patch = place(square.layer, [moved(*moment) for moment in moments], blur, HEIGHT, WIDTH)
    assert patch.layer[..., 3].sum() == pytest.approx(square.layer[..., 3].sum(), rel=1e-3)
    assert ((patch.layer[..., 3] > 0.02) & (patch.layer[..., 3] < 0.98)).sum() > 250


def test_blending_is_alpha_over():
    rng = np.random.default_rng(3)
    alpha = rng.random((4, 5, 1)).astype(np.float32)
    colours = rng.uniform(0, 255, (4, 5, 3)).astype(np.float32)
    canvas = rng.uniform(0, 255, (9, 9, 3)).astype(np.float32)
    expected = canvas.copy()
    for row in range(4):
        for column in range(5):
            share = alpha[row, column, 0]
            expected[row + 2, column + 3] = share * colours[row, column] + (1 - share) * canvas[row + 2, column + 3]
    lay_over(canvas, Patch(3, 2, np.concatenate([colours * alpha, alpha], axis=2)))
    np.testing.assert_allclose(canvas, expected, rtol=1e-5)


def test_bending_moves_each_row_by_its_wave(square):
    wide = widened(square, 6)
    straight = Bend(Wave(0.0), Wave(0.0), (1.0, 1.0)).apply(wide.layer, 3.0)
    np.testing.assert_array_equal(straight, wide.layer)
    bent = Bend(Wave(0.0, 4.0, 0.2, 0.5), Wave(0.0), (0.8, 1.0)).apply(wide.layer, 3.0)[..., 3]
    height = len(bent)
    for row in range(15, 35):
        shift = 4.0 * np.sin(2 * np.pi * 0.8 * row / height + 0.2 * 3.0 + 0.5)
        centre = (bent[row] * np.arange(len(bent[row]))).sum() / bent[row].sum()
        assert centre == pytest.approx(wide.centre[0] - shift, abs=0.05)


def test_tint_multiplies_and_saturates(square):
    changed = tinted(square, np.array([1.1, 2.0, 0.5]))
    inside = changed.layer[changed.layer[..., 3] == 1]
    np.testing.assert_allclose(inside[0], [33, 255, 10, 1], rtol=1e-4)


def test_whole_or_not():
    mask = square_mask(20, 20, 40)
    assert is_whole(mask, [])
    assert is_whole(mask, [square_mask(90, 20, 20)])
    assert is_whole(mask, [square_mask(62, 50, 8)])
    assert not is_whole(mask, [square_mask(60, 20, 40)])
    assert not is_whole(mask | square_mask(80, 20, 20), [])


def test_sources_of_both_kinds_agree(tmp_path):
    sprite = write_sprite(tmp_path / "disc.png")
    picture = np.full((40, 40, 3), GREEN, np.uint8)
    yy, xx = np.mgrid[:40, :40]
    disc = np.hypot(xx - 20, yy - 20) <= 16
    write_image(tmp_path / "photo.png", picture)
    rle = masks.encode(disc[None])[0]
    from_sprite = SpriteSource(sprite, 1).cut_out(20.0)
    from_photograph = InstanceSource(tmp_path / "photo.png", 1, rle, ()).cut_out(20.0)
    for cutout in (from_sprite, from_photograph):
        assert np.sqrt(cutout.area) == pytest.approx(20, abs=1)
        np.testing.assert_allclose(cutout.mean_colour, GREEN, atol=3)


def test_a_photograph_of_another_size_is_refused(tmp_path):
    write_image(tmp_path / "photo.png", np.zeros((30, 40, 3), np.uint8))
    rle = masks.encode(np.ones((1, 40, 40), dtype=bool))[0]
    with pytest.raises(DataError, match=r"photo\.png: 40x30 pixels, its annotations say 40x40"):
        InstanceSource(tmp_path / "photo.png", 1, rle, ()).cut_out(20.0)


def test_a_damaged_sprite_is_refused(tmp_path):
    sprite = write_sprite(tmp_path / "disc.png", side=200)
    sprite.write_bytes(sprite.read_bytes()[:200])
    with pytest.raises(DataError, match=r"disc\.png: cannot be read"):
        SpriteSource(sprite, 1).cut_out(20.0)
