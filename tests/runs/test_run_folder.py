import errno
import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vis_pipeline import masks
from vis_pipeline.data.results import tracks_from_json
from vis_pipeline.errors import DataError
from vis_pipeline.files import whole_files
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.runs.lock import holding
from vis_pipeline.structures.checkpoint import Checkpoint
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome


def outcome(video_id: int, score: float = 0.5) -> VideoOutcome:
    rle = masks.encode(np.ones((1, 2, 3), dtype=bool))[0]
    tracks = (TrackResult(video_id, 1, score, (rle, None)),)
    return VideoOutcome(tracks, 2, 2, 3, {"detect": 1.5, "track": 0.5}, ("frame 1 skipped",))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs/first", {"split": "a.json"}, "abc")


def test_finished_videos_are_there_after_reopening(folder: RunFolder) -> None:
    folder.write_video(12, outcome(12))
    again = RunFolder.create(folder.path, {"split": "a.json"}, "abc")
    assert again.finished() == {12}
    assert again.read_video(12) == outcome(12)
    assert RunFolder.open(folder.path).config() == {"split": "a.json"}
    assert "video 12: frame 1 skipped" in (folder.path / "log.txt").read_text()


def test_what_a_killed_run_left_half_written_goes(folder: RunFolder) -> None:
    half = [folder.path / name for name in ("videos/.1.state.77.part", "events/.1.json.77.part")]
    for path in half:
        path.write_bytes(b"half")
    RunFolder.create(folder.path, {"split": "a.json"}, "abc")
    assert not any(path.exists() for path in half)


def test_other_settings_are_refused(folder: RunFolder) -> None:
    folder.write_video(1, outcome(1))
    with pytest.raises(DataError, match=r"other settings \(split\); give another --out"):
        RunFolder.create(folder.path, {"split": "b.json"}, "def")


def test_a_folder_without_a_finished_video_takes_other_settings(folder: RunFolder) -> None:
    assert RunFolder.create(folder.path, {"split": "b.json"}, "def").config() == {"split": "b.json"}


def test_a_relative_input_lies_in_the_run_folder(folder: RunFolder) -> None:
    again = RunFolder.create(folder.path, {"split": "split.json", "frames": "/elsewhere"}, "def")
    assert again.input_path("split") == folder.path / "split.json"
    assert again.input_path("frames") == Path("/elsewhere")
    assert again.input_path("video") is None


def test_results_and_timings_come_from_the_finished_videos_in_order(folder: RunFolder) -> None:
    for video_id in (1, 2):
        folder.write_video(video_id, outcome(video_id))
    path = folder.assemble_results([2, 3, 1])
    assert path == folder.path / "results.json"
    assert [track.video_id for track in tracks_from_json(json.loads(path.read_bytes()), str(path))] == [2, 1]
    timings = json.loads((folder.path / "timings.json").read_text())
    assert timings["frames"] == 4 and timings["seconds"] == {"detect": 3.0, "track": 1.0}
    assert timings["videos"]["2"]["tracks"] == 1


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file: cannot be written .*another --out"):
        RunFolder.create(tmp_path / "file", {}, "abc")


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no run there"):
        RunFolder.open(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"config_hash": "abc"}', "[]}", '{"config_hash": "abc", "a": []}'])
def test_damaged_videos_are_named(folder: RunFolder, content: str) -> None:
    (folder.path / "videos/4.json").write_text(content)
    for reading in (folder.finished, lambda: folder.read_video(4)):
        with pytest.raises(DataError, match=r"4\.json: .*remove it"):
            reading()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"length": None}, "length: .* not null"),
        ({"length": "abc"}, 'length: .* not "abc"'),
        ({"length": True}, "length: .* not true"),
        ({"length": 1}, "track 0 has 2 masks, the video 1 frames"),
        ({"height": "x"}, 'height: .* not "x"'),
        ({"width": -3}, "width: .* not -3"),
        ({"width": 30}, "track 0 has a mask of another size than the video's 30x2"),
        ({"seconds": [1]}, "seconds: .* not a list"),
        ({"seconds": {"detect": "a"}}, 'seconds.detect: .* not "a"'),
        ({"seconds": {"detect": float("nan")}}, "seconds.detect: .* not NaN"),
        ({"notes": 5}, "notes: .* not 5"),
        ({"skipped": [2]}, "skipped: frame 2 of 2"),
        ({"searches": 1.5}, "searches: .* not 1.5"),
        ({"video_id": 5}, "is of video 5"),
        ({"tracks": [1]}, "tracks: result 0: not an object but 1"),
    ],
)
def test_what_a_stranger_wrote_is_no_finished_video(folder: RunFolder, changed: dict[str, object], reason: str) -> None:
    folder.write_video(4, outcome(4))
    path = folder.path / "videos/4.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(DataError, match=rf"4\.json: {reason}; remove it to have the video done again$") as raised:
        folder.assemble_results([4])
    assert "\n" not in str(raised.value)


