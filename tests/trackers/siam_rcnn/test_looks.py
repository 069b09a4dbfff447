"""Colours of boxes: against a count point by point, and what they tell apart."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass
from redetection_scenes import SIZE, DrawnRegions, templates, tiny_redetector

from vis_pipeline.errors import ConfigError
from vis_pipeline.settings.config import STRICT, parse
from vis_pipeline.trackers.siam_rcnn.following import Comparer, Scene
from vis_pipeline.trackers.siam_rcnn.looks import Alike, Appearance, Colours, likeness
from vis_pipeline.trackers.siam_rcnn.redetection import pair_scores
from vis_pipeline.trackers.siam_rcnn.settings import (
    AlikeSettings,
    ColourSettings,
    LooksSettings,
    RedetectionSettings,
)

POINTS = 48
RED, PINK, GRASS, SAND = (30, 30, 200), (80, 80, 200), (60, 140, 60), (150, 190, 200)


def literal(image: np.ndarray, box: list[float], chosen: ColourSettings) -> np.ndarray:
    """Root frequencies of a box, a point at a time."""
    own, around = np.zeros(512), np.zeros(512)
    x1, y1, x2, y2 = (np.float32(side) for side in box)
    for row in range(POINTS):
        for column in range(POINTS):
            x, y = (chosen.outer * (2 * (place + 0.5) / POINTS - 1) for place in (column, row))
            pixel_x = math.floor((x1 + x2) / 2 + (x2 - x1) / 2 * x)
            pixel_y = math.floor((y1 + y2) / 2 + (y2 - y1) / 2 * y)
            if not (0 <= pixel_x < image.shape[1] and 0 <= pixel_y < image.shape[0]):
                continue
            blue, green, red = (int(value) // 32 for value in image[pixel_y, pixel_x])
            away = math.hypot(x, y)
            own[blue * 64 + green * 8 + red] += away <= 1
            around[blue * 64 + green * 8 + red] += chosen.inner <= away <= chosen.outer
    own, around = own / max(own.sum(), 1), around / max(around.sum(), 1)
    left = np.maximum(own - chosen.ground * around, 0)
    return np.sqrt(left / left.sum() if left.sum() >= 0.05 else own)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([ColourSettings(), ColourSettings(ground=0.5, inner=1.0, outer=1.7)]))
def test_colours_are_those_of_a_count_point_by_point(seed: int, chosen: ColourSettings) -> None:
    rng = np.random.default_rng(seed)
    # Few colours in patches, so that the ground has some of the object's.
    image = np.kron(rng.integers(0, 3, (6, 8, 3)) * 100, np.ones((10, 10, 1))).astype(np.uint8)
    corners, sides = rng.uniform(0, 40, (3, 2)), rng.uniform(0.5, 40, (3, 2))
    boxes = np.concatenate([corners, corners + sides], axis=1).round(1)
    found = Colours(chosen).of(torch.from_numpy(image), torch.from_numpy(boxes).float())
    expected = np.stack([literal(image, box.tolist(), chosen) for box in boxes])
    # A point that lies on a pixel's edge may be counted on either side of it.
    assert np.abs(found.numpy() ** 2 - expected**2).sum(axis=1).max() < 0.05
    torch.testing.assert_close(likeness(found, found), torch.ones(3))


def picture(
    *squares: tuple[tuple[int, int], tuple[int, int, int]], ground: tuple[int, int, int] = GRASS
) -> torch.Tensor:
    """Discs of 20 pixels on a ground, by their top left corners."""
    image = np.empty((60, 80, 3), np.uint8)
    image[:] = ground
    rows, columns = np.mgrid[:60, :80] + 0.5
    for (x, y), colour in squares:
        image[np.hypot(columns - x - 10, rows - y - 10) <= 10] = colour
    return torch.from_numpy(image)


def looks_at(image: torch.Tensor, x: int, y: int, room: int = 0) -> torch.Tensor:
    box = torch.tensor([[x - room, y - room, x + 20 + room, y + 20 + room]], dtype=torch.float32)
    return Colours(ColourSettings()).of(image, box)


def test_the_ground_makes_no_lookalike_of_an_object_and_none_other_of_it() -> None:
    red_on_grass = looks_at(picture(((10, 10), RED)), 10, 10, room=4)
    pink_on_grass = looks_at(picture(((40, 30), PINK)), 40, 30, room=4)
    red_on_sand = looks_at(picture(((40, 30), RED), ground=SAND), 40, 30, room=4)
    assert float(likeness(red_on_grass, red_on_sand)) > 0.9
    assert float(likeness(red_on_grass, pink_on_grass)) < 0.1
    # With the ground in them both are half alike.
    plain, box = Colours(ColourSettings(ground=0.0)), torch.tensor([[36.0, 26.0, 64.0, 54.0]])
    pictures = [
        picture(((40, 30), colour), ground=ground) for colour, ground in ((RED, GRASS), (RED, SAND), (PINK, GRASS))
    ]
    red, elsewhere, pink = (plain.of(image, box) for image in pictures)
    assert float(likeness(red, elsewhere)) < 0.6 and float(likeness(red, pink)) > 0.4


def test_an_object_of_the_grounds_colours_keeps_them() -> None:
    image = picture(((10, 10), GRASS))
    assert float(likeness(looks_at(image, 10, 10), looks_at(image, 50, 30))) == pytest.approx(1)


def test_a_box_over_the_whole_frame_has_no_ground() -> None:
    image = picture(((30, 20), RED))
    whole = Colours(ColourSettings()).of(image, torch.tensor([[-500.0, -500.0, 500.0, 500.0]]))
    torch.testing.assert_close(
        whole, Colours(ColourSettings(ground=0.0)).of(image, torch.tensor([[-500.0, -500, 500, 500]]))
    )


def comparer(looks: LooksSettings) -> Comparer:
    return Comparer(tiny_redetector(), RedetectionSettings(nms_iou=1.0, min_score=0.0, min_likeness=0.0, looks=looks))


def scene() -> Scene:
    rng = np.random.default_rng(5)
    image = np.kron(rng.integers(0, 3, (6, 8, 3)) * 100, np.ones((10, 10, 1))).astype(np.uint8)
    assert image.shape[:2] == SIZE
    return Scene(torch.from_numpy(image), DrawnRegions())


def test_scores_are_the_networks_times_the_likeness_best_first() -> None:
    frame, nothing = scene(), torch.zeros((0, 4))
    colours = Colours(ColourSettings())
    wanted = colours.of(frame.image, frame.regions.proposals[:2])
    features = templates(2)
    known = [Appearance(*parts) for parts in zip(features, wanted, strict=True)]
    alike = [Appearance(one, torch.ones(1)) for one in features]
    plain = comparer(AlikeSettings()).redetected(frame, alike, [nothing] * 2)
    weighted = comparer(ColourSettings()).redetected(frame, known, [nothing] * 2)
    for own, found, template in zip(plain, weighted, known, strict=True):
        looks = colours.of(frame.image, torch.from_numpy(own.boxes).float())
        expected = own.scores * (looks.double() @ template.looks.double()).numpy()
        order = np.argsort(-expected, kind="stable")
        np.testing.assert_allclose(found.scores, expected[order], atol=1e-5)
        np.testing.assert_allclose(found.boxes, own.boxes[order], atol=1e-4)
        assert (np.diff(own.scores) <= 0).all() and not np.array_equal(order, np.arange(len(order)))


def test_pairs_are_weighted_too_and_alike_leaves_them_as_they_are() -> None:
    frame = scene()
    for looks in (AlikeSettings(), ColourSettings()):
        judge = comparer(looks)
        shown = judge.shown(frame, frame.regions.proposals[:6])
        network = pair_scores(
            tiny_redetector(), *(torch.stack([one.features for one in side]) for side in (shown[:3], shown[3:]))
        )
        factors = [float((one.looks * other.looks).sum()) for one, other in zip(shown[:3], shown[3:], strict=True)]
        torch.testing.assert_close(judge.pairs(shown[:3], shown[3:]), network * torch.tensor(factors))
        assert (looks == AlikeSettings()) == (factors == [1.0] * 3)
    assert Alike().of(frame.image, frame.regions.proposals).tolist() == [[1.0]] * len(frame.regions.proposals)


def test_what_looks_like_nothing_that_is_wanted_is_not_asked_about() -> None:
    frame = scene()
    (template,) = comparer(ColourSettings()).shown(frame, frame.regions.proposals[:1])
    limits = RedetectionSettings(nms_iou=1.0, min_score=0.0, min_likeness=0.6, looks=ColourSettings())
    looks = Colours(ColourSettings()).of(frame.image, frame.regions.proposals)
    likely = int((looks @ template.looks >= 0.6).sum())
    assert 0 < likely < len(frame.regions.proposals)
    (found,) = Comparer(tiny_redetector(), limits).redetected(frame, [template], [torch.zeros((0, 4))])
    (more,) = Comparer(tiny_redetector(), limits).redetected(frame, [template], [torch.tensor([[1.0, 1, 30, 30]])])
    assert (len(found.scores), len(more.scores)) == (likely, likely + 1)


@dataclass(frozen=True, config=STRICT)
class Holder:
    looks: LooksSettings


def test_settings_name_the_looks() -> None:
    for given_value, expected in (
        ("alike", AlikeSettings()),
        ("colours", ColourSettings()),
        ({"type": "colours", "ground": 1}, ColourSettings(ground=1)),
    ):
        assert parse(Holder, {"looks": given_value}, "config x").looks == expected
    for wrong, words in (
        ("shape", "type is alike or colours"),
        ({"type": "colours", "inner": 2}, "inner = 2.0 is not below outer = 2.0"),
        ({"type": "alike", "ground": 1}, "unknown key 'looks.ground'"),
    ):
        with pytest.raises(ConfigError, match=words):
            parse(Holder, {"looks": wrong}, "config x")


def test_the_papers_scores_are_the_default() -> None:
    assert RedetectionSettings().looks == AlikeSettings()
