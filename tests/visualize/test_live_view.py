"""What is drawn of the engine's frames as they come."""

import numpy as np

from vis_pipeline.structures.tracks import FrameTracks, MaskState
from vis_pipeline.visualize.live_view import LiveArtist

HEIGHT, WIDTH = 360, 480


def tracks(index: int, **objects: tuple[int, int, MaskState]) -> FrameTracks:
    """Squares of 60 pixels: their ids, places (x), labels and states."""
    ids = np.array([int(name[1:]) for name in objects], np.int64)
    lefts = [left for left, _, _ in objects.values()]
    boxes = np.array([[left, 150, left + 60, 210] for left in lefts], np.float32).reshape(-1, 4)
    hidden = [state == MaskState.HIDDEN for _, _, state in objects.values()]
    return FrameTracks(
        index=index,
        time=None,
        size=(HEIGHT, WIDTH),
        ids=ids,
        boxes=boxes,
        scores=np.full(len(ids), 0.5, np.float32),
        labels=np.array([label for _, label, _ in objects.values()], np.int64),
        states=np.array([int(state) for _, _, state in objects.values()], np.int8),
        corners=np.array([[left, 150] for left in lefts], np.int64).reshape(-1, 2),
        masks=tuple(np.zeros((0, 0), bool) if gone else np.ones((60, 60), bool) for gone in hidden),
    )


def tint(drawn: np.ndarray, left: int) -> list[int]:
    return drawn[185, left + 30].tolist()


def test_a_track_keeps_its_colour_whoever_comes_and_goes() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    artist = LiveArtist({7: "ring"})
    first = artist.draw(grey, tracks(0, _0=(50, 7, MaskState.DETECTED)))
    both = artist.draw(grey, tracks(1, _2=(300, 7, MaskState.DETECTED), _0=(50, 7, MaskState.DETECTED)))
    alone = artist.draw(grey, tracks(2, _2=(300, 9, MaskState.DETECTED)))
    assert (grey == 110).all()
    assert tint(first, 50) == tint(both, 50) != [110] * 3
    assert tint(both, 300) == tint(alone, 300) != tint(both, 50)
    assert tint(alone, 50) == tint(first, 300) == [110] * 3


def test_predicted_is_hatched_and_hidden_is_not_drawn() -> None:
    grey = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
    artist = LiveArtist({})
    sure = artist.draw(grey, tracks(0, _0=(50, 7, MaskState.DETECTED)))
    guessed = artist.draw(grey, tracks(0, _0=(50, 7, MaskState.PREDICTED)))
    hidden = artist.draw(grey, tracks(0, _0=(50, 7, MaskState.HIDDEN)))
    inside = (slice(160, 200), slice(60, 100))
    plain = [float((picture[inside] == 110).all(axis=2).mean()) for picture in (sure, guessed, hidden)]
    assert plain[0] == 0 and 0.2 < plain[1] < 0.8 and plain[2] == 1


def test_it_may_be_drawn_at_another_scale() -> None:
    artist = LiveArtist({7: "ring"})
    grey = np.full((HEIGHT * 2, WIDTH * 2, 3), 110, np.uint8)
    drawn = artist.draw(grey, tracks(0, _0=(50, 7, MaskState.DETECTED)))
    assert drawn[370, 160].tolist() != [110] * 3 and drawn[185, 80].tolist() == [110] * 3
