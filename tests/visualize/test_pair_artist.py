"""Two panels side by side, and the trails and names of artists."""

import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.structures.frames import BadFrame, Frame
from vis_pipeline.structures.tracks import TrackResult
from vis_pipeline.visualize.identities import identities
from vis_pipeline.visualize.pair_artist import PairArtist, panel_gap
from vis_pipeline.visualize.style import Part, Style
from vis_pipeline.visualize.track_artist import TrackArtist

HEIGHT, WIDTH, LENGTH = 48, 64, 6
GREY = 110


def _artist(left: int, *parts: Part, name: str = "", trail: int = 20) -> TrackArtist:
    """A square that goes 6 pixels to the right a frame, and is not seen in frame 3."""
    rles = []
    for index in range(LENGTH):
        mask = np.zeros((1, HEIGHT, WIDTH), bool)
        mask[0, 10:18, left + 6 * index : left + 6 * index + 8] = True
        rles.append(None if index == 3 else masks.encode(mask)[0])
    shown = identities([TrackResult(1, 7, 0.9, tuple(rles))], {7: "ring"}, 0.0)
    return TrackArtist(shown, Style(frozenset(parts), trail=trail), name)


def _frame(index: int) -> Frame:
    return Frame(1, index, f"{index}.png", np.full((HEIGHT, WIDTH, 3), GREY, np.uint8))


def test_panels_are_what_each_draws_with_a_gap() -> None:
    alone = [_artist(0, Part.FILL), _artist(20, Part.FILL)]
    pair = PairArtist(_artist(0, Part.FILL), _artist(20, Part.FILL))
    frame = _frame(1)
    drawn = pair.on_video(frame.image, frame, "frame 1")
    assert pair.panels == 2 and drawn.shape == (HEIGHT, 2 * WIDTH + panel_gap(WIDTH), 3)
    np.testing.assert_array_equal(drawn[:, :WIDTH], alone[0].on_video(frame.image, frame, ""))
    np.testing.assert_array_equal(drawn[:, -WIDTH:], alone[1].on_video(frame.image, frame, ""))
    strips = [artist.strip(LENGTH, 700, [0, 5], []) for artist in alone]
    both = pair.strip(LENGTH, 700, [0, 5], [])
    np.testing.assert_array_equal(both[: len(strips[0])], strips[0])
    np.testing.assert_array_equal(both[-len(strips[1]) :], strips[1])


def test_the_name_of_a_panel_is_drawn_without_a_caption_too() -> None:
    frame = BadFrame(1, 0, "0.png", "lost")
    image = np.full((200, 300, 3), GREY, np.uint8)
    plain = _artist(0).on_video(image, frame, "frame 0")
    assert (plain == GREY).all()
    named = _artist(0, name="result").on_video(image, frame, "frame 0")
    captioned = _artist(0, Part.CAPTION, name="result").on_video(image, frame, "frame 0")
    widths = [int((drawn != GREY).any(axis=(0, 2)).sum()) for drawn in (named, captioned)]
    assert 20 < widths[0] < widths[1] < 200


@pytest.mark.parametrize("times", [1, 2])
def test_a_trail_is_the_way_of_the_centre_in_the_last_frames(times: int) -> None:
    image = np.full((HEIGHT * times, WIDTH * times, 3), GREY, np.uint8)
    row = 14 * times
    at_once = _artist(0, Part.TRAILS, trail=3).on_video(image, _frame(2), "")[row, ::times]
    artist = _artist(0, Part.TRAILS, trail=3)
    for index in range(3):
        one_by_one = artist.on_video(image, _frame(index), "")[row, ::times]
    np.testing.assert_array_equal(one_by_one, at_once)
    # Centres are at x 4, 10, 16 and so on.
    changed = (at_once != GREY).any(axis=1)
    assert changed[4:17].all() and not changed[22:].any()
    later = (_artist(0, Part.TRAILS, trail=3).on_video(image, _frame(5), "")[row, ::times] != GREY).any(axis=1)
    assert later[28:35].all() and not later[:22].any()
    # Where it is not seen the way stays for as long.
    hidden = (_artist(0, Part.TRAILS, trail=3).on_video(image, _frame(3), "")[row, ::times] != GREY).any(axis=1)
    assert hidden[10:17].all() and not hidden[:7].any()
