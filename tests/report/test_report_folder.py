import json
import shutil
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from report_runs import CATEGORIES, HASH, HEIGHT, LENGTH, LONG, MARKUP, WIDTH, data_of, tracks_of, write_run

from evaluation.explain import explain
from evaluation.youtube_vis import evaluate
from vis_pipeline.cli.app import main
from vis_pipeline.data.splits import read_split
from vis_pipeline.errors import DataError
from vis_pipeline.report.folder import PAGE, Report
from vis_pipeline.report.script_files import write_script
from vis_pipeline.report.video_page import numbers_by_score, track_colours
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Split
from vis_pipeline.structures.tracks import VideoOutcome
from vis_pipeline.visualize.identities import identities


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("report")
    write_run(place)
    return place


@pytest.fixture(scope="module")
def made(place):
    """The report of the run beside its ground truth."""
    truth = read_split(place / "instances.json")
    return Report(place / "run", place / "out", truth).write().parent


def index_of(folder):
    return data_of(folder / "data/index.js")["index"]


def page_of(folder, video_id=3):
    return data_of(folder / f"data/{video_id}.js")["video"]


def test_the_folder_holds_all_that_the_page_names(made):
    names = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert {path.name for path in PAGE.iterdir()} <= names
    for video_id in (3, 4):
        assert {f"data/{video_id}.js", f"frames/{video_id}.mp4", f"pictures/{video_id}.jpg"} <= names
    page = (PAGE / "index.html").read_text()
    scripts = {path.name for path in PAGE.glob("*.js")}
    assert all(f'<script src="{name}"></script>' in page for name in scripts)
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_figures_are_those_of_the_evaluator(place, made):
    truth = read_split(place / "instances.json")
    results = [track for video_id in (3, 4) for track in tracks_of(video_id)]
    index, scores, explanation = index_of(made), evaluate(results, truth), explain(results, truth)
    assert index["figures"]["AP"] == pytest.approx(scores.AP)
    assert index["figures"]["AR10"] == pytest.approx(scores.AR10)
    assert {error["kind"]: error["count"] for error in index["errors"]} == {
        error.kind: error.count for error in explanation.errors
    }
    assert [video["cost"] for video in index["videos"]] == sorted((v["cost"] for v in index["videos"]), reverse=True)
    assert index["videos"][0]["counts"] == {
        "matched": 11, "false": 7, "missed": 5, "switches": 1, "identified": 6
    }  # fmt: skip
    assert index["frame_figures"]["switches"] == 2
    assert (index["hash"], index["unfinished"], index["tracks"]) == (HASH, 0, 8)


def test_names_and_ids_come_as_text(made):
    index = index_of(made)
    assert index["categories"] == [[str(category.id), category.name] for category in CATEGORIES]
    assert {video["name"] for video in index["videos"]} == {"clip", "<b>other</b>"}
    assert page_of(made)["notes"] == [MARKUP]
    assert LONG in index["categories"][3]
    for path in (made / "data").iterdir():
        assert not set("<>&\u2028") & set(path.read_text())


def test_a_page_has_tracks_with_their_story(made):
    page = page_of(made)
    tracks = page["tracks"]
    assert [track["number"] for track in tracks] == [2, 1, 3, 4]
    assert tracks[0]["states"] == "dddpphllllll"
    assert tracks[0]["scores"][:6] == [91, 60, 70, 40, 40, 12]
    assert tracks[3]["states"] == "..dd........".replace("d", "s")
    assert tracks[0]["masks"][5] is None and isinstance(tracks[0]["masks"][4], str)
    born = tracks[0]["told"][0]
    assert born[:2] == [0, "born"] and born[3:] == [0, None, 0.91]
    assert "birth_score 0.25" in page["rules"][born[2]]
    assert [told[1] for told in page["dropped"][0]] == ["born", "hidden", "dropped"]
    assert [told[0] for told in page["refused"]] == [4]
    assert page["errors"][0]["kind"] in ("miss", "false positive")
    assert [error["before"] for error in page["errors"] if error["kind"] == "switch"] == [0]
    assert tracks[2]["kind"] == "false positive"


