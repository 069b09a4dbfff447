import math
from pathlib import Path

import numpy as np
import pytest
import vot_scenes
from hypothesis import given, settings
from hypothesis import strategies as st
from vot_scenes import polygons, told, walk, with_resets, write_images, write_sequence, write_truth

from evaluation.single_object.protocols import protocol_scores
from vis_pipeline import masks
from vis_pipeline.errors import DataError
from vis_pipeline.protocols.vot.benchmark import SUPERVISED, UNSUPERVISED, VotBenchmark
from vis_pipeline.protocols.vot.regions import line_of, region_of, upright_box
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.siammask.rotated_box import corners, rotated_box
from vis_pipeline.trackers.single_object import ObjectInFrame


def lines(path: Path) -> list[object]:
    rows = [[float(part) for part in line.split(",")] for line in path.read_text().splitlines()]
    return [int(row[0]) if len(row) == 1 else row for row in rows]


def run(benchmark: VotBenchmark, data: Path, results: Path, trackers: object, name: str = "ball") -> Path:
    (found,) = benchmark.listing(data, [name]).found
    reported: list[int] = []
    assert not benchmark.is_done(found, results)
    benchmark.run(found, trackers, results, reported.append)  # type: ignore[arg-type]
    assert benchmark.is_done(found, results)
    assert sum(reported) == found.length
    return results / benchmark.experiment / name / f"{name}_001.txt"


# --- the supervised experiment


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("vot")
    write_sequence(data, "ball", polygons(walk(40)))
    return data


@settings(max_examples=25, deadline=None)
@given(drift=st.lists(st.integers(0, 72).map(lambda value: value / 8), min_size=40, max_size=40))
def test_resets_are_those_of_the_oracle(
    ball: Path, tmp_path_factory: pytest.TempPathFactory, drift: list[float]
) -> None:
    truth = walk(40)

    def where(start: int, frame: int) -> np.ndarray:
        return truth[frame] + [drift[start] * (frame - start), 0, 0, 0]

    path = run(SUPERVISED, ball, tmp_path_factory.mktemp("results"), told(where))
    expected = with_resets(where, polygons(truth))
    assert lines(path) == expected
    seconds = path.with_name("ball_001_time.value").read_text().splitlines()
    assert [line == "" for line in seconds] == [line == 0 for line in expected]


def test_a_failure_at_the_end_leaves_nothing_to_start(ball: Path, tmp_path: Path) -> None:
    far = np.array([60, 40, 2, 2.0])
    for failing in (36, 39):
        path = run(SUPERVISED, ball, tmp_path / str(failing), told(lambda s, f: far if f == failing else walk(40)[f]))  # noqa: B023
        codes = [line if isinstance(line, int) else -1 for line in lines(path)]
        assert codes == [1, *[-1] * (failing - 1), 2, *[0] * (39 - failing)]


def test_what_only_meets_outside_the_image_has_failed(tmp_path: Path) -> None:
    truth = np.tile([-10, 4, 16, 12.0], (3, 1))
    write_sequence(tmp_path, "ball", truth)
    # Both reach over the left edge; inside the image nothing of the tracker's is left.
    path = run(SUPERVISED, tmp_path, tmp_path / "out", told(lambda s, f: np.array([-30, 4, 30, 12.0])))
    assert lines(path) == [1, 2, 0]


def test_a_tracker_starts_from_the_box_that_the_release_makes(tmp_path: Path) -> None:
    turned = np.array([20, 5, 35, 20, 25, 30, 10, 15.0])  # sides 15 and 10 times the root of 2
    write_sequence(tmp_path, "ball", np.tile(turned, (2, 1)))
    begun: list[np.ndarray] = []
    run(SUPERVISED, tmp_path, tmp_path / "out", told(lambda s, f: np.array([15, 10, 9, 9.0]), begun))
    side = math.sqrt(300 / 625) * 25 + 1
    np.testing.assert_allclose(begun, [[22.5 - side / 2, 17.5 - side / 2, side, side]])
    np.testing.assert_allclose(upright_box(np.array([3, 4, 5, 6.0])), [3, 4, 5, 6])
    # An upright polygon has its own area: only the release's pixel is added.
    np.testing.assert_allclose(upright_box(corners(np.array([3, 4, 5, 6.0])).ravel()), [2.5, 3.5, 6, 7])


