"""`run --video` on a part of a video, on images by a pattern, and on streams."""

import json
import os
import signal
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import pytest
from live_servers import live_http
from test_own_detections import (
    HEIGHT,
    LENGTH,
    WIDTH,
    assert_refused,
    clip,
    images,
    on_video,
    picture,
    square,
    tracks,
    written,
)

from vis_pipeline.data.splits import read_split


@pytest.fixture
def detections(tmp_path: Path) -> Path:
    return written(tmp_path / "found.json", [square(0), square(1), square(2)])


def test_a_part_of_a_clip_is_tracked_and_drawn(command, tmp_path: Path, detections: Path) -> None:
    arguments = on_video(clip(tmp_path / "clip.mp4"), detections, tmp_path / "run")
    code, out, err = command(*arguments, "--max-frames", 3)
    assert code == 0, err
    assert "1 videos, 3 frames" in out
    assert [len(track["segmentations"]) for track in tracks(tmp_path / "run")] == [3]
    assert read_split(tmp_path / "run/split.json").videos[0].length == 3
    assert command("visualize", tmp_path / "run")[0] == 0
    with av.open(str(tmp_path / "run/pictures/clip.mp4")) as container:
        assert len(list(container.decode(video=0))) == 3
    # Less or more of the video is another run.
    assert_refused(command(*arguments, "--max-frames", 4), "other settings (limits)")
    assert_refused(command(*arguments), "other settings (limits)")
    code, out, err = command(*arguments, "--max-frames", 3)
    assert code == 0 and "0 videos" in out


def test_the_first_seconds_of_a_clip(command, tmp_path: Path, detections: Path) -> None:
    code, out, err = command(*on_video(clip(tmp_path / "clip.mp4"), detections, tmp_path / "run"), "--max-seconds", 0.3)
    assert code == 0, err
    assert "1 videos, 3 frames" in out


UNEVEN = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]


