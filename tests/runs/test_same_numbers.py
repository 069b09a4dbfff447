"""Results are the same to the byte with any number of threads and any batch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from vis_pipeline.data.array_frames import ArrayFrames
from vis_pipeline.runs.parallel import VideoTask
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.runs.worker import WorkerFactory
from vis_pipeline.settings.same_numbers import same_numbers
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.synthesis.procedural.video import generate_video

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def tracked(pipeline: str, threads: int, batch: int, frames: list) -> tuple[TrackResult, ...]:
    torch.set_num_threads(threads)
    settings = load_pipeline(pipeline, ["detector.class_map=by-name"])
    settings = replace(settings, detector=replace(settings.detector, batch_size=batch))
    factory = WorkerFactory(settings, Split((), settings.detector.categories(), None), "cpu", 0, deterministic=True)
    worker = factory()
    worker.begin(VideoTask(1, ArrayFrames(1, frames), len(frames)), lambda done: None)
    while not (ended := worker.step()):
        pass
    outcome = ended[0][1]
    assert isinstance(outcome, VideoOutcome)
    return tuple(outcome.tracks)


@pytest.mark.parametrize("pipeline", ["procedural_small", "real_small"])
def test_threads_and_batch_change_no_bit_of_a_run(pipeline: str) -> None:
    frames = list(generate_video(seed=20000, index=0).frames[:3])
    alone = tracked(pipeline, 1, 1, frames)
    assert tracked(pipeline, 2, 3, frames) == alone
    if pipeline == "procedural_small":
        assert alone


@torch.inference_mode()
def test_layers_give_each_row_the_same_numbers_in_any_batch() -> None:
    draw = torch.Generator().manual_seed(0)
    image, kernel = (torch.randn(size, generator=draw) for size in ((3, 256, 6, 10), (64, 256, 3, 3)))
    rows, weight, bias = (torch.randn(size, generator=draw) for size in ((3, 25, 2352), (192, 2352), (192,)))
    found = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        with same_numbers(CPU):
            for parts in (1, 3):
                found.append(
                    (
                        torch.cat([torch.nn.functional.conv2d(part, kernel, padding=1) for part in image.split(parts)]),
                        torch.cat([torch.nn.functional.linear(part, weight, bias) for part in rows.split(parts)]),
                        torch.nn.functional.interpolate(image, size=(17, 31), mode="bilinear"),
                    )
                )
        assert torch.get_num_threads() == threads
    for others in found[1:]:
        assert all(torch.equal(one, other) for one, other in zip(found[0], others, strict=True))
    expected = torch.nn.functional.conv2d(image, kernel, padding=1), rows @ weight.T + bias
    torch.testing.assert_close(found[0][:2], expected, rtol=1e-4, atol=1e-3)
