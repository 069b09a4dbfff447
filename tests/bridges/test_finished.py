from pathlib import Path

import numpy as np
import pytest
from made_runs import CATEGORIES, HEIGHT, LENGTH, NAME, TRACKS, VIDEO_ID, WIDTH, dense, run_of_a_clip, run_of_images

from vis_pipeline.bridges.finished import FinishedRun
from vis_pipeline.errors import DataError
from vis_pipeline.structures.tracks import MaskState


@pytest.mark.parametrize("make", [run_of_images, run_of_a_clip])
def test_frames_come_with_what_the_finished_tracks_show(tmp_path: Path, make) -> None:
    run = FinishedRun(make(tmp_path))
    assert run.video_ids == (VIDEO_ID,)
    assert run.class_names == {category.id: category.name for category in CATEGORIES}
    step = 0.5 if make is run_of_images else 0.1
    frames = list(run.frames(VIDEO_ID))
    assert [frame.index for frame, _ in frames] == list(range(LENGTH))
    for frame, tracks in frames:
        index = frame.index
        numbers = [track for track, (*_, shown, _) in enumerate(TRACKS) if index in shown]
        assert tracks.ids.tolist() == numbers
        assert (tracks.index, tracks.size) == (index, (HEIGHT, WIDTH)) and tracks.time == pytest.approx(index * step)
        np.testing.assert_array_equal(tracks.dense(), dense()[numbers, index])
        assert tracks.scores.tolist() == [TRACKS[number][1] for number in numbers]
        assert tracks.labels.tolist() == [TRACKS[number][2] for number in numbers]
        boxes = [[x1 + index, y1, x2 + index, y2] for x1, y1, x2, y2 in (TRACKS[number][0] for number in numbers)]
        assert tracks.boxes.tolist() == boxes
        states = [MaskState.PREDICTED if index in TRACKS[number][4] else MaskState.DETECTED for number in numbers]
        assert tracks.states.tolist() == states


def test_a_frame_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    run = run_of_images(tmp_path)
    (tmp_path / "frames" / NAME / "00001.png").write_bytes(b"no image")
    assert [frame.index for frame, _ in FinishedRun(run).frames(VIDEO_ID)] == [0, 2, 3]


def test_other_videos_are_refused(tmp_path: Path) -> None:
    run = FinishedRun(run_of_images(tmp_path))
    assert run.select([VIDEO_ID, VIDEO_ID]) == (VIDEO_ID,)
    with pytest.raises(DataError, match="video 8 is not among its finished videos"):
        run.select([8])


def test_supervision_takes_finished_frames(tmp_path: Path) -> None:
    supervision = pytest.importorskip("supervision", reason="the supervision extra is not installed")
    run = FinishedRun(run_of_images(tmp_path))
    detections = [tracks.to_supervision() for _, tracks in run.frames(VIDEO_ID)]
    assert all(isinstance(one, supervision.Detections) for one in detections)
    assert [one.tracker_id.tolist() for one in detections] == [[0, 1], [0, 1], [0], [1]]
    np.testing.assert_array_equal(detections[1].mask, dense()[:2, 1])
    assert detections[2].data["state"].tolist() == ["predicted"]
