from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import pytest

from vis_pipeline.runs.watchers import all_of
from vis_pipeline.structures.frames import Frame
from vis_pipeline.structures.tracks import FrameTracks


def test_all_see_each_frame_and_are_closed_whatever_happens() -> None:
    seen: list[object] = []

    def showing(name: str):
        @contextmanager
        def opened(class_names: Mapping[int, str]) -> Iterator[object]:
            seen.append((name, dict(class_names)))
            try:
                yield lambda frame, tracks: seen.append((name, frame.index, tracks.index))
            finally:
                seen.append((name, "closed"))

        return opened

    frame = Frame(1, 2, "2", np.zeros((2, 2, 3), dtype=np.uint8))
    none = np.zeros(0)
    tracks = FrameTracks(
        index=2,
        time=None,
        size=(2, 2),
        ids=none.astype(np.int64),
        boxes=np.zeros((0, 4), np.float32),
        scores=none.astype(np.float32),
        labels=none.astype(np.int64),
        states=none.astype(np.int8),
        corners=np.zeros((0, 2), np.int64),
        masks=(),
    )
    with pytest.raises(KeyboardInterrupt), all_of([showing("a"), showing("b")], {1: "cat"}) as watch:
        watch(frame, tracks)
        raise KeyboardInterrupt
    begun = [("a", {1: "cat"}), ("b", {1: "cat"})]
    assert seen == [*begun, ("a", 2, 2), ("b", 2, 2), ("b", "closed"), ("a", "closed")]
