"""What only a CUDA device can show: whole pipelines on it, beside the same on the CPU."""

import numpy as np
import pytest
import torch

from vis_pipeline import FrameTracks, Pipeline, masks
from vis_pipeline.synthesis.procedural.video import generate_video

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    return list(generate_video(seed=20000, index=0).frames[:12])


def mask_iou(first: np.ndarray, second: np.ndarray) -> float:
    union = (first | second).sum()
    return 1.0 if union == 0 else float((first & second).sum() / union)


def assert_alike(found: FrameTracks, expected: FrameTracks) -> None:
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.labels.tolist() == expected.labels.tolist()
    np.testing.assert_allclose(found.scores, expected.scores, atol=0.02)
    for ours, theirs in zip(found.dense(), expected.dense(), strict=True):
        assert mask_iou(ours, theirs) >= 0.97


@pytest.mark.parametrize("config", ["procedural_small", "real_small"])
def test_a_pipeline_finds_what_it_finds_on_the_cpu(config: str, frames: list[np.ndarray]) -> None:
    expected = list(Pipeline.from_config(config, device="cpu").track(frames))
    found = list(Pipeline.from_config(config, device="cuda").track(frames))
    assert sum(len(tracks.ids) for tracks in expected) >= len(frames)
    for ours, theirs in zip(found, expected, strict=True):
        assert_alike(ours, theirs)


def test_videos_in_lockstep_are_what_each_is_alone(frames: list[np.ndarray]) -> None:
    pipeline = Pipeline.from_config("procedural_small", device="cuda")
    videos = [frames[:6], frames[6:], frames[3:8]]
    alone = [pipeline.run(video) for video in videos]
    for place, together in pipeline.run_many(videos, lockstep=3):
        assert not isinstance(together, Exception)
        for found, expected in zip(together.tracks, alone[place].tracks, strict=True):
            assert found.category_id == expected.category_id
            for ours, theirs in zip(found.segmentations, expected.segmentations, strict=True):
                assert (ours is None) == (theirs is None)
                assert ours is None or mask_iou(masks.decode(ours), masks.decode(theirs)) >= 0.97