def test_tracks_of_another_video_are_not_taken(folder: RunFolder) -> None:
    folder.write_video(4, outcome(4))
    path = folder.path / "videos/4.json"
    path.write_text(path.read_text().replace('"tracks": [{"video_id": 4', '"tracks": [{"video_id": 3'))
    with pytest.raises(DataError, match=r"4\.json: track 0 is of video 3; remove it"):
        folder.read_video(4)


@pytest.mark.parametrize("name", ["videos/4.json", "events/4.json", "config.json"])
def test_deeply_nested_files_are_one_line(folder: RunFolder, name: str) -> None:
    (folder.path / name).write_text("[" * 100_000 + "]" * 100_000)
    reading = {"videos/4.json": folder.read_video, "events/4.json": folder.read_events}
    with pytest.raises(DataError, match=rf"{name}: damaged \(nested too deeply\); remove it"):
        reading.get(name, lambda _: folder.config())(4)


def test_a_video_that_was_cut_short_is_not_finished(folder: RunFolder) -> None:
    folder.write_video(4, outcome(4))
    path = folder.path / "videos/4.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"4\.json: damaged \(it is cut short\); remove it"):
        folder.finished()


def test_which_videos_are_finished_is_known_without_their_tracks(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for video_id in range(3):
        folder.write_video(video_id, outcome(video_id))

    def parsed(text: str) -> object:
        raise AssertionError("a whole file was parsed")

    monkeypatch.setattr(json, "loads", parsed)
    assert RunFolder(folder.path, "abc").finished() == {0, 1, 2}


def test_a_write_that_fails_leaves_what_was_there(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_video(1, outcome(1))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(DataError, match=r"1\.json: cannot be written \(No space left"):
        folder.write_video(1, outcome(1, score=0.9))
    monkeypatch.undo()
    assert folder.read_video(1) == outcome(1)
    assert [path.name for path in (folder.path / "videos").iterdir()] == ["1.json"]


def test_what_another_command_writes_does_not_change_a_run_s_identity(folder: RunFolder) -> None:
    RunFolder.create(folder.path, {"split": "b.json"}, "def")
    folder.write_video(1, outcome(1))
    assert json.loads((folder.path / "videos/1.json").read_text())["config_hash"] == "abc"
    assert RunFolder.open(folder.path).config_hash() == "def"
    assert RunFolder.open(folder.path).finished() == set()


def test_results_that_somebody_changed_are_kept_until_another_video_is_finished(folder: RunFolder) -> None:
    folder.write_video(1, outcome(1))
    results = folder.assemble_results([1])
    results.write_text("[]")
    assert folder.current_results([1]).read_text() == "[]"
    folder.write_video(2, outcome(2))
    later = results.stat().st_mtime_ns + 10**9
    os.utime(folder.path / "videos/2.json", ns=(later, later))
    assert len(json.loads(folder.current_results([1, 2]).read_text())) == 2


def test_an_input_that_is_no_path_is_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, {"split": "a\0b"}, "abc")
    with pytest.raises(DataError, match=r"config\.json: split: has a null character"):
        folder.input_path("split")


def test_a_log_that_cannot_be_written_is_one_line(folder: RunFolder) -> None:
    (folder.path / "log.txt").mkdir()
    with pytest.raises(DataError, match=r"log\.txt: cannot be written \(Is a directory\)"):
        folder.log("something")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    other = (
        "import sys; from pathlib import Path; from vis_pipeline.runs.lock import holding\n"
        "from vis_pipeline.errors import DataError\n"
        "try:\n    with holding(Path(sys.argv[1])): print('free')\n"
        "except DataError as error: print(error)"
    )

    def ask() -> str:
        command = [sys.executable, "-c", other, str(tmp_path / "run")]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with holding(tmp_path / "run"):
        answer = ask()
        assert answer.startswith(f"run folder {tmp_path / 'run'}: in use by process {os.getpid()} on ")
        assert answer.endswith("wait for it to end, or give another --out")
    assert ask() == "free"
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"), holding(tmp_path / "file/run"):
        pass


def test_a_lock_that_a_dead_process_left_is_taken(tmp_path: Path) -> None:
    held = (
        "import os, sys; from pathlib import Path; from vis_pipeline.runs.lock import holding\n"
        "with holding(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", held, str(tmp_path)], check=False)
    left = (tmp_path / ".lock").read_text()
    assert left.startswith("process ")
    with holding(tmp_path) as claim:
        claim.require()
        assert claim.mark == (tmp_path / ".lock").read_text() != left


