"""Patterns for `--video`: what they match, in which order, and what they may not stand for."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import GREYS, write_clip

from vis_pipeline.data.frames import ImageFrames, VideoFrames, open_frames
from vis_pipeline.errors import DataError


def image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 64, 3), 90, np.uint8))


def names(source: object) -> list[str]:
    assert isinstance(source, ImageFrames)
    return [str(path) for path in source.paths]


def test_a_pattern_takes_the_images_it_matches_in_natural_order(tmp_path: Path, monkeypatch) -> None:
    for name in ("b10/1.png", "b9/10.png", "b9/2.png", "b9/3.jpg", "b9/.4.png"):
        image(tmp_path / "clips" / name)
    monkeypatch.chdir(tmp_path)
    assert names(open_frames("clips/b9/*.png")) == ["clips/b9/2.png", "clips/b9/10.png"]
    assert names(open_frames("clips/b9/[23].*")) == ["clips/b9/2.png", "clips/b9/3.jpg"]
    across = open_frames(tmp_path / "clips/*/*.png")
    assert names(across) == [f"{tmp_path}/clips/{name}" for name in ("b9/2.png", "b9/10.png", "b10/1.png")]
    assert (across.name, open_frames("clips/b9/*.png").name) == ("clips", "b9")
    assert names(open_frames("**/1?.png")) == ["clips/b9/10.png"]


def test_a_name_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    image(tmp_path / "take [1]/0.png")
    assert names(open_frames(tmp_path / "take [1]")) == [str(tmp_path / "take [1]/0.png")]
    write_clip(tmp_path / "take [2].mp4", GREYS[:2])
    assert len(list(open_frames(tmp_path / "take [2].mp4"))) == 2


def test_a_pattern_may_stand_for_one_video_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", GREYS[:2])
    source = open_frames(tmp_path / "*.mp4")
    assert isinstance(source, VideoFrames) and source.path == tmp_path / "clip.mp4"


def test_what_matches_nothing_or_too_much_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError, match=r"\*\.png: no file matches"):
        open_frames(tmp_path / "*.png")
    for name in ("a.mp4", "b.mp4"):
        write_clip(tmp_path / name, GREYS[:2])
    with pytest.raises(DataError, match=r"\*\.mp4: matches 2 files, and .*a\.mp4 is no image"):
        open_frames(tmp_path / "*.mp4")
    image(tmp_path / "0.png")
    with pytest.raises(DataError, match=r"matches 3 files, and .*a\.mp4 is no image"):
        open_frames(tmp_path / "*.*")
