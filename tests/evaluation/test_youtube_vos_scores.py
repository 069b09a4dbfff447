"""YouTube-VOS's figures against a plain count, and what cannot be scored in one line."""

import json
from pathlib import Path
from typing import Any

import davis_oracle
import numpy as np
import pytest
from typer.testing import CliRunner

from evaluation.youtube_vos_folders import folder_scores, has_truth, seen_classes
from vis_pipeline.cli.app import app
from vis_pipeline.errors import DataError
from vis_pipeline.files.palette_images import palette_png

HEIGHT, WIDTH = 24, 32
FRAMES = ("00000", "00005", "00010", "00015", "00020")


def maps(seed: int, numbers: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Rectangles that shake; now and then one is missing."""
    rng = np.random.default_rng(seed)
    found = {}
    for index, frame in enumerate(FRAMES):
        labels = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, number in enumerate(numbers):
            if rng.random() < 0.85 or index == 0:
                top, left = 2 + rng.integers(0, 8), 2 + 10 * place + rng.integers(0, 3)
                labels[top : top + 9, left : left + 8] = number
        found[frame] = labels
    return found


def write(folder: Path, labels: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for name, values in labels.items():
        (folder / f"{name}.png").write_bytes(palette_png(values))


OBJECTS: dict[str, dict[int, tuple[str, tuple[str, ...]]]] = {
    "0a": {1: ("cat", FRAMES), 4: ("dog", FRAMES[1:4])},
    "1b": {2: ("ant", FRAMES[:4]), 3: ("cat", FRAMES), 9: ("ant", FRAMES[3:])},
    # Begins in the last frame: none of it counts.
    "2c": {5: ("dog", FRAMES), 6: ("dog", FRAMES[4:])},
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Results, as a zip for the server has them, and a set with truth; the truth of 1b lacks one frame."""
    truth, results = tmp_path / "train", tmp_path / "results"
    meta: dict[str, Any] = {}
    for seed, (video, objects) in enumerate(OBJECTS.items()):
        write(truth / "Annotations" / video, maps(seed, tuple(objects)))
        write(results / "Annotations" / video, maps(100 + seed, tuple(objects)))
        meta[video] = {
            "objects": {
                str(number): {"category": category, "frames": list(frames)}
                for number, (category, frames) in objects.items()
            }
        }
    (truth / "Annotations/1b/00010.png").unlink()
    (truth / "meta.json").write_text(json.dumps({"videos": meta}))
    return results, truth


def counted(seed: int, video: str, number: int, frames: tuple[str, ...], lacking: tuple[str, ...]) -> list[list[float]]:
    """J and F of each frame from the one after the first to the last, by the definition."""
    numbers = tuple(OBJECTS[video])
    true, predicted = maps(seed, numbers), maps(100 + seed, numbers)
    pairs = [
        (predicted[frame] == number, true[frame] == number)
        for frame in FRAMES
        if frames[0] < frame <= frames[-1] and frame not in lacking
    ]
    return [[measure(*pair) for pair in pairs] for measure in (davis_oracle.jaccard, davis_oracle.f_measure)]


def plain_figures(seen: set[str]) -> dict[str, float]:
    by_group: dict[str, list[float]] = {}
    for seed, (video, objects) in enumerate(OBJECTS.items()):
        for number, (category, frames) in objects.items():
            lacking = ("00010",) if video == "1b" else ()
            for name, values in zip("JF", counted(seed, video, number, frames, lacking), strict=True):
                if values:
                    key = f"{name} {'seen' if category in seen else 'unseen'}"
                    by_group.setdefault(key, []).append(sum(values) / len(values))
    figures = {key: sum(values) / len(values) for key, values in by_group.items()}
    return {"overall": sum(figures.values()) / len(figures), **figures}


@pytest.mark.parametrize("seen", [{"cat"}, {"cat", "dog"}, {"cat", "dog", "ant"}])
def test_figures_are_the_plain_counts(seen: set[str], folders: tuple[Path, Path]) -> None:
    scores = folder_scores(*folders, seen=frozenset(seen))
    assert scores.figures == pytest.approx(plain_figures(seen), abs=1e-12)
    assert not scores.left_out
    assert [(entry.number, entry.frames) for entry in scores.videos["1b"]] == [(2, 2), (3, 3), (9, 1)]
    assert [entry.number for entry in scores.videos["2c"]] == [5]


def test_nobody_says_which_classes_are_seen(folders: tuple[Path, Path]) -> None:
    scores = folder_scores(*folders)
    objects = [entry for entries in scores.videos.values() for entry in entries]
    assert set(scores.figures) == {"overall", "J all", "F all"}
    assert pytest.approx(np.mean([entry.J for entry in objects])) == scores.groups["all"].J


def test_without_listed_frames_an_object_begins_where_it_first_shows(folders: tuple[Path, Path]) -> None:
    results, truth = folders
    content = json.loads((truth / "meta.json").read_text())
    for entry in content["videos"].values():
        for listed in entry["objects"].values():
            del listed["frames"]
    (truth / "meta.json").write_text(json.dumps(content))
    late = {frame: labels * (labels != 4) for frame, labels in maps(0, (1, 4)).items()}
    shown = next(index for index in range(2, 5) if (maps(0, (1, 4))[FRAMES[index]] == 4).any())
    for frame in FRAMES[shown:]:
        late[frame] = maps(0, (1, 4))[frame]
    for frame, labels in late.items():
        (truth / f"Annotations/0a/{frame}.png").write_bytes(palette_png(labels))
    assert [entry.frames for entry in folder_scores(results, truth).videos["0a"]] == [4, 4 - shown]


def test_frames_that_do_not_count_need_no_result(folders: tuple[Path, Path]) -> None:
    results, truth = folders
    before = folder_scores(*folders)
    (results / "Annotations/0a/00000.png").unlink()
    (results / "Annotations/1b/00010.png").unlink()
    assert folder_scores(results, truth) == before


def test_the_first_masks_alone_are_no_truth(folders: tuple[Path, Path]) -> None:
    _, truth = folders
    assert has_truth(truth)
    for video, objects in OBJECTS.items():
        begins = {frames[0] for _, frames in objects.values()}
        for path in (truth / "Annotations" / video).iterdir():
            if path.stem not in begins:
                path.unlink()
    assert not has_truth(truth)


def test_what_cannot_be_scored_is_named_and_the_rest_is_scored(folders: tuple[Path, Path], tmp_path: Path) -> None:
    results, truth = folders
    (results / "Annotations/0a/00005.png").unlink()
    (results / "Annotations/2c/00010.png").write_bytes(palette_png(np.zeros((HEIGHT, 8), np.uint8)))
    (results / "Annotations/1b/00005.png").write_bytes(palette_png(np.full((HEIGHT, WIDTH), 200, np.uint8)))
    with pytest.raises(DataError, match=r"none of 4 videos can be scored; 0a: mask .*00005\.png: cannot be read"):
        folder_scores(results, truth, [*OBJECTS, "gone"])
    (results / "Annotations/2c/00010.png").write_bytes(palette_png(maps(102, (5, 6))["00010"]))
    scores = folder_scores(results, truth, [*OBJECTS, "gone"])
    assert list(scores.videos) == ["2c"]
    said = {
        name: reason.replace(str(results), "R").replace(str(truth), "T") for name, reason in scores.left_out.items()
    }
    assert said == {
        "0a": "mask R/Annotations/0a/00005.png: cannot be read (No such file or directory)",
        "1b": "mask R/Annotations/1b/00005.png: holds object 200, which meta.json lacks",
        "gone": "T/meta.json has no video of that name",
    }
    (results / "Annotations/2c/00010.png").write_bytes(palette_png(np.zeros((HEIGHT, 8), np.uint8)))
    with pytest.raises(DataError, match=r"2c: mask .*00010\.png: is 8x24, the true mask is 32x24"):
        folder_scores(results, truth, ["2c"])


def test_the_command_prints_and_writes_what_was_scored(folders: tuple[Path, Path], tmp_path: Path) -> None:
    results, truth = folders
    (tmp_path / "seen.txt").write_text("cat\ndog\n")
    assert seen_classes(tmp_path / "seen.txt") == {"cat", "dog"}
    assert seen_classes(truth / "meta.json") == {"ant", "cat", "dog"}
    out = tmp_path / "scores.json"
    command = ["vos-scores", str(results), "--gt", str(truth), "--seen", str(tmp_path / "seen.txt"), "--json", str(out)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    scores = folder_scores(results, truth, seen=frozenset({"cat", "dog"}))
    assert json.loads(out.read_text()) == json.loads(json.dumps(scores.to_json()))
    assert f"{scores.overall:.3f}" in done.output and "unseen classes" in done.output
    (results / "Annotations/0a/00005.png").unlink()
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, DataError) and "1 of 3 videos are not scored" in str(done.exception)
