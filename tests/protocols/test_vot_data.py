"""Data sets in VOT's form: what is written is what the runner and the toolkit read."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.single_object.vot_folders import frame_tags, image_files, image_size, true_regions, truth_files
from vis_pipeline.cli.app import main
from vis_pipeline.data.vot import longest_run
from vis_pipeline.errors import DataError
from vis_pipeline.masks.quadrilaterals import polygon_area, quadrilateral_iou
from vis_pipeline.masks.rotated_boxes import minimum_area_box, rectangle_around
from vis_pipeline.protocols.vot.from_masks import write_from_masks
from vis_pipeline.synthesis.procedural import NORMAL, generate_video
from vis_pipeline.synthesis.procedural.vot_sequences import write_vot_sequences


@settings(max_examples=60)
@given(st.lists(st.booleans(), max_size=12))
def test_the_longest_run_is_that_of_all_runs(shown: list[bool]) -> None:
    runs = [(a, b) for a in range(len(shown)) for b in range(a + 1, len(shown) + 1) if all(shown[a:b])]
    length = max((b - a for a, b in runs), default=0)
    expected = next((run for run in sorted(runs) if run[1] - run[0] == length), (0, 0))
    found = longest_run(np.array(shown, dtype=bool))
    assert (found.start, found.stop) == expected


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=3, max_size=9, unique=True))
def test_the_rectangle_of_least_area_is_the_smallest_of_all_turns(points: list[tuple[int, int]]) -> None:
    given_points = np.array(points, dtype=np.float32)
    box = rectangle_around(given_points)
    for turn in np.linspace(0, np.pi / 2, 400):
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        assert polygon_area(box) <= np.ptp(given_points @ axes.T, axis=0).prod() + 1e-3
    sides = box[1] - box[0], box[3] - box[0]
    for side in sides:
        if np.hypot(*side) > 0:
            along = (given_points - box[0]) @ (side / np.hypot(*side))
            assert along.min() == pytest.approx(0, abs=1e-3) and along.max() == pytest.approx(np.hypot(*side), abs=1e-3)


def test_drawn_sequences_have_the_boxes_of_their_outlines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "drawn"
    asked = ["synth-vot", "--seed", "20000", "--videos", "1", "--frames", str(NORMAL.length), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["vis-pipeline", *asked])
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code
    (name,) = truth_files(out)
    folder = out / name
    truth = true_regions(folder / "groundtruth.txt")
    assert len(image_files(folder)) == len(truth.rows) and image_size(folder) == (NORMAL.width, NORMAL.height)
    video = generate_video(20000, 0)
    occluded = frame_tags(folder, len(truth.rows))["occlusion"]
    # The object by its boxes, in the frames that the sequence has.
    rows = np.stack(truth.rows).reshape(-1, 4, 2)
    count = len(rows)
    ((track, start),) = [
        (track, start)
        for track in range(len(video.boxes))
        for start in range(NORMAL.length - count + 1)
        if np.allclose(video.boxes[track, start : start + count], rows, atol=1e-4)
    ]
    assert np.array_equal(occluded, video.visible_fractions[track, start : start + count] < 0.6)
    assert not occluded[0] and video.in_frame[track, start : start + count].all()
    whole = 0
    for row, frame in zip(rows, range(start, start + count), strict=True):
        if video.visible_fractions[track, frame] < 0.99:
            continue
        # The mask says the same, to a pixel.
        whole += 1
        box = minimum_area_box(video.masks[track, frame]) - 0.5
        turned = quadrilateral_iou(row, box) > 0.85
        assert turned or abs(polygon_area(row) / polygon_area(box) - 1) < 0.15
    assert whole > 3
    first = cv2.imread(str(image_files(folder)[0])).astype(int)
    assert np.abs(first - video.frames[start]).mean() < 4
    with pytest.raises(DataError, match="is not empty"):
        write_vot_sequences(out, 20000, 1, NORMAL)


def davis(root: Path, name: str, masks: list[np.ndarray], frames: int | None = None) -> None:
    for folder, count in (("frames", len(masks) if frames is None else frames), ("masks", len(masks))):
        (root / folder / name).mkdir(parents=True)
        for index in range(count):
            image = np.full((*masks[0].shape, 3), 40 * index, np.uint8) if folder == "frames" else masks[index]
            suffix = "jpg" if folder == "frames" else "png"
            assert cv2.imwrite(str(root / folder / name / f"{index:05}.{suffix}"), image)


def test_videos_with_masks_become_sequences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = np.zeros((20, 30), np.uint8)
    shown = empty.copy()
    shown[5:12, 6:20] = 255
    davis(tmp_path, "good", [shown, empty, shown, shown, shown, empty])
    # Void beside an object is none of it.
    several = np.zeros((20, 30), np.uint8)
    several[5:12, 6:20] = 1
    several[0:3] = 255
    davis(tmp_path, "void", [several, np.where(several == 255, several, 0).astype(np.uint8)])
    davis(tmp_path, "absent", [empty, empty])
    davis(tmp_path, "short", [shown, shown], frames=1)
    out = tmp_path / "vot"
    given = ["--frames", str(tmp_path / "frames"), "--masks", str(tmp_path / "masks"), "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["vis-pipeline", "to-vot", *given])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    errors = capsys.readouterr().err
    assert "sequence absent:" in errors and "no mask has an object" in errors
    assert "sequence short: 1 frames in" in errors and "2 sequences are left out" in errors
    assert list(truth_files(out)) == ["good", "void"]
    rows = true_regions(out / "good/groundtruth.txt").rows
    assert len(rows) == 3 == len(image_files(out / "good"))
    for row in rows:
        assert sorted(map(tuple, row.reshape(4, 2))) == [(5.5, 4.5), (5.5, 11.5), (19.5, 4.5), (19.5, 11.5)]
    assert image_files(out / "good")[0].read_bytes() == (tmp_path / "frames/good/00002.jpg").read_bytes()
    (row,) = true_regions(out / "void/groundtruth.txt").rows
    assert row.reshape(4, 2)[:, 1].min() == 4.5


def test_the_truth_may_be_the_rectangle_that_overlaps_best(tmp_path: Path) -> None:
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 10:40] = 255
    mask[18:20, 40:55] = 255  # an arm, which only the rectangle around it all goes along
    davis(tmp_path, "arm", [mask])
    ends = {}
    for truth in ("mbr", "opt"):
        write_from_masks(tmp_path / "frames", tmp_path / "masks", ["arm"], tmp_path / truth, truth)  # type: ignore
        (row,) = true_regions(tmp_path / truth / "arm/groundtruth.txt").rows
        ends[truth] = row.reshape(4, 2)[:, 0].max()
    assert ends["mbr"] == 54.5 and ends["opt"] == pytest.approx(39.5, abs=0.6)


def test_masks_of_nothing_are_an_error(tmp_path: Path) -> None:
    davis(tmp_path, "absent", [np.zeros((20, 30), np.uint8)])
    with pytest.raises(DataError, match="none of 1 sequences can be written; absent:"):
        write_from_masks(tmp_path / "frames", tmp_path / "masks", ["absent"], tmp_path / "out", "mbr")
