"""`export` and `import` as a user runs them: there and back with the same scores, and faults in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from vis_pipeline import masks
from vis_pipeline.cli.exchange import LISTED_FORMS
from vis_pipeline.data.splits import read_split, split_to_json
from vis_pipeline.exchange.forms import FORMS
from vis_pipeline.runs.folder import RunFolder
from vis_pipeline.structures.splits import Annotation, Category, Split, Video
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH, LENGTH = 32, 48, 3


def moving(x: int, y: int, side: int = 10) -> tuple[masks.Rle, ...]:
    stack = np.zeros((LENGTH, HEIGHT, WIDTH), dtype=bool)
    for frame in range(LENGTH):
        stack[frame, y : y + side, x + 2 * frame : x + 2 * frame + side] = True
    return tuple(masks.encode(stack))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A split of two videos with frames and ground truth, and a run whose tracks are near it and share no pixel."""
    categories = (Category(3, "cat"), Category(5, "person"))
    videos = tuple(
        Video(number, WIDTH, HEIGHT, LENGTH, tuple(f"v{number}/{frame:05}.jpg" for frame in range(LENGTH)))
        for number in (1, 2)
    )
    truth = [(1, 3, moving(1, 1)), (1, 5, moving(20, 15)), (2, 5, moving(5, 5))]
    annotations = tuple(Annotation(place, *entry, None, False) for place, entry in enumerate(truth, start=1))
    (tmp_path / "split.json").write_text(json.dumps(split_to_json(Split(videos, categories, annotations))))
    for video in videos:
        (tmp_path / "frames" / video.name).mkdir(parents=True)
        for name in video.file_names:
            cv2.imwrite(str(tmp_path / "frames" / name), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    config = {"split": str(tmp_path / "split.json"), "frames": str(tmp_path / "frames")}
    folder = RunFolder.create(tmp_path / "run", config, "abc")
    found = {
        1: [(3, 0.625, moving(2, 1)), (5, 0.3, moving(20, 17)), (5, 0.1, moving(32, 0, 5))],
        2: [(5, 0.8, moving(5, 5)), (3, 0.2, moving(30, 20))],
    }
    for number, tracks in found.items():
        results = [TrackResult(number, *entry) for entry in tracks]
        folder.write_video(number, VideoOutcome(results, LENGTH, HEIGHT, WIDTH, {}))
    folder.assemble_results([1, 2])
    return tmp_path


def test_the_forms_are_the_same_everywhere() -> None:
    table = [line for line in (ROOT / "docs/exchange.md").read_text().splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in table] == list(FORMS) == LISTED_FORMS.split(", ")


def scores(command: Callable[..., tuple[int, str, str]], run: Path, truth: Path) -> dict[str, object]:
    out = run / "scores.json"
    assert command("evaluate", run, "--gt", truth, "--json", out)[0] == 0
    found = json.loads(out.read_text())
    assert 0.2 < found["AP"] < 1
    return found


def test_a_run_comes_back_with_its_scores(command, work: Path) -> None:
    split = work / "split.json"
    before = scores(command, work / "run", split)
    code, out, err = command("export", work / "run", "--form", "mots-png", "--out", work / "mots")
    assert (code, err) == (0, "")
    assert out.strip() == f"{work / 'mots'}: mots-png, 2 videos"
    options = ["--form", "mots-png", "--split", split, "--frames", work / "frames"]
    code, out, err = command("import", work / "mots", *options, "--out", work / "back")
    assert (code, err) == (0, "")
    assert out.strip() == f"{work / 'back'}: 5 tracks in 2 videos"
    assert scores(command, work / "back", split) == before


def test_an_imported_run_is_a_run(command, work: Path) -> None:
    command("export", work / "run", "--form", "csv", "--out", work / "run.csv")
    command(
        "import",
        work / "run.csv",
        "--form",
        "csv",
        "--split",
        work / "split.json",
        "--frames",
        work / "frames",
        "--out",
        work / "back",
    )
    folder = RunFolder.open(work / "back")
    assert folder.input_path("split") == work / "split.json"
    assert folder.config()["imported"]["form"] == "csv"
    assert folder.finished() == {1, 2}
    assert folder.read_events(1) is None
    assert folder.read_video(1).tracks == RunFolder.open(work / "run").read_video(1).tracks
    code, out, _ = command("visualize", work / "back", "--videos", "1")
    assert (code, "drew 1 video, 3 frames" in out) == (0, True)
    assert (work / "back/pictures/v1.mp4").stat().st_size > 0
    assert command("submit", work / "back")[0] == 0
    code, _, err = command(
        "import", work / "run.csv", "--form", "csv", "--split", work / "split.json", "--out", work / "back"
    )
    assert code == 2
    assert "holds a run; give another --out" in err


def test_ground_truth_goes_out_and_comes_in(command, work: Path) -> None:
    for form in ("cocovid", "mots-txt", "youtube-vis"):
        code, _, _ = command("export", work / "split.json", "--form", form, "--out", work / form)
        assert code == 0
        truth = work / f"{form}.json"
        code, out, _ = command(
            "import", work / form, "--form", form, "--split", work / "split.json", "--as-ground-truth", truth
        )
        assert (code, out.strip()) == (0, f"{truth}: 3 tracks in 2 videos")
        assert scores(command, work / "run", truth) == scores(command, work / "run", work / "split.json")
    assert read_split(work / "youtube-vis.json") == read_split(work / "split.json")


def test_cocovid_needs_no_split(command, work: Path) -> None:
    command("export", work / "run", "--form", "cocovid", "--out", work / "x.json")
    code, _, _ = command("import", work / "x.json", "--form", "cocovid", "--out", work / "back")
    assert code == 0
    assert read_split(work / "back/split.json").annotations is None
    assert scores(command, work / "back", work / "split.json") == scores(command, work / "run", work / "split.json")


def test_some_videos_and_strong_tracks(command, work: Path) -> None:
    command(
        "export", work / "run", "--form", "youtube-vis", "--out", work / "x.json", "--videos", "2", "--score-thr", "0.5"
    )
    (entry,) = json.loads((work / "x.json").read_text())
    assert (entry["video_id"], entry["score"]) == (2, 0.8)
    command("export", work / "run", "--form", "davis", "--out", work / "davis", "--videos", "2")
    code, _, err = command(
        "import", work / "davis", "--form", "davis", "--split", work / "split.json", "--out", work / "back"
    )
    assert (code, err.strip()) == (0, "davis: 1 videos of the split are not there: they are not finished")
    assert RunFolder.open(work / "back").finished() == {2}


def test_exported_masks_are_scored_as_davis(command, work: Path) -> None:
    """By the `davis` command: what a palette PNG shows is the object itself."""
    command("export", work / "split.json", "--form", "davis", "--out", work / "truth")
    for path in (work / "truth").glob("v*/*.png"):
        (work / "masks" / path.parent.name).mkdir(parents=True, exist_ok=True)
        (work / "masks" / path.parent.name / path.name).write_bytes(path.read_bytes())
    code, _, _ = command(
        "davis", work / "truth", "--masks", work / "masks", "--form", "2017", "--json", work / "j.json"
    )
    assert code == 0
    assert json.loads((work / "j.json").read_text())["J"]["mean"] == 1.0


def test_labelme_files_name_their_images(command, work: Path) -> None:
    command("export", work / "run", "--form", "labelme", "--out", work / "deep/labels", "--frames", work / "frames")
    content = json.loads((work / "deep/labels/v1/00001.json").read_text())
    assert (work / "deep/labels/v1" / content["imagePath"]).resolve() == work / "frames/v1/00001.jpg"


def spoil_png(work: Path) -> None:
    path = work / "x/instances/v2/000001.png"
    path.write_bytes(path.read_bytes()[:50])


def outside(work: Path) -> None:
    path = work / "x/v1.txt"
    path.write_text(path.read_text() + path.read_text().splitlines()[0].replace("0 ", "7 ", 1) + "\n")


def out_of_range(work: Path) -> None:
    (work / "x/v1/00000.png").rename(work / "x/v1/12345.png")


def other_id(work: Path) -> None:
    (work / "x/v1.txt").write_text("0 99000 4 32 48 abc\n")


def strange_video(work: Path) -> None:
    (work / "x/v1.xml").rename(work / "x/v9.xml")


def cut_short(work: Path) -> None:
    path = work / "x/v1.xml"
    path.write_text(path.read_text()[:-40])


def declared(work: Path) -> None:
    path = work / "x/v1.xml"
    path.write_text(path.read_text().replace("<annotations>", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>', 1))


def encoded_otherwise(work: Path) -> None:
    path = work / "x/v1.xml"
    path.write_text(path.read_text().replace("utf-8", "utf-18", 1))


def one_column_less(work: Path) -> None:
    path = work / "x"
    path.write_text(path.read_text().replace("score", "skore", 1))


@pytest.mark.parametrize(
    ("form", "spoil", "words"),
    [
        ("mots-png", spoil_png, "'000001.png': not a PNG, or one that is cut short"),
        ("mots-txt", outside, "v1.txt: line 10: frame 7: video 1 has the frames 0 to 2"),
        ("mots-txt", other_id, "v1.txt: line 1: id 99000 is not of class 4"),
        ("davis", out_of_range, "'12345.png': video 1 has no frame of this name"),
        ("cvat", strange_video, "'v9.xml': no video of the split is called so; they are v1, v2"),
        ("cvat", cut_short, "v1.xml: not XML, or cut short"),
        ("cvat", declared, "v1.xml: line 2: has a document type"),
        ("cvat", encoded_otherwise, "v1.xml: in an encoding that cannot be read"),
        ("csv", one_column_less, "has no column `score`"),
    ],
)
def test_a_fault_is_one_line_and_leaves_no_run(
    command, work: Path, form: str, spoil: Callable[[Path], None], words: str
) -> None:
    command("export", work / "run", "--form", form, "--out", work / "x")
    spoil(work)
    code, _, err = command("import", work / "x", "--form", form, "--split", work / "split.json", "--out", work / "back")
    assert (code, len(err.splitlines())) == (2, 1)
    assert words in err
    assert not list(work.glob("back/**/*.json"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "run", "--form", "davsi", "--out", "x"], "did you mean 'davis'?"),
        (
            ["export", "run", "--form", "coco", "--out", "x", "--videos", "4"],
            "not among its finished videos: 4",
        ),
        (["export", "run", "--form", "coco", "--out", "x", "--videos", "a"], "not a list of video ids"),
        (["export", "split.json", "--form", "coco", "--out", "x", "--score-thr", "0.5"], "is for a run's folder"),
        (["export", "frames", "--form", "coco", "--out", "x"], "no run there"),
        (["export", "run/results.json", "--form", "coco", "--out", "x"], "is it a file of results?"),
        (["export", "run", "--form", "davis", "--out", "split.json"], "cannot be made"),
        (["import", "run", "--form", "csv", "--out", "x"], "csv does not describe the videos; give --split"),
        (
            ["import", "run", "--form", "csv", "--split", "split.json"],
            "give --out for a run's folder, or --as-ground-truth",
        ),
        (["import", "nothing", "--form", "davis", "--split", "split.json", "--out", "x"], "nothing: is not there"),
        (["import", "split.json", "--form", "csv", "--split", "split.json", "--out", "x"], "has no column"),
        (["import", "split.json", "--form", "coco", "--split", "split.json", "--out", "x"], "no list `images`"),
        (
            ["import", "frames", "--form", "davis", "--split", "split.json", "--out", "x"],
            "holds no .png files, one a frame",
        ),
        (
            ["import", "frames", "--form", "mot-txt", "--split", "split.json", "--out", "x"],
            "holds no .txt files, one a video",
        ),
        (
            ["import", "run", "--form", "coco", "--split", "split.json", "--out", "x", "--category", "cow"],
            "--category cow",
        ),
        (
            ["import", "run", "--form", "davis", "--split", "split.json", "--out", "x", "--first-frame", "1"],
            "--first-frame 1",
        ),
    ],
)
def test_bad_input_is_one_line(command, work: Path, monkeypatch, arguments: list[str], words: str) -> None:
    monkeypatch.chdir(work)
    code, _, err = command(*arguments)
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.startswith("error: ")
    assert words in err
