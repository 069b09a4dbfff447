import numpy as np
import pytest

from vis_pipeline.visualize import fonts
from vis_pipeline.visualize.fonts import can_shape, clusters, font_runs, has_letters
from vis_pipeline.visualize.text import can_draw, draw_text, fill_box, isolated, shortened, text_size

shaped = pytest.mark.skipif(not can_shape(), reason="Pillow has no raqm here (libfribidi is missing)")


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


def _drawn(text, size=40, bold=False):
    width, height = text_size(text, size, bold)
    image = np.zeros((height, width, 3), np.uint8)
    draw_text(image, text, 0, 0, size, (255, 255, 255), bold)
    return image


def _ink(image):
    """The columns that have ink, without the empty ones on both sides."""
    columns = np.flatnonzero(image.any(axis=(0, 2)))
    return image[:, columns[0] : columns[-1] + 1]


@shaped
def test_hebrew_stands_from_right_to_left():
    # Letters that do not join: those of the word are the letters one by one, the last one first.
    letters = [_ink(_drawn(letter)) for letter in "שלם"]
    word = _drawn("שלם")
    gaps = np.flatnonzero(np.diff(word.any(axis=(0, 2)).astype(int)) == -1)
    np.testing.assert_array_equal(word[:, gaps[-1] - letters[0].shape[1] + 1 : gaps[-1] + 1], letters[0])
    start = np.flatnonzero(word.any(axis=(0, 2)))[0]
    np.testing.assert_array_equal(word[:, start : start + letters[2].shape[1]], letters[2])


@shaped
def test_arabic_letters_join():
    joined, apart = _drawn("سس"), _drawn("س\u200cس")
    assert joined.shape[1] < apart.shape[1]
    assert joined.any(axis=(0, 2)).sum() != apart.any(axis=(0, 2)).sum()


@shaped
def test_a_name_in_a_line_leaves_the_rest_where_it_is():
    # Without isolation the figure after a Hebrew name would stand before it.
    for name in ("שלום", "قطة", "שלום 12", "\u202eשאל", "\u2069שאל\u2066"):
        line = _drawn(f"7 {isolated(name)} 0.87")
        np.testing.assert_array_equal(line[:, : _drawn("7 ").shape[1]], _drawn("7 "))
        np.testing.assert_array_equal(line[:, -_drawn(" 0.87").shape[1] :], _drawn(" 0.87"))
    assert isolated("\u202eri\u2066ng\n") == "ring "


def test_marks_are_composed_and_stacks_fit_the_line():
    np.testing.assert_array_equal(_drawn("e\u0301tat"), _drawn("état"))
    if can_shape():
        tall = _drawn("x\u0302\u0302\u0302")
        assert tall.shape[0] == _drawn("x").shape[0] and not tall[0].any()


def test_a_cut_leaves_letters_whole():
    assert clusters("né\u0301e") == ["n", "é\u0301", "e"]
    assert clusters("\u0915\u094d\u0937\u093f\u0924") == ["\u0915\u094d\u0937\u093f", "\u0924"]
    assert clusters("\U0001f468\u200d\U0001f469a\U0001f1e9\U0001f1ea\U0001f1eb") == [
        "\U0001f468\u200d\U0001f469",
        "a",
        "\U0001f1e9\U0001f1ea",
        "\U0001f1eb",
    ]
    name = "x\u0323\u0302" * 40
    kept = shortened(name, 13, 90)
    assert kept.endswith("\u0302…") and len(kept) % 3 == 1


def test_letters_of_no_font_are_known():
    # Of Unicode's private ones, half of a pair, and no character at all.
    assert not any(can_draw(f"a{one}") for one in ("\ue123", "\ud800", "\x00"))
    assert can_draw("ring é λ ж 3") and can_draw("") and can_draw("two\nlines")


@pytest.fixture
def machine_without_fonts(monkeypatch):
    monkeypatch.setattr(fonts.shutil, "which", lambda name: None)
    for cached in (fonts._font_of, fonts._fonts_with):
        cached.cache_clear()
    yield
    for cached in (fonts._font_of, fonts._fonts_with):
        cached.cache_clear()


def test_without_fontconfig_the_shipped_font_is_what_there_is(machine_without_fonts):
    assert not can_draw("人物") and can_draw("étoile")
    assert font_runs("a人") == [("a", font_runs("a")[0][1]), ("人", None)]


def test_without_raqm_scripts_that_need_it_are_not_written_wrongly(monkeypatch):
    monkeypatch.setattr(fonts, "can_shape", lambda: False)
    assert not any(has_letters(name) for name in ("שלום", "قطة", "x\u0302"))
    assert has_letters("étoile") and has_letters("λ ж")


def _installed(text):
    run = font_runs(text)
    return can_shape() and len(run) == 1 and run[0][1] is not None


@pytest.mark.parametrize(
    ("syllable", "parts"),
    [
        ("\u0915\u094d\u0937", ("\u0915\u094d", "\u0937")),
        ("\u0915\u093f", ("\u0915", "\u093f")),
        ("\u0e17\u0e35\u0e48", ("\u0e17", "\u0e35", "\u0e48")),
    ],
)
def test_syllables_are_put_together(syllable, parts):
    if not _installed(syllable):
        pytest.skip("no font for this script here (Debian's fonts-noto-core has them)")
    whole = _drawn(syllable)
    assert whole.any() and whole.shape[1] < sum(_drawn(part).shape[1] for part in parts)


def test_lines_of_several_fonts_are_as_high_as_others():
    text = "3 人物 \u0928\u092e\u0938\u094d\u0924\u0947 שלום 0.5"
    assert text_size(text, 20)[1] == text_size("x", 20)[1]
    assert _drawn(text).any()
