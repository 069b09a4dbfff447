import numpy as np
import pytest

from vis_pipeline.visualize.text import draw_text, fill_box, shortened, text_size


@pytest.mark.parametrize(("x", "y"), [(5, 5), (-8, -4), (190, 25), (500, 500), (-500, 3)])
def test_text_changes_nothing_outside_its_box(x, y):
    image = np.full((40, 200, 3), 90, np.uint8)
    draw_text(image, "4 ring 0.87", x, y, 14, (255, 255, 255))
    width, height = text_size("4 ring 0.87", 14)
    rows, columns = np.nonzero((image != 90).any(axis=2))
    assert ((rows >= y) & (rows < y + height) & (columns >= x) & (columns < x + width)).all()
    assert (len(rows) > 0) == (abs(x) < 200)


def test_letters_beyond_ascii_have_shapes_of_their_own():
    drawn = []
    for text in ("ж", "λ", "é"):
        image = np.zeros((30, 30, 3), np.uint8)
        draw_text(image, text, 2, 2, 18, (255, 255, 255))
        drawn.append(image.tobytes())
    assert len(set(drawn)) == 3


def test_a_box_is_blended_and_cut():
    image = np.full((10, 10, 3), 100, np.uint8)
    fill_box(image, -5, 6, 8, 20, (200, 0, 100), 0.5)
    expected = np.full((10, 10, 3), 100, np.uint8)
    expected[6:, :3] = (150, 50, 100)
    np.testing.assert_array_equal(image, expected)


def test_a_long_name_is_cut_to_its_width():
    cut = shortened("a_class_with_a_very_long_name", 13, 90)
    assert cut.endswith("…") and len(cut) > 4
    assert text_size(cut, 13)[0] <= 90
    assert shortened("ring", 13, 90) == "ring"


def test_line_breaks_and_halves_of_characters_are_blanks():
    assert text_size("a\nb\ud800", 13) == text_size("a b ", 13)


@pytest.mark.parametrize("width", [1, 5, 60, 200, 2000])
def test_as_much_of_a_name_is_kept_as_fits(width):
    name = "a_name " * 30
    expected = next((n for n in range(len(name) - 1, 0, -1) if text_size(name[:n] + "…", 13)[0] <= width), 0)
    whole = text_size(name, 13)[0] <= width
    assert shortened(name, 13, width) == (name if whole else name[:expected].rstrip() + "…")
