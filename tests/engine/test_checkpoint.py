"""A video that goes on in another process comes out as if it had gone on in the first one, to the last bit."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from blob_videos import Blobs, no_prediction, siammask, video
from safetensors.torch import load, save
from whole_videos import track_video

from vis_pipeline.engine import FrameLoop
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.frames import Footage
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.trackers.base import Tracker

BATCH = 3


def through_files(checkpoint: Checkpoint) -> Checkpoint:
    content = json.loads(json.dumps([checkpoint.records, checkpoint.facts]))
    return Checkpoint(*content, load(save({name: value.clone() for name, value in checkpoint.tensors.items()})))


def in_pieces(make_tracker: Callable[[], Tracker[Any, Any]], frames: list[Footage], cuts: list[int]) -> VideoOutcome:
    """Each piece, of whole batches, by a tracker and a loop of its own, which know of the others by checkpoints."""
    records: list[Any] = []
    earlier: Checkpoint | None = None
    for begin, end in zip([0, *cuts], [*cuts, len(frames)], strict=True):
        loop = FrameLoop(1, Blobs(), make_tracker())
        if earlier is not None:
            assert loop.restore(Checkpoint(records, earlier.facts, earlier.tensors)) == begin
        for _ in loop.over(frames[begin:end], BATCH):
            pass
        earlier = through_files(loop.checkpoint())
        records = [*records, *earlier.records]
    return loop.finish()


def same(found: VideoOutcome, expected: VideoOutcome) -> None:
    for name in ("tracks", "events", "searches", "length", "height", "width", "notes", "skipped"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.seconds.keys() == expected.seconds.keys()


@pytest.mark.parametrize(
    "make_tracker", [siammask, lambda: siammask("fast"), no_prediction], ids=["exact", "fast", "last_mask"]
)
def test_a_video_in_pieces_is_the_same(make_tracker: Callable[[], Tracker[Any, Any]]) -> None:
    frames = video(1, 15, 3, (64, 96))
    whole = track_video(1, frames, Blobs(), make_tracker(), BATCH)
    assert whole.tracks and whole.skipped == (1,)
    same(in_pieces(make_tracker, frames, [6]), whole)
    same(in_pieces(make_tracker, frames, [3, 9, 12]), whole)


def test_a_video_without_objects_goes_on_too() -> None:
    frames = video(2, 9, 0, (64, 96))
    same(in_pieces(siammask, frames, [3, 6]), track_video(1, frames, Blobs(), siammask(), BATCH))


def test_a_video_that_begins_with_damaged_frames_goes_on_too() -> None:
    damaged = video(1, 2, 1, (64, 96))[1:] * BATCH
    frames = [*damaged, *video(2, 6, 2, (64, 96))]
    same(in_pieces(no_prediction, frames, [BATCH]), track_video(1, frames, Blobs(), no_prediction(), BATCH))


def test_a_record_holds_what_is_new_alone() -> None:
    loop = FrameLoop(1, Blobs(), no_prediction())
    frames, sizes = video(2, 60, 3, (64, 128)), []
    for begin in range(0, 60, 6):
        for _ in loop.over(frames[begin : begin + 6], BATCH):
            pass
        sizes.append(len(json.dumps(loop.checkpoint().records)))
    assert max(sizes) < 2 * min(sizes)


def test_taking_a_checkpoint_changes_nothing() -> None:
    frames = video(2, 12, 2, (64, 96))
    loop = FrameLoop(1, Blobs(), siammask())
    for begin in range(0, 12, BATCH):
        for _ in loop.over(frames[begin : begin + BATCH], BATCH):
            pass
        for tensor in loop.checkpoint().tensors.values():
            assert isinstance(tensor, torch.Tensor)
    same(loop.finish(), track_video(1, frames, Blobs(), siammask(), BATCH))
