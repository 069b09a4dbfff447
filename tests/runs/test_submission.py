import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vis_pipeline import masks
from vis_pipeline.cli.app import app
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.submission import faults, submit, warnings, zipped
from vis_pipeline.structures.splits import Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

HEIGHT, WIDTH, LENGTH = 4, 6, 3
SPLIT = Split(
    tuple(
        Video(number, WIDTH, HEIGHT, LENGTH, tuple(f"{number}/{frame}.jpg" for frame in range(LENGTH)))
        for number in (7, 8)
    ),
    (Category(3, "bear"),),
    None,
)


def mask(height: int = HEIGHT, width: int = WIDTH) -> masks.Rle:
    return masks.encode(np.ones((1, height, width), dtype=bool))[0]


def track(video_id: int = 7, score: float = 0.5) -> TrackResult:
    return TrackResult(video_id, 3, score, (mask(), None, mask()))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    split = tmp_path / "instances.json"
    split.write_text(json.dumps(split_to_json(SPLIT)))
    folder = RunFolder.create(tmp_path / "run", {"split": str(split)}, "abc")
    for video in SPLIT.videos:
        folder.write_video(video.id, VideoOutcome((track(video.id),), LENGTH, HEIGHT, WIDTH, {}))
    return folder


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(track(), video_id=9), "no such video"),
        (replace(track(), category_id=4), "no category 4"),
        (replace(track(), score=float("nan")), "score nan"),
        (replace(track(), score=1.5), "score 1.5"),
        (replace(track(), segmentations=(mask(),)), "1 segmentations, but the video has 3 frames"),
        (replace(track(), segmentations=(None, None, mask(2, 2))), "frame 2: mask of size"),
    ],
)
def test_every_rule_is_checked(wrong: TrackResult, message: str) -> None:
    assert list(faults([track()], SPLIT)) == []
    found = list(faults([track(), wrong], SPLIT))
    assert len(found) == 1
    assert message in found[0] and f"result 1 (video {wrong.video_id})" in found[0]


def test_no_tracks_at_all_is_a_fault() -> None:
    assert list(faults([], SPLIT)) == ["there is not a single track"]


def test_what_passes_but_surprises_is_a_warning() -> None:
    results = [track()] * 101 + [replace(track(8), segmentations=(None,) * 3)]
    assert list(faults(results, SPLIT)) == []
    found = list(warnings(results, SPLIT))
    assert "100 of 102 results repeat an earlier one: result 1 (video 7) is result 0 again" in found[0]
    assert "1 of 102 tracks have no mask" in found[1] and "video 7 has 101 tracks" in found[2] and len(found) == 3
    assert "1 of 2 videos have no tracks: 8" in next(warnings([track()], SPLIT))


def test_the_zip_holds_the_results_at_its_root_and_is_the_same_every_time() -> None:
    data = zipped([track()])
    assert data == zipped([track()])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["results.json"]
        (entry,) = json.loads(archive.read("results.json"))
    assert entry["segmentations"][1] is None
    assert isinstance(entry["segmentations"][0]["counts"], str)
    assert set(entry) == {"video_id", "category_id", "score", "segmentations"}


def test_unfinished_videos_are_named(run: RunFolder, tmp_path: Path) -> None:
    (run.path / "videos/8.json").unlink()
    with pytest.raises(DataError, match="1 of 2 videos are not finished: 8; run again"):
        submit(run, SPLIT, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_results_that_the_server_refuses_are_not_zipped(run: RunFolder, tmp_path: Path) -> None:
    run.write_video(8, VideoOutcome([track(8, score=2.0)] * 5, LENGTH, HEIGHT, WIDTH, {}))
    with pytest.raises(DataError, match=r"result 1 \(video 8\): score 2\.0 is not in 0\.\.1"):
        submit(run, SPLIT, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


def test_the_command_takes_the_split_that_the_run_was_made_with(run: RunFolder) -> None:
    result = CliRunner().invoke(app, ["submit", str(run.path)])
    assert result.exit_code == 0, result.output
    assert "2 tracks in 2 videos" in result.output
    assert zipfile.is_zipfile(run.path / "submission.zip")


def test_the_command_asks_for_a_split_where_there_was_none(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, {"video": "clip.mp4"}, "abc")
    result = CliRunner().invoke(app, ["submit", str(tmp_path)])
    assert isinstance(result.exception, DataError) and "give --split" in str(result.exception)