def test_without_locks_that_is_said_and_the_second_process_stops_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def knows_none(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", knows_none)
    with holding(tmp_path) as claim:
        note = f"note: run folder {tmp_path}: its file system has no locks (No locks available); see to it that no "
        assert capsys.readouterr().err.startswith(note)
        first = RunFolder.create(tmp_path, {}, "abc", claim=claim)
        first.write_video(1, outcome(1))
        monkeypatch.setattr(os, "getpid", lambda: 12345)
        with holding(tmp_path):
            with pytest.raises(DataError, match=r"was taken by process 12345 on \S+ since \S+ while the run went on"):
                first.write_video(2, outcome(2))
            with pytest.raises(DataError, match="was taken by process 12345"):
                first.log("something")
    assert RunFolder.open(tmp_path).finished() == {1}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "another run", "the same run's copy"])
def test_a_folder_that_was_moved_is_not_written_to_and_what_came_in_its_place_neither(
    tmp_path: Path, there: str
) -> None:
    path, elsewhere = tmp_path / "run", tmp_path / "elsewhere"
    with holding(path) as claim:
        run = RunFolder.create(path, {}, "abc", claim=claim)
        run.write_video(1, outcome(1))
        in_a_worker = pickle.loads(pickle.dumps(run.journal(2)))
        writer = in_a_worker.begin()
        writer.append(Checkpoint([], {}, {"one": torch.ones(1)}))
        path.rename(elsewhere)
        if there == "an empty folder":
            path.mkdir()
        elif there == "another run":
            with holding(path) as others:
                RunFolder.create(path, {}, "abc", claim=others).write_video(2, outcome(2))
        elif there == "the same run's copy":
            shutil.copytree(elsewhere, path)
        before, kept = everything(path), everything(elsewhere)
        attempts: list[Callable[[], object]] = [
            lambda: run.write_video(3, outcome(3)),
            lambda: run.log("something"),
            lambda: run.write_versions({}),
            lambda: run.assemble_results([1, 2, 3]),
        ]
        if there != "the same run's copy":  # a worker cannot tell that one
            attempts += [lambda: writer.append(Checkpoint([], {}, {})), in_a_worker.remove]
        for attempt in attempts:
            with pytest.raises(DataError, match=rf"^run folder {path}: was (moved|taken)[^\n]* while the run went on"):
                attempt()
        assert everything(path) == before and everything(elsewhere) == kept
        assert path.exists() == (there != "nothing")
        shutil.rmtree(path, ignore_errors=True)
        elsewhere.rename(path)
        run.write_video(3, outcome(3))
        assert run.finished() == {1, 3}


def test_a_video_whose_frames_have_changed_is_to_be_done_again(tmp_path: Path) -> None:
    first = RunFolder.create(tmp_path, {}, "abc", frames={1: "one", 2: "two"})
    for video_id in (1, 2):
        first.write_video(video_id, outcome(video_id))
    assert first.finished() == {1, 2}
    again = RunFolder.create(tmp_path, {}, "abc", frames={1: "one", 2: "other"})
    assert (again.finished(), again.with_other_frames()) == ({1}, {2})
    again.write_video(2, outcome(2))
    assert (again.finished(), again.with_other_frames()) == ({1, 2}, set())
    assert RunFolder.open(tmp_path).finished() == {1, 2}


def test_a_changed_byte_of_a_finished_video_is_told(folder: RunFolder) -> None:
    """Also one that leaves it a sound video, such as another score, or tracks of another one with its number."""
    for video_id in (1, 2):
        folder.write_video(video_id, outcome(video_id, score=0.25 * video_id))
    path = folder.path / "videos/1.json"
    whole = path.read_text()
    path.write_text(whole.replace('"score": 0.25', '"score": 0.75'))
    with pytest.raises(DataError, match=r"videos/1\.json: its content is not what its digest is of; remove it"):
        folder.read_video(1)
    other = (folder.path / "videos/2.json").read_text().replace('"video_id": 2', '"video_id": 1')
    path.write_text(other)
    with pytest.raises(DataError, match="digest"):
        folder.assemble_results([1, 2])
    for at in range(len(whole)):
        path.write_text(whole[:at] + ("1" if whole[at] != "1" else "2") + whole[at + 1 :])
        try:
            found = folder.read_video(1)
        except DataError:
            continue
        # Without the word that says that a digest follows there is none to compare.
        assert at < len('{"sha256') and found == outcome(1, score=0.25)


def test_a_video_that_an_earlier_version_stored_is_read(folder: RunFolder) -> None:
    folder.write_video(1, outcome(1))
    path = folder.path / "videos/1.json"
    content = json.loads(path.read_text())
    del content["sha256"]
    path.write_text(json.dumps(content))
    assert folder.read_video(1) == outcome(1)
    assert folder.finished() == {1}


@pytest.mark.parametrize("name", ["--5", "-", "5-", "x", "\u0663"])
def test_other_files_among_the_videos_are_passed_over(folder: RunFolder, name: str) -> None:
    folder.write_video(1, outcome(1))
    (folder.path / f"videos/{name}.json").write_text("{}")
    assert folder.finished() == {1}