def test_numbers_and_colours_are_those_of_visualize():
    tracks = tracks_of(3)
    drawn = identities(tracks, {}, 0.0)
    by_score = {track.score: number for track, number in zip(tracks, numbers_by_score(tracks), strict=True)}
    assert {one.score: one.number for one in drawn} == by_score
    colours = {
        number: colour.tolist() for number, colour in zip(numbers_by_score(tracks), track_colours(tracks), strict=True)
    }
    assert {one.number: one.colour.tolist() for one in drawn} == colours


def test_the_video_has_every_frame_in_its_place(made):
    with av.open(str(made / "frames/3.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, float(stream.average_rate)) == ("h264", "yuv420p", 10)
        frames = list(container.decode(stream))
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(LENGTH)])
    greys = [frame.to_ndarray(format="bgr24")[:, 2:6].mean() for frame in frames]
    assert greys == pytest.approx([16 * index for index in range(LENGTH)], abs=5)
    assert page_of(made)["film"] == [WIDTH, HEIGHT]


def test_the_picture_shows_masks(made):
    picture = cv2.imread(str(made / "pictures/3.jpg"))
    assert picture.shape == (round(HEIGHT * 240 / WIDTH), 240, 3)
    assert np.ptp(picture[:, 60:].astype(int), axis=2).max() > 60


def test_without_ground_truth_there_are_counts_classes_and_scores(place, tmp_path):
    Report(place / "run", tmp_path / "out").write()
    index, page = index_of(tmp_path / "out"), page_of(tmp_path / "out")
    assert "figures" not in index and "errors" not in page and "truths" not in page
    assert index["classes"] == [
        {"id": "1", "tracks": 4, "score": pytest.approx(0.75)},
        {"id": "2", "tracks": 2, "score": pytest.approx(0.05)},
        {"id": "7", "tracks": 2, "score": pytest.approx(0.4)},
    ]
    assert [video["id"] for video in index["videos"]] == ["3", "4"]


def test_without_events_nothing_is_made_up(place, tmp_path):
    shutil.copytree(place / "run", tmp_path / "run")
    shutil.rmtree(tmp_path / "run/events")
    Report(tmp_path / "run", tmp_path / "out").write()
    page = page_of(tmp_path / "out")
    assert page["events"] is False and page["tracks"][0]["told"] == []
    assert page["tracks"][0]["states"] == "sssss......."


def test_a_report_that_is_written_again_leaves_nothing_of_videos_that_it_does_not_list(place, tmp_path):
    out = tmp_path / "out"
    Report(place / "run", out).write()
    (out / "data/notes.txt").touch()
    Report(place / "run", out, chosen=[4]).write()
    kept = sorted(str(path.relative_to(out)) for path in out.glob("*/*"))
    assert kept == ["data/4.js", "data/index.js", "data/notes.txt", "frames/4.mp4", "pictures/4.jpg"]


def test_an_unfinished_run_shows_what_is_finished(tmp_path):
    write_run(tmp_path, finished={4})
    Report(tmp_path / "run", tmp_path / "out", read_split(tmp_path / "instances.json")).write()
    index = index_of(tmp_path / "out")
    assert (index["unfinished"], [video["id"] for video in index["videos"]]) == (1, ["4"])
    assert not (tmp_path / "out/data/3.js").exists()


def test_frames_that_cannot_be_read_are_grey_and_named(tmp_path):
    write_run(tmp_path, names=((3, "clip"),))
    for index in (0, LENGTH - 1):
        (tmp_path / f"frames/clip/{index:05d}.png").write_bytes(b"no picture")
    Report(tmp_path / "run", tmp_path / "out").write()
    assert page_of(tmp_path / "out")["lost"] == [0, LENGTH - 1]
    assert index_of(tmp_path / "out")["videos"][0]["lost"] == 2


