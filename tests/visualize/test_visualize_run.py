import json

import av
import cv2
import numpy as np
import pytest
import typer
from PIL import Image, ImageSequence
from typer.testing import CliRunner

from vis_pipeline import masks
from vis_pipeline.cli.visualize import register
from vis_pipeline.errors import DataError
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome
from vis_pipeline.visualize.fonts import can_shape
from vis_pipeline.visualize.identities import identities
from vis_pipeline.visualize.run_videos import RunVideos
from vis_pipeline.visualize.video_writer import Mp4Writer

HEIGHT, WIDTH, LENGTH = 96, 161, 5


def _track(video_id, category_id, score, frames, times=1):
    """A square that moves, in a video so many times as large as the others."""
    rles = []
    for index in range(LENGTH):
        mask = np.zeros((1, HEIGHT, WIDTH), bool)
        mask[0, 20:60, 10 + 5 * index : 60 + 5 * index] = True
        mask = mask.repeat(times, axis=1).repeat(times, axis=2)
        rles.append(masks.encode(mask)[0] if index in frames else None)
    return TrackResult(video_id, category_id, score, tuple(rles))


@pytest.fixture
def run(tmp_path):
    frames = tmp_path / "frames"
    names = {identifier: [f"clip{identifier}/{index:05d}.jpg" for index in range(LENGTH)] for identifier in (3, 8, 9)}
    for name in (name for video_names in names.values() for name in video_names):
        (frames / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(frames / name), np.full((HEIGHT, WIDTH, 3), 110, np.uint8))
    videos = [
        {"id": identifier, "width": WIDTH, "height": HEIGHT, "length": LENGTH, "file_names": file_names}
        for identifier, file_names in names.items()
    ]
    split = tmp_path / "instances.json"
    split.write_text(
        json.dumps({"videos": videos, "categories": [{"id": 7, "name": "ring"}, {"id": 9, "name": "star"}]})
    )
    folder = RunFolder.create(tmp_path / "run", {"split": str(split), "frames": str(frames)}, "abc")
    tracks = [_track(3, 9, 0.3, {0, 1}), _track(3, 7, 0.9, {0, 1, 3, 4}), _track(3, 7, 0.05, {2})]
    folder.write_video(3, VideoOutcome(tracks, LENGTH, HEIGHT, WIDTH, {}))
    folder.write_video(8, VideoOutcome([], LENGTH, HEIGHT, WIDTH, {}))
    return tmp_path