# --- the unsupervised experiment


def test_without_resets_a_lost_object_stays_lost(ball: Path, tmp_path: Path) -> None:
    truth = walk(40)
    results = tmp_path / "results"
    path = run(UNSUPERVISED, ball, results, told(lambda s, f: truth[f] if f < 20 else np.array([60, 40, 2, 2.0])))
    assert path.parent.parent.name == "unsupervised"
    assert lines(path) == [1, *truth[1:20].tolist(), *[[60, 40, 2, 2]] * 20]
    figures = protocol_scores("vot-unsupervised", results, ball).overall
    overlap = [
        len(a & b) / len(a | b)
        for a, b in ((vot_scenes.pixels(t), vot_scenes.pixels(p)) for t, p in zip(truth, polygons(truth), strict=True))
    ]
    assert figures["accuracy"] == pytest.approx(sum(overlap[10:20]) / 30)
    assert figures["AO"] == pytest.approx(sum(overlap[1:20]) / 39)
    assert figures["frames/s"] > 0


# --- what is written


def test_results_are_the_box_that_was_asked_for() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    mask = np.zeros((48, 64), dtype=bool)
    mask[10:30, 20:45] = True
    mask[5:10, 20:23] = True
    box = np.array([18.5, 9.123456, 30, 22])
    found = ObjectInFrame(Frame(0, 1, "x", image), box, 0.9, masks.encode(mask[None])[0], rotated_box(mask, box))
    np.testing.assert_array_equal(region_of(found, "state"), [18.5, 9.1235, 30, 22])
    np.testing.assert_array_equal(region_of(found, "min-max"), [20, 5, 25, 25])
    np.testing.assert_array_equal(sorted(region_of(found, "mbr")), sorted([20, 29, 20, 5, 44, 5, 44, 29]))
    opt = region_of(found, "opt").reshape(4, 2)
    assert 7 < opt.min(axis=0)[1] < 9.6  # without the thin part
    np.testing.assert_allclose(opt.max(axis=0), [44.5, 29.5], atol=0.1)  # from the centre of the first pixel
    tiny = np.zeros_like(mask)
    tiny[:5, :5] = True
    small = ObjectInFrame(Frame(0, 1, "x", image), box, 0.9, masks.encode(tiny[None])[0], rotated_box(tiny, box))
    for kind in ("mbr", "opt"):
        np.testing.assert_allclose(region_of(small, kind), corners(box).ravel(), atol=1e-4)  # type: ignore[arg-type]
    np.testing.assert_allclose(region_of(small, "min-max"), box, atol=1e-4)
    assert line_of(region_of(found, "state")) == "18.5000,9.1235,30.0000,22.0000"


# --- folders


def test_the_forms_of_folders_are_read(tmp_path: Path) -> None:
    truth = walk(6)
    old = tmp_path / "old"
    for name in ("a", "b"):
        write_truth(old / name / "groundtruth.txt", truth)
        write_images(old / name, 6)
    (old / "notes").mkdir()
    assert [(one.name, one.length) for one in SUPERVISED.listing(old, None).found] == [("a", 6), ("b", 6)]
    (old / "list.txt").write_text("b\na\n\nmissing\n")
    listed = SUPERVISED.listing(old, None)
    assert [one.name for one in listed.found] == ["b", "a"]
    assert "missing" in listed.left_out and "cannot be read" in listed.left_out["missing"]
    work = tmp_path / "work"
    write_sequence(work / "data", "c", polygons(truth))
    (work / "data/list.txt").write_text("c\n")
    (work / "config.yaml").write_text("registry:\n- ./trackers.ini\nsequences: ./data  # here\nstack: vot2018\n")
    assert [one.name for one in SUPERVISED.listing(work, None).found] == ["c"]
    (work / "config.yaml").write_text("stack: vot2018\n")
    (work / "data").rename(work / "sequences")
    assert [one.name for one in SUPERVISED.listing(work, None).found] == ["c"]
    scored = run(SUPERVISED, work, tmp_path / "results", told(lambda s, f: truth[f]), "c")
    assert protocol_scores("vot2018", scored.parents[2], work).overall["failures"] == 0


