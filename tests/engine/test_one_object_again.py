"""One object that leaves and comes back elsewhere: found again by Siam R-CNN, and for SiamMask by a gallery."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from returning_objects import SIDE, Place, video
from siam_rcnn_scenes import BlindNetwork, ColourNetwork, ColourRegions, Filled

from vis_pipeline.errors import DataError
from vis_pipeline.masks import area
from vis_pipeline.trackers.siam_rcnn.gallery import Gallery, GallerySettings
from vis_pipeline.trackers.siam_rcnn.settings import (
    AlikeSettings,
    ArgmaxSettings,
    ColourSettings,
    LooksSettings,
    RedetectionSettings,
    SelectionSettings,
    ShortTermSettings,
    TdpaSettings,
)
from vis_pipeline.trackers.siam_rcnn.single_object import SiamRcnnFollower
from vis_pipeline.trackers.siammask.single_object import LossSettings, NoFinder, track_object

CPU = torch.device("cpu")
COLOURS = {"red": (20, 20, 220), "green": (20, 200, 20), "pink": (26, 26, 220), "rose": (90, 90, 220)}
LEFT, RIGHT, TOP = (6, 40), (74, 40), (40, 6)
SCRIPT: Sequence[Mapping[str, Place]] = [
    *[{"green": TOP, "red": LEFT}] * 6,
    *[{"green": TOP}] * 10,
    *[{"green": TOP, "red": RIGHT}] * 6,
]
BOX = np.array([*LEFT, SIDE, SIDE], dtype=np.float64)


@pytest.mark.parametrize("selection", [TdpaSettings(), ArgmaxSettings(present_score=0.5)])
def test_siam_rcnn_follows_one_object_over_its_absence(selection: SelectionSettings) -> None:
    source = ColourRegions(SCRIPT)
    follower = SiamRcnnFollower(ColourNetwork(), source, Filled(), RedetectionSettings(), selection, CPU)
    found = list(follower.follow(video(SCRIPT, COLOURS), BOX))
    assert source.asked == list(range(22))
    assert (found[0].score, found[0].mask, found[0].box.tolist()) == (1.0, None, BOX.tolist())
    for place, frames in ((LEFT, range(1, 6)), (RIGHT, range(18, 22))):
        for one in (found[frame] for frame in frames):
            assert one.box.tolist() == [*place, SIDE, SIDE] and one.score > 0.9
            assert one.mask is not None and area([one.mask])[0] == SIDE * SIDE
    for one in found[6:16]:
        assert (one.score, one.mask, one.box.tolist()) == (0.0, None, BOX.tolist())


def test_a_box_outside_the_frame_is_no_object() -> None:
    follower = SiamRcnnFollower(
        ColourNetwork(), ColourRegions(SCRIPT), Filled(), RedetectionSettings(), TdpaSettings(), CPU
    )
    with pytest.raises(DataError, match="outside frame 0"):
        next(follower.follow(video(SCRIPT, COLOURS), np.array([500.0, 0, 5, 5])))


def gallery(script: Sequence[Mapping[str, Place]], settings: GallerySettings | None = None) -> Gallery:
    return Gallery(
        ColourNetwork(), ColourRegions(script), RedetectionSettings(), settings or GallerySettings(views=3), CPU
    )


def test_a_gallery_finds_what_it_remembers_and_nothing_else() -> None:
    script = [{"red": LEFT}, {"green": TOP}, {"green": TOP, "red": RIGHT}, {"pink": LEFT, "red": RIGHT}]
    frames, known = video(script, COLOURS), gallery(script)
    known.remember(frames[0], BOX)
    assert known.find(frames[1]) is None
    found = known.find(frames[2])
    assert found is not None and found.tolist() == [*RIGHT, SIDE, SIDE]
    # Beside one that looks nearly the same it is not sure.
    assert known.find(frames[3]) is None


def test_a_gallery_keeps_its_first_view_and_the_latest() -> None:
    script: list[Mapping[str, Place]] = [{"red": LEFT}, *[{"green": TOP}] * 5]
    frames, known = video(script, COLOURS), gallery(script)
    known.remember(frames[0], BOX)
    for frame in frames[1:]:
        known.remember(frame, np.array([*TOP, SIDE, SIDE], dtype=np.float64))
    assert len(known._views) == 3
    assert all(known.find(frames[index]) is not None for index in (0, 1))


def blind(script: Sequence[Mapping[str, Place]], looks: LooksSettings) -> Gallery:
    """A gallery whose network takes the one for the other."""
    return Gallery(BlindNetwork(), ColourRegions(script), RedetectionSettings(looks=looks), GallerySettings(), CPU)


def test_a_gallery_that_sees_colours_takes_no_lookalike() -> None:
    """The rose square is there alone, then beside the red one that is looked for."""
    script = [{"red": LEFT}, {"rose": TOP}, {"red": RIGHT, "rose": TOP}]
    frames = video(script, COLOURS)
    found = {}
    for looks in (AlikeSettings(), ColourSettings()):
        known = blind(script, looks)
        known.remember(frames[0], BOX)
        found[looks.type] = [known.find(frame) for frame in frames[1:]]
    alone, beside = found["alike"]
    assert alone is not None and alone.tolist() == [*TOP, SIDE, SIDE] and beside is None
    alone, beside = found["colours"]
    assert alone is None and beside is not None and beside.tolist() == [*RIGHT, SIDE, SIDE]


@pytest.mark.parametrize("selection", [TdpaSettings(), ArgmaxSettings(present_score=0.5), ShortTermSettings()])
def test_siam_rcnn_follows_no_lookalike_where_it_sees_colours(selection: SelectionSettings) -> None:
    script = [*[{"red": LEFT}] * 4, *[{"rose": TOP}] * 8, *[{"red": RIGHT, "rose": TOP}] * 8]
    taken = {}
    for looks in (AlikeSettings(), ColourSettings()):
        limits = RedetectionSettings(min_score=0.3, looks=looks)
        follower = SiamRcnnFollower(BlindNetwork(), ColourRegions(script), Filled(), limits, selection, CPU)
        places = [one.box.tolist()[:2] for one in follower.follow(video(script, COLOURS), BOX) if one.mask is not None]
        taken[looks.type] = ([*TOP] in places, places[-1] == [*RIGHT])
    assert taken["colours"] == (False, True)
    assert taken["alike"][0]


class Scripted:
    """A SiamMask that finds its object wherever it is looked for within 10 pixels."""

    def __init__(self, script: Sequence[Mapping[str, Place]]) -> None:
        self._places = [places.get("red") for places in script]
        self._frame = -1
        self._image: Any = None

    def initialise(self, image: torch.Tensor, boxes: torch.Tensor) -> Any:
        return _state(boxes[0])

    def predict(self, image: torch.Tensor, state: Any) -> Any:
        if self._image is None or not torch.equal(image, self._image):
            self._frame, self._image = self._frame + 1, image
        place = self._places[self._frame + 1]
        near = place is not None and abs(state.box[0] - place[0]) < 10
        box = torch.tensor([[*place, SIDE, SIDE]], dtype=torch.float64) if near else state.box[None]
        masks, scores = torch.zeros((1, 64, 96), dtype=torch.bool), torch.tensor([0.95 if near else 0.1])
        return SimpleNamespace(states=_state(box[0]), boxes=box, located_boxes=box, scores=scores, masks=masks)


def _state(box: torch.Tensor) -> Any:
    return SimpleNamespace(box=box, with_boxes=lambda boxes: _state(boxes[0]))


def moving(script: Sequence[Mapping[str, Place]]) -> list[Any]:
    """No two frames are the same picture."""
    frames = video(script, COLOURS)
    for frame in frames:
        frame.image[0, 0] = frame.index
    return frames


def test_siammask_goes_on_where_its_lost_object_is_found() -> None:
    settings = LossSettings(lost_frames=2, remember_every=3)
    alone = list(track_object(Scripted(SCRIPT), moving(SCRIPT), BOX, NoFinder(), settings))
    assert [one.score > 0.5 for one in alone] == [True] * 6 + [False] * 16
    known = gallery(SCRIPT)
    found = list(track_object(Scripted(SCRIPT), moving(SCRIPT), BOX, known, settings))
    assert [one.score > 0.5 for one in found] == [True] * 6 + [False] * 10 + [True] * 6
    assert all(one.box.tolist() == [*RIGHT, SIDE, SIDE] for one in found[16:])
    # The trunk is asked for where it must be: the first frame, sure ones, and from the second lost one on.
    assert known._source.asked == [0, 3, *range(7, 17), 16, 19]


def test_what_siammask_does_not_see_there_was_not_found() -> None:
    class Elsewhere(NoFinder):
        def find(self, frame: Any) -> Any:
            return np.array([40.0, 6, SIDE, SIDE])

    found = list(track_object(Scripted(SCRIPT), moving(SCRIPT), BOX, Elsewhere(), LossSettings()))
    assert [one.box.tolist() for one in found[6:16]] == [BOX.tolist()] * 10
