"""The main job as a user does it, with the bundled weights, on procedural videos that no training has seen."""

import json
import shutil
import zipfile
from pathlib import Path

import av
import cv2
import pytest
from short_splits import shorten

UNSEEN_SEED = 31007
LENGTH = 10

pytestmark = pytest.mark.usefixtures("one_ray")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


@pytest.mark.slow
def test_split_to_scores_zip_and_pictures(command, folder: Path) -> None:
    split, frames, run = folder / "split/instances.json", folder / "split/JPEGImages", folder / "run"
    assert command("synth", "--seed", UNSEEN_SEED, "--videos", 3, "--out", folder / "split")[0] == 0
    shorten(folder / "split", LENGTH)
    arguments = ["run", "procedural_small", "--split", split, "--frames", frames, "--out", run, "--device", "cpu"]
    code, out, err = command(*arguments, "--workers", 2, "--save-detections")
    assert code == 0, err
    assert f"3 videos, {3 * LENGTH} frames" in out
    code, out, err = command(*arguments, "--workers", 1, "--save-detections")
    assert code == 0, err
    assert "0 videos" in out, "a rerun does nothing again"

    scores_file = folder / "scores.json"
    assert command("evaluate", run, "--gt", split, "--json", scores_file)[0] == 0
    scores = json.loads(scores_file.read_text())
    assert scores["AP"] > 0.15
    assert scores["AR10"] > 0.2

    events = json.loads((run / "events/1.json").read_text())
    reported = {event["track"] for event in events if event["kind"] == "reported"}
    assert len(reported) == sum(track["video_id"] == 1 for track in json.loads((run / "results.json").read_text()))
    assert reported <= {event["track"] for event in events if event["kind"] == "born"}

    assert command("submit", run)[0] == 0
    with zipfile.ZipFile(run / "submission.zip") as archive:
        assert archive.namelist() == ["results.json"]
        assert json.loads(archive.read("results.json")) == json.loads((run / "results.json").read_text())

    assert command("visualize", run, "--videos", "1")[0] == 0
    (sheet,) = (run / "pictures").glob("*.png")
    assert cv2.imread(str(sheet)) is not None
    (clip,) = (run / "pictures").glob("*.mp4")
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert sum(1 for _ in container.decode(video=0)) == LENGTH

    assert command("report", run, "--gt", split)[0] == 0
    page = (run / "report/data/1.js").read_text()
    told = json.loads(page[len("visReport(") : -len(");\n")])["video"]
    assert len(told["tracks"]) == len(reported)
    for track in told["tracks"]:
        shown = [mask is not None for mask in track["masks"]]
        assert [state in "dp" for state in track["states"]] == shown
        assert all(0 <= score <= 100 for score, mask in zip(track["scores"], shown, strict=True) if mask)


@pytest.mark.slow
def test_saved_detections_give_the_same_tracks(command, folder: Path) -> None:
    split, frames, run = folder / "split/instances.json", folder / "split/JPEGImages", folder / "run"
    again = folder / "again"
    recorded = ["--detections", run / "detections.json"]
    code, _, err = command(
        "run", "procedural_small", "--split", split, "--frames", frames, "--out", again, "--device", "cpu", *recorded
    )
    assert code == 0, err
    assert json.loads((again / "results.json").read_text()) == json.loads((run / "results.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("recorded", [True, False])
def test_videos_that_go_together_give_the_same_bytes(command, folder: Path, recorded: bool) -> None:
    run, together = folder / "run", folder / f"together_{recorded}"
    arguments = ["--split", folder / "split/instances.json", "--frames", folder / "split/JPEGImages", "--device", "cpu"]
    arguments += ["--detections", run / "detections.json"] if recorded else []
    # As many workers as those of the other run: the detector's rounding differs with the threads that they leave it.
    lockstep = ["--workers", 2, "--lockstep", 2, "--save-detections"]
    code, out, err = command("run", "procedural_small", *arguments, "--out", together, *lockstep)
    assert code == 0, err
    assert f"3 videos, {3 * LENGTH} frames" in out
    for name in ("results.json", "detections.json", *(f"events/{number}.json" for number in (1, 2, 3))):
        assert (together / name).read_bytes() == (run / name).read_bytes(), name


@pytest.mark.slow
def test_a_broken_video_leaves_those_that_go_with_it_as_they_are(command, folder: Path) -> None:
    run, broken = folder / "run", folder / "broken"
    shutil.copytree(folder / "split", broken / "split")
    last = sorted((broken / "split/JPEGImages/00001").glob("*.jpg"))[LENGTH - 1]
    whole = last.read_bytes()
    last.write_bytes(whole[:300])
    arguments = ["run", "procedural_small", "--split", broken / "split/instances.json", "--device", "cpu"]
    arguments += ["--frames", broken / "split/JPEGImages", "--out", broken / "run", "--workers", 2, "--lockstep", 2]
    code, _, err = command(*arguments)
    assert code == 2 and "1 of 3 videos were set aside" in err and last.name in err
    finished = json.loads((run / "results.json").read_text())
    assert json.loads((broken / "run/results.json").read_text()) == [
        track for track in finished if track["video_id"] != 2
    ]
    last.write_bytes(whole)
    code, out, err = command(*arguments)
    assert code == 0, err
    assert f"1 videos, {LENGTH} frames" in out, "a rerun does the broken one alone"
    assert (broken / "run/results.json").read_bytes() == (run / "results.json").read_bytes()


@pytest.mark.slow
def test_one_ordinary_video(command, folder: Path) -> None:
    images = sorted((folder / "split/JPEGImages/00000").glob("*.jpg"))[:8]
    clip = folder / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for image in images:
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(image)), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    run = folder / "clip_run"
    code, out, err = command("run", "procedural_small", "--video", clip, "--out", run, "--device", "cpu")
    assert code == 0, err
    assert "1 videos, 8 frames" in out
    assert "note: the detector is bundled:htc_small: it knows eight drawn shapes well" in err
    tracks = json.loads((run / "results.json").read_text())
    assert tracks
    assert all(len(track["segmentations"]) == 8 for track in tracks)
    assert command("visualize", run)[0] == 0
    assert len(list((run / "pictures").glob("*.mp4"))) == 1
    assert command("submit", run)[0] == 0


@pytest.mark.slow
def test_a_frame_that_cannot_be_read(command, folder: Path) -> None:
    frames = folder / "with_a_bad_frame"
    frames.mkdir()
    images = sorted((folder / "split/JPEGImages/00001").glob("*.jpg"))[:4]
    for image in images:
        (frames / image.name).write_bytes(image.read_bytes())
    (frames / images[2].name).write_bytes(images[2].read_bytes()[:500])
    arguments = ["run", "procedural_small", "--video", frames, "--device", "cpu", "--out"]
    code, _, err = command(*arguments, folder / "stops")
    assert code == 2
    assert images[2].name in err
    code, _, err = command(*arguments, folder / "skips", "--on-bad-frame", "skip")
    assert code == 0, err
    tracks = json.loads((folder / "skips/results.json").read_text())
    assert tracks
    assert all(len(track["segmentations"]) == 4 and track["segmentations"][2] is None for track in tracks)
    assert images[2].name in (folder / "skips/log.txt").read_text()
    assert f"warning: video 1: frame {images[2].name}: skipped" in err
    assert json.loads((folder / "skips/videos/1.json").read_text())["skipped"] == [2]