def test_a_single_video_file(place, made, tmp_path):
    clip = made / "frames/3.mp4"
    run = RunFolder.create(tmp_path / "run", {"video": str(clip)}, "abc")
    run.write_video(1, VideoOutcome([], LENGTH, HEIGHT, WIDTH + 1, {}))
    Report(tmp_path / "run", tmp_path / "out").write()
    assert page_of(tmp_path / "out", 1)["name"] == "3"
    assert index_of(tmp_path / "out")["classes"] == []


def test_the_report_does_not_take_the_place_of_the_video(tmp_path, made):
    clip = tmp_path / "out/frames/1.mp4"
    clip.parent.mkdir(parents=True)
    shutil.copy(made / "frames/3.mp4", clip)
    run = RunFolder.create(tmp_path / "run", {"video": str(clip)}, "abc")
    run.write_video(1, VideoOutcome([], LENGTH, HEIGHT, WIDTH + 1, {}))
    before = clip.read_bytes()
    with pytest.raises(DataError, match="would take its place"):
        Report(tmp_path / "run", tmp_path / "out").write()
    assert clip.read_bytes() == before


def without_frames(place):
    shutil.rmtree(place / "frames")


def with_bad_frames(place):
    for path in (place / "frames/clip").iterdir():
        path.write_bytes(b"")


def without_videos(place):
    shutil.rmtree(place / "run/videos")


def without_run(place):
    (place / "run/config.json").unlink()


def with_bad_events(place):
    (place / "run/events/3.json").write_text("[3]")


def without_a_score(place):
    path = place / "run/videos/3.json"
    # As an earlier version wrote it, without a digest that would tell.
    _, _, rest = path.read_text().partition(", ")
    path.write_text("{" + rest.replace('"score": 0.6', '"score": NaN'))


def without_an_affinity(place):
    path = place / "run/events/3.json"
    path.write_text(path.read_text().replace('"affinity": 0.8', '"affinity": Infinity'))


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (without_frames, "frames: not a folder"),
        (with_bad_frames, "video 3 (clip): not one frame could be read"),
        (without_videos, "no finished video"),
        (without_run, "no run there"),
        (with_bad_events, "events of video 3"),
        (without_a_score, "video 3, track 0: its score is nan"),
        (without_an_affinity, "affinity"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(tmp_path, monkeypatch, capsys, harm, words):
    write_run(tmp_path, names=((3, "clip"),))
    harm(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", "report", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as leaving:
        main()
    line = capsys.readouterr().err
    assert leaving.value.code == 2
    assert words in line and line.count("\n") == 1
    assert not (tmp_path / "run/report/index.html").exists()


def test_ground_truth_of_other_videos_or_classes_is_refused(place, tmp_path):
    truth = read_split(place / "instances.json")
    with pytest.raises(DataError, match="--gt has no video 4"):
        Report(place / "run", tmp_path, Split(truth.videos[:1], truth.categories, truth.annotations[:2]))
    renamed = Split(truth.videos, truth.categories[:2], truth.annotations)
    with pytest.raises(DataError, match=r"--gt does not fit the run: result 2 .*no category 7"):
        Report(place / "run", tmp_path, renamed).write()


def test_the_command(place, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = ["report", place / "run", "--gt", place / "instances.json", "--videos", "4", "--out", out]
    monkeypatch.setattr(sys, "argv", ["vis-pipeline", *map(str, arguments), "--score-thr", "0.1"])
    try:
        main()
    except SystemExit as leaving:
        assert not leaving.code
    assert f"report of 1 video; open in a browser: {out / 'index.html'}" in capsys.readouterr().out
    index = index_of(out)
    assert [video["id"] for video in index["videos"]] == ["4"]
    assert index["least_score"] == 0.1
    assert index["videos"][0]["counts"]["false"] == 5, "the track of score 0.05 does not count"


def test_a_script_cannot_be_left_by_its_data(tmp_path):
    hostile = "</script><!-- \u2028 \ud800 & ' \" \\"
    path = Path(tmp_path / "data.js")
    write_script(path, {"name": hostile})
    text = path.read_bytes()
    assert text.isascii() and b"<" not in text and b"&" not in text
    assert json.loads(text[len(b"visReport(") : -3])["name"] == hostile