@pytest.mark.parametrize("given", ["channels.color=color", "channels.color=color\\%08d.jpg", "name=x"])
def test_the_images_are_where_the_file_sequence_says(tmp_path: Path, given: str) -> None:
    (write_sequence(tmp_path, "ball", walk(3)) / "sequence").write_text(f"{given}\n")
    assert SUPERVISED.listing(tmp_path, None).found[0].length == 3


def test_what_cannot_be_run_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    truth = polygons(walk(8))
    write_sequence(tmp_path, "good", truth)
    write_sequence(tmp_path, "short", truth, images=7)
    write_sequence(tmp_path, "flat", np.vstack([truth[:7], [[1, 1, 5, 1, 9, 1, 5, 1]]]))
    write_sequence(tmp_path, "nan", np.vstack([truth[:2], np.full((1, 8), np.nan), truth[3:]]))
    write_sequence(tmp_path, "six", truth[:, :6])
    (write_sequence(tmp_path, "gap", truth) / "color/00000004.jpg").unlink()
    (write_sequence(tmp_path, "pattern", truth) / "sequence").write_text("channels.color=color/%s%d.jpg\n")
    (write_sequence(tmp_path, "words", truth) / "groundtruth.txt").write_text("a,b\n")
    listed = SUPERVISED.listing(tmp_path, None)
    assert [one.name for one in listed.found] == ["good"]
    says = {
        "short": "8 regions, but 7 images, up to 00000007.jpg",
        "flat": "line 8: the true region has NaN or no area",
        "nan": "line 3: the true region has NaN or no area",
        "six": "line 1: 6 numbers; a region has 4 or 8",
        "gap": "8 regions, but 3 images, up to 00000003.jpg",
        "pattern": "no pattern with one number",
        "words": "line 1: 'a,b' is not a row of numbers",
    }
    assert says.keys() == listed.left_out.keys()
    for name, text in says.items():
        assert text in listed.left_out[name] and name in listed.left_out[name] and "\n" not in listed.left_out[name]
    assert "no such sequence" in SUPERVISED.listing(tmp_path, ["nowhere"]).left_out["nowhere"]


def test_a_start_outside_the_image_is_named(tmp_path: Path) -> None:
    truth = walk(8)
    truth[6, 0] = 100
    write_sequence(tmp_path, "ball", truth)
    (found,) = SUPERVISED.listing(tmp_path, None).found
    failing = told(lambda start, frame: np.array([60, 40, 2, 2.0]))
    with pytest.raises(DataError, match=r"frame 00000007\.jpg: the true region is outside the image"):
        SUPERVISED.run(found, failing, tmp_path / "out", lambda done: None)
    # Where nothing starts it does no harm.
    UNSUPERVISED.run(found, failing, tmp_path / "out", lambda done: None)


def test_a_folder_of_something_else_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        SUPERVISED.listing(tmp_path / "nowhere", None)
    with pytest.raises(DataError, match="neither VOT's sequences"):
        SUPERVISED.listing(tmp_path, None)


def test_a_damaged_frame_leaves_no_result(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path, "ball", walk(8))
    (folder / "color/00000005.jpg").write_bytes((folder / "color/00000005.jpg").read_bytes()[:80])
    (found,) = SUPERVISED.listing(tmp_path, None).found
    with pytest.raises(DataError, match=r"^frame 00000005\.jpg: a JPEG that is cut short"):
        SUPERVISED.run(found, told(lambda s, f: walk(8)[f]), tmp_path / "out", lambda done: None)
    assert not (tmp_path / "out").exists() and not SUPERVISED.is_done(found, tmp_path / "out")