def uneven_clip(path: Path) -> Path:
    """Ten frames a second for half a second, and then one a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, shown in enumerate(UNEVEN):
            frame = av.VideoFrame.from_ndarray(picture(index % LENGTH), format="bgr24")
            frame.time_base, frame.pts = Fraction(1, 1000), round(1000 * shown)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shown_at(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@pytest.mark.usefixtures("without_ray")
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_an_uneven_clip_keeps_its_times_from_the_run_to_the_pictures(
    command, tmp_path: Path, detections: Path, name: str
) -> None:
    run, video = tmp_path / "run", uneven_clip(tmp_path / name)
    arguments = on_video(video, detections, run)
    code, _, err = command(*arguments)
    assert code == 0, err
    stated = read_split(run / "split.json").videos[0].times
    assert stated == pytest.approx(UNEVEN)
    assert command("visualize", run)[0] == 0
    assert shown_at(run / "pictures/clip.mp4") == pytest.approx(UNEVEN, abs=2e-3)
    # A run that is taken up after its end keeps what was written, and finds it again where it is gone.
    for gone in (False, True):
        if gone:
            (run / "split.json").unlink()
        assert command(*arguments)[0] == 0
        assert read_split(run / "split.json").videos[0].times == stated
    # And so does the way through a split of JPEGs.
    assert command("split", video, "--categories", "ball", "--out", tmp_path / "s.json")[0] == 0
    found = ["--detections", written(tmp_path / "one.json", [square(0, video_id=1, category_id=1)])]
    by_split = ["--split", tmp_path / "s.json", "--frames", tmp_path / "s_frames", "--out", tmp_path / "by_split"]
    code, _, err = command("run", "procedural_small", *by_split, *found, "--device", "cpu")
    assert code == 0, err
    assert command("visualize", tmp_path / "by_split")[0] == 0
    assert shown_at(tmp_path / "by_split/pictures/clip.mp4") == pytest.approx(UNEVEN, abs=2e-3)


def test_images_by_a_pattern(command, tmp_path: Path, detections: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images(tmp_path / "clip")
    monkeypatch.chdir(tmp_path)
    code, out, err = command(*on_video(Path("clip/0000[0-2].png"), detections, Path("run")))
    assert code == 0, err
    assert "1 videos, 3 frames" in out
    assert json.loads(Path("run/config.json").read_text())["config"]["video"] == f"{tmp_path}/clip/0000[0-2].png"
    assert read_split(Path("run/split.json")).videos[0].file_names[0] == "clip/00000.jpg"
    monkeypatch.chdir("/")
    assert command("visualize", tmp_path / "run")[0] == 0
    assert (tmp_path / "run/pictures/clip.mp4").is_file()


def test_limits_are_for_one_video(command, tmp_path: Path, detections: Path) -> None:
    split = ["run", "procedural_small", "--split", "s.json", "--frames", tmp_path, "--out", tmp_path / "run"]
    assert_refused(command(*split, "--max-frames", 3), "--max-frames and --max-seconds need --video")
    assert_refused(command(*split, "--show"), "--show needs --video")
    assert_refused(command(*split, "--rerun", "a.rrd"), "--rerun needs --video; `vis-pipeline rerun`")
    assert_refused(command(*split, "--save-frames"), "--save-frames is for live sources")
    by_seconds = [*on_video(images(tmp_path / "clip"), detections, tmp_path / "run"), "--max-seconds", 2]
    assert_refused(command(*by_seconds), "images have no times for --max-seconds; give --max-frames")


def live_run(address: str, out: Path, *more: object) -> list[object]:
    return ["run", "procedural_small", "--video", address, "--out", out, "--device", "cpu", "--live", "all", *more]


def test_a_stream_is_tracked_kept_and_drawn(command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with live_http(frames=40, rate=100) as server:
        address = server.url("cam.ts").replace("http://", "http://viewer:secret@")
        arguments = live_run(address, run, "--max-frames", 5, "--save-frames")
        code, out, err = command(*arguments)
    assert code == 0, err
    assert "1 videos, 5 frames" in out
    config = json.loads((run / "config.json").read_text())["config"]
    assert config["live"] == server.url("cam.ts") and config["limits"] == {"frames": 5, "seconds": None}
    assert config["pipeline"]["detector"]["batch_size"] == 1
    for written_file in run.rglob("*.*"):
        assert b"secret" not in written_file.read_bytes()
    split = read_split(run / "split.json")
    assert split.videos[0].times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert all((run / "frames" / name).is_file() for name in split.videos[0].file_names)
    assert command("visualize", run)[0] == 0
    assert shown_at(run / "pictures/cam.mp4") == pytest.approx([0, 0.04, 0.08, 0.12, 0.16], abs=2e-3)
    code, _, err = command(*arguments)
    last = err.splitlines()[-1]
    assert code == 2 and last.startswith(
        f"error: run folder {run}: holds a finished run, and a live source (http://127."
    )
    assert last.endswith("cannot be taken up; give another --out, or remove the folder")


def test_ctrl_c_ends_a_live_run_with_what_was_seen(command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    def interrupt() -> None:
        until = time.monotonic() + 120
        while len(list((run / "frames").glob("*/*.jpg"))) < 6 and time.monotonic() < until:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    with live_http(frames=100_000) as server:
        thread = threading.Thread(target=interrupt)
        thread.start()
        code, out, err = command(*live_run(server.url("cam.mjpg"), run, "--save-frames"))
        thread.join()
    assert code == 0, err
    length = read_split(run / "split.json").videos[0].length
    assert length >= 6 and f"1 videos, {length} frames" in out
    assert all(len(track["segmentations"]) == length for track in tracks(run))
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_frames_that_were_not_kept_cannot_be_drawn(command, tmp_path: Path) -> None:
    with live_http(frames=40, rate=100) as server:
        code, _, err = command(*live_run(server.url("cam.mjpg"), tmp_path / "run", "--max-seconds", 0.05))
    assert code == 0, err
    assert_refused(command("visualize", tmp_path / "run"), "the frames of http://127.0.0.1:", "were not kept", "--save")


def test_what_a_live_source_cannot_have(command, tmp_path: Path, detections: Path) -> None:
    out = tmp_path / "run"
    code, _, err = command(*live_run("97", out))
    assert code == 2 and err.splitlines()[-1].startswith("error: camera 97: no such camera (/dev/video97 is missing;")
    recorded = [*live_run("http://127.0.0.1:1/cam", out), "--detections", detections]
    assert_refused(command(*recorded), "--detections need a recorded video, and http://127.0.0.1:1/cam is live")
    kept = [*on_video(clip(tmp_path / "clip.mp4"), detections, out), "--save-frames"]
    assert_refused(command(*kept), "--save-frames is for live sources")
    assert not out.exists(), "nothing has begun"
    code, _, err = command(*live_run("http://127.0.0.1:1/cam", out))
    assert code == 2 and "video http://127.0.0.1:1/cam: cannot be opened (Connection refused)" in err
