from typing import Any

import numpy as np
import pytest
import torch

from vis_pipeline.errors import ConfigError, WeightsError
from vis_pipeline.settings.config import parse
from vis_pipeline.structures.frames import Frame
from vis_pipeline.synthesis.procedural.video import generate_video
from vis_pipeline.trackers.followers import FollowerSettings
from vis_pipeline.trackers.siammask.settings import PRESETS

CPU = torch.device("cpu")
BOX = np.array([91.0, 50.0, 57.0, 54.0])


def frames(count: int) -> list[Frame]:
    images = generate_video(seed=20000, index=0).frames[:count]
    return [Frame(1, index, str(index), image) for index, image in enumerate(images)]


def test_overrides_take_the_place_of_the_presets() -> None:
    given = {"weights": "bundled:siammask_small", "preset": "vot", "stages": 2, "penalty_k": 0.2}
    asked = parse(FollowerSettings, given, "test")
    predictor = asked.build(CPU).predictor
    assert predictor is not None
    preset = PRESETS["vot"]
    assert predictor.settings == type(preset)(**{**vars(preset), "stages": 2, "penalty_k": 0.2})
    assert asked.facts() == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"penalty": 0.2}, "unknown key 'penalty'; did you mean 'penalty_k'"),
        ({"size_rate": 2}, "size_rate = 2"),
        ({"mask_threshold": "a"}, "mask_threshold = 'a'"),
        ({"preset": "otb"}, "preset = 'otb'"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        parse(FollowerSettings, given, "test")


def test_the_files_are_those_that_are_loaded() -> None:
    asked = FollowerSettings(
        weights="bundled:siammask_small", redetector="bundled:redetector_small", config="procedural_small"
    )
    files = asked.weight_files()
    assert {part: path.name for part, path in files.items()} == {
        "weights": "siammask_small.safetensors",
        "redetector": "redetector_small.safetensors",
        "detector": "htc_small.safetensors",
    }
    with pytest.raises(WeightsError, match="gone"):
        FollowerSettings(weights="gone.pth").weight_files()
    for empty in (FollowerSettings(), FollowerSettings(tracker="siam_rcnn")):
        with pytest.raises(ConfigError, match="give --"):
            empty.weight_files()


def test_each_object_is_followed_as_if_it_were_the_first() -> None:
    asked = FollowerSettings(
        weights="bundled:siammask_small", redetector="bundled:redetector_small", config="procedural_small"
    )
    follow, predictor = asked.build(CPU)
    # SiamMask alone would go on without the re-detector.
    assert predictor is None
    shown: list[int] = []

    def views(self: Any, frame: Frame, box: Any) -> None:
        shown.append(len(self._views))
        remember(self, frame, box)

    from vis_pipeline.trackers.siam_rcnn.gallery import Gallery

    remember = Gallery.remember
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gallery, "remember", views)
        first, second = (list(follow(frames(2), BOX)) for _ in range(2))
    assert shown == [0, 0]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.box, other.box)
        assert one.mask == other.mask