def _invoke(*arguments):
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_every_finished_video_gets_an_mp4_and_a_sheet(run):
    result = _invoke(run / "run")
    assert result.exit_code == 0
    assert "drew 2 videos, 10 frames" in result.output
    made = {path.name for path in (run / "run" / "pictures").iterdir()}
    assert made == {"clip3.mp4", "clip3.png", "clip8.mp4", "clip8.png"}
    with av.open(str(run / "run" / "pictures" / "clip3.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        decoded = [frame.to_ndarray(format="bgr24") for frame in container.decode(stream)]
    assert len(decoded) == LENGTH
    assert decoded[0].shape == (96 * 4, 161 * 4, 3)
    inside = [frame[40 * 4, 45 * 4].astype(int) for frame in decoded]
    blue_over_red = [int(pixel[0] - pixel[2]) for pixel in inside]
    # In the first two frames the second identity, red, shows through.
    assert min(blue_over_red[3:]) > 40 and min(blue_over_red[:2]) > 10
    assert abs(blue_over_red[2]) < 10
    assert cv2.imread(str(run / "run" / "pictures" / "clip3.png")).shape[1] == 1600


def test_chosen_videos_go_to_the_chosen_folder(run):
    assert _invoke(run / "run", "--videos", "8,8", "--out", run / "seen").exit_code == 0
    assert {path.name for path in (run / "seen").iterdir()} == {"clip8.mp4", "clip8.png"}


def test_a_lost_frame_is_drawn_grey_and_counted(run):
    (run / "frames" / "clip3" / "00000.jpg").unlink()
    assert "1 could not be read" in _invoke(run / "run", "--videos", "3").output


def test_a_video_file_keeps_its_rate(run):
    assert _invoke(run / "run", "--videos", "3", "--fps", "25").exit_code == 0
    clip = run / "run" / "pictures" / "clip3.mp4"
    folder = RunFolder.create(run / "single", {"video": str(clip)}, "def")
    folder.write_video(1, VideoOutcome([_track(1, 4, 0.5, {1, 2}, times=4)], LENGTH, HEIGHT * 4, WIDTH * 4, {}))
    assert _invoke(run / "single").exit_code == 0
    with av.open(str(run / "single" / "pictures" / "clip3.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == 25


def test_a_video_file_keeps_the_times_of_its_frames(run):
    clip = run / "uneven.mp4"
    times = [0.0, 0.1, 0.2, 3.0, 6.5]
    with Mp4Writer(clip, 10) as writer:
        for time in times:
            writer.write(np.full((HEIGHT, WIDTH + 1, 3), 90, np.uint8), time)
    folder = RunFolder.create(run / "single", {"video": str(clip)}, "def")
    folder.write_video(1, VideoOutcome([], LENGTH, HEIGHT, WIDTH + 1, {}))
    assert _invoke(run / "single").exit_code == 0
    with av.open(str(run / "single" / "pictures" / "uneven.mp4")) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx(times, abs=1e-3)
    # A part of them begins at once, and goes on in its own time.
    part = ("--only-frames", "2:5", "--as", "mp4,gif", "--width", "64")
    assert _invoke(run / "single", *part).exit_code == 0
    with av.open(str(run / "single" / "pictures" / "uneven.mp4")) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx([0, 2.8, 6.3], abs=1e-3)
    with Image.open(run / "single" / "pictures" / "uneven.gif") as gif:
        assert [part.info["duration"] for part in ImageSequence.Iterator(gif)][:2] == [2800, 3500]


def _decoded(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode(video=0)]


def test_predicted_masks_look_different_and_the_sheet_says_how(run):
    assert _invoke(run / "run", "--videos", "3", "--out", run / "before").exit_code == 0
    events = [{"frame": 1, "kind": "predicted", "track": 4}]
    events += [{"frame": 4, "kind": "reported", "track": track, "reason": f"result {4 - track}"} for track in (3, 4)]
    # Track 4 is the video's first result, which is the second best of those drawn.
    (run / "run/events/3.json").write_text(json.dumps(events))
    assert _invoke(run / "run", "--videos", "3", "--out", run / "after").exit_code == 0
    before, after = (_decoded(run / name / "clip3.mp4") for name in ("before", "after"))
    inside = (slice(35 * 4, 50 * 4), slice(30 * 4, 45 * 4))
    changed = [np.abs(one[inside] - other[inside]).mean() > 6 for one, other in zip(before, after, strict=True)]
    assert changed == [False, True, False, False, False]
    heights = [cv2.imread(str(run / name / "clip3.png")).shape[0] for name in ("before", "after")]
    assert heights[1] > heights[0]


def test_a_run_without_events_is_drawn_as_if_all_was_detected(run):
    assert _invoke(run / "run", "--videos", "3", "--out", run / "before").exit_code == 0
    (run / "run/events/3.json").unlink()
    assert _invoke(run / "run", "--videos", "3", "--out", run / "after").exit_code == 0
    assert (run / "before/clip3.png").read_bytes() == (run / "after/clip3.png").read_bytes()
    before, after = (_decoded(run / name / "clip3.mp4") for name in ("before", "after"))
    assert max(np.abs(one - other).mean() for one, other in zip(before, after, strict=True)) < 2


@pytest.mark.parametrize(("content", "message"), [("{", "3.json: damaged"), ("{}", "3.json: not a list of events")])
def test_damaged_events_are_named(run, content, message):
    (run / "run/events/3.json").write_text(content)
    with pytest.raises(DataError, match=message):
        _invoke(run / "run", "--videos", "3")


@pytest.mark.parametrize("size", [(4, 3000), (3000, 4), (1, 1), (2, 20_000)])
def test_videos_of_any_size_are_drawn(run, size):
    for path in (run / "frames" / "clip8").iterdir():
        cv2.imwrite(str(path), np.full((*size, 3), 110, np.uint8))
    split = json.loads((run / "instances.json").read_text())
    split["videos"][1].update(height=size[0], width=size[1])
    (run / "instances.json").write_text(json.dumps(split))
    rle = masks.encode(np.ones((1, *size), bool))[0]
    folder = RunFolder.open(run / "run")
    folder.write_video(8, VideoOutcome([TrackResult(8, 7, 0.9, (rle,) * LENGTH)], LENGTH, *size, {}))
    assert _invoke(run / "run", "--videos", "8").exit_code == 0
    drawn = _decoded(run / "run/pictures/clip8.mp4")
    assert len(drawn) == LENGTH and max(drawn[0].shape) <= 16_384
    assert max(cv2.imread(str(run / "run/pictures/clip8.png")).shape) < 4000


def test_a_name_that_the_font_cannot_write_gives_way_to_the_id(run, monkeypatch):
    titles = []
    monkeypatch.setattr(
        "vis_pipeline.visualize.renderer.contact_sheet",
        lambda title, *rest: titles.append(title) or np.zeros((4, 4, 3), np.uint8),
    )
    split = json.loads((run / "instances.json").read_text())
    (run / "frames/clip8").rename(run / "frames/人\ue123")
    split["videos"][1]["file_names"] = [f"人\ue123/{index:05d}.jpg" for index in range(LENGTH)]
    (run / "instances.json").write_text(json.dumps(split))
    assert _invoke(run / "run").exit_code == 0
    assert titles == ["clip3", "video 8"]
    assert (run / "run/pictures/人\ue123.mp4").is_file()


def test_names_that_no_file_can_have_break_nothing(run):
    split = json.loads((run / "instances.json").read_text())
    for video, folder in zip(split["videos"], ('a?"b*', "../frames/clip8", "clip9"), strict=True):
        (run / "frames" / f"clip{video['id']}").rename(run / "frames" / folder)
        video["file_names"] = [f"{folder}/{index:05d}.jpg" for index in range(LENGTH)]
    (run / "instances.json").write_text(json.dumps(split))
    assert _invoke(run / "run").exit_code == 0
    assert {path.name for path in (run / "run/pictures").glob("*.mp4")} == {"a__b_.mp4", "_._frames_clip8.mp4"}


def test_a_frame_name_that_no_file_can_have_is_a_frame_that_cannot_be_read(run):
    split = json.loads((run / "instances.json").read_text())
    split["videos"][0]["file_names"][1] = "clip3/0\0.jpg"
    (run / "instances.json").write_text(json.dumps(split))
    assert "1 could not be read" in _invoke(run / "run", "--videos", "3").output


def test_classes_that_the_font_cannot_write_are_told_apart_by_their_ids(run):
    split = json.loads((run / "instances.json").read_text())
    split["categories"] = [{"id": 7, "name": "no\ue123"}, {"id": 9, "name": "étoile"}]
    (run / "instances.json").write_text(json.dumps(split))
    result = _invoke(run / "run", "--videos", "3")
    assert result.exit_code == 0
    assert "warning: no font here has the letters of 'no\\ue123'; drawn as `class` and the id" in result.output
    assert dict(RunVideos(run / "run").class_names) == {9: "étoile"}


@pytest.mark.skipif(not can_shape(), reason="Pillow has no raqm here (libfribidi is missing)")
def test_classes_in_scripts_that_run_to_the_left_are_drawn_by_name(run):
    split = json.loads((run / "instances.json").read_text())
    split["categories"] = [{"id": 7, "name": "קשת"}, {"id": 9, "name": "نجمة"}]
    (run / "instances.json").write_text(json.dumps(split))
    result = _invoke(run / "run", "--videos", "3", "--as", "sheet")
    assert result.exit_code == 0 and "warning" not in result.output
    assert dict(RunVideos(run / "run").class_names) == {7: "קשת", 9: "نجمة"}


def test_a_long_name_breaks_nothing(run):
    split = json.loads((run / "instances.json").read_text())
    for video, folder in zip(split["videos"], ("ö" * 100 + "a", "ö" * 100 + "b", "clip9"), strict=True):
        (run / "frames" / f"clip{video['id']}").rename(run / "frames" / folder)
        video["file_names"] = [f"{folder}/{index:05d}.jpg" for index in range(LENGTH)]
    (run / "instances.json").write_text(json.dumps(split))
    assert _invoke(run / "run").exit_code == 0
    names = sorted(path.name for path in (run / "run/pictures").glob("*.mp4"))
    assert len(names) == 2 and all(name.startswith("ö" * 80) for name in names)


def test_videos_of_one_name_get_their_ids(run):
    split = json.loads((run / "instances.json").read_text())
    split["videos"][1]["file_names"] = split["videos"][0]["file_names"]
    (run / "instances.json").write_text(json.dumps(split))
    videos = RunVideos(run / "run")
    assert [videos.file_stem(identifier) for identifier in videos.video_ids] == ["clip3_3", "clip3_8"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no run there"),
        (["run", "--frames", "nowhere"], "nowhere: not a folder"),
        (["run", "--frames", "run"], r"video 3 \(clip3\): not one frame could be read"),
        (["run", "--split", "nowhere"], "split .*nowhere"),
        (["run", "--videos", "9"], "video 9 is not among its finished videos"),
        (["run", "--videos", "x"], "--videos x: not a list of video ids"),
    ],
)
def test_faults_are_one_line_that_names_the_culprit(run, monkeypatch, arguments, message):
    monkeypatch.chdir(run)
    with pytest.raises(DataError, match=message) as caught:
        _invoke(*arguments)
    assert "\n" not in str(caught.value)


def test_a_run_with_nothing_finished_says_so(run):
    RunFolder.create(run / "fresh", {"split": str(run / "instances.json"), "frames": str(run / "frames")}, "x")
    with pytest.raises(DataError, match="no finished video"):
        RunVideos(run / "fresh")


def test_identities_are_numbered_by_score_whatever_the_threshold():
    tracks = [_track(3, 9, 0.3, {0}), _track(3, 7, 0.9, {0}), _track(3, 1, 0.3, {1}), _track(3, 7, 0.1, {1})]
    all_of_them = identities(tracks, {7: "ring", 9: "star"}, 0.0)
    assert [(one.number, one.class_name) for one in all_of_them] == [
        (1, "ring"),
        (2, "star"),
        (3, "class 1"),
        (4, "ring"),
    ]
    some = identities(tracks, {7: "ring", 9: "star"}, 0.3)
    assert [one.number for one in some] == [1, 2, 3]
    np.testing.assert_array_equal([one.colour for one in some], [one.colour for one in all_of_them[:3]])


def test_an_empty_mask_counts_as_absent():
    empty = masks.encode(np.zeros((1, HEIGHT, WIDTH), bool))[0]
    (identity,) = identities([TrackResult(3, 7, 0.9, (empty, None))], {7: "ring"}, 0.0)
    np.testing.assert_array_equal(identity.visible(3), [False, False, False])
