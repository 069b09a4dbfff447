"""Reading less than all of a video."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import GREYS, write_clip

from vis_pipeline.data.frames import open_frames
from vis_pipeline.data.limits import Limits
from vis_pipeline.errors import DataError
from vis_pipeline.structures.frames import Frame

TIMES = [0.5, 0.6, 0.7, 1.5, 2.5, 9.5]


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        (Limits(), 6),
        (Limits(frames=4), 4),
        (Limits(frames=60), 6),
        (Limits(seconds=0.001), 1),
        # Seconds count from the first frame that is shown.
        (Limits(seconds=1.0), 3),
        (Limits(seconds=1.01), 4),
        (Limits(frames=2, seconds=1.01), 2),
        (Limits(seconds=100), 6),
    ],
)
def test_a_video_file_is_read_up_to_the_nearer_limit(tmp_path: Path, limits: Limits, count: int) -> None:
    # A matroska keeps the time of its first frame.
    write_clip(tmp_path / "clip.mkv", GREYS[:6], times=TIMES, options={"bf": "0"})
    source = open_frames(tmp_path / "clip.mkv", limits=limits)
    frames = list(source)
    assert all(isinstance(frame, Frame) for frame in frames), "no remark that the file ends early"
    assert [frame.time for frame in frames] == pytest.approx(TIMES[:count])


def test_the_expected_length_is_within_the_limit(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", GREYS[:6])
    assert open_frames(tmp_path / "clip.mp4", limits=Limits(frames=2)).declared_length() == 2
    assert open_frames(tmp_path / "clip.mp4", limits=Limits(frames=20)).declared_length() == 6


def test_images_have_numbers_and_no_times(tmp_path: Path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((8, 8, 3), np.uint8))
    source = open_frames(tmp_path, limits=Limits(frames=2))
    assert (source.length, [frame.name for frame in source]) == (2, ["0.png", "1.png"])
    with pytest.raises(DataError, match=r"images have no times for --max-seconds; give --max-frames"):
        open_frames(tmp_path, limits=Limits(seconds=1))
