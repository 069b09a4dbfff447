from pathlib import Path

import numpy as np
import pytest
import single_object_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from test_single_object_scores import rows, vot_files

from evaluation.single_object import vot
from evaluation.single_object.protocols import protocol_scores
from evaluation.single_object.vot_figures import UNASSIGNED, supervised_by_attribute
from evaluation.single_object.vot_runs import VotRun, VotRuns
from vis_pipeline.cli.app import main
from vis_pipeline.errors import DataError


def made_runs(generator: np.random.Generator, sequences: int) -> list[VotRuns]:
    measured = []
    for _ in range(sequences):
        frames = int(generator.integers(2, 60))
        runs = []
        for _ in range(2):
            made = oracle.supervised(generator, oracle.walk(generator, frames, (90, 90)), 0.06)
            codes = np.array([int(row[0]) if len(row) == 1 else -1 for row in made])
            runs.append(VotRun(codes, np.where(codes == -1, generator.random(frames), 0), None))
        tags = {name: generator.random(frames) < 0.4 for name in ("motion", "occlusion") if generator.random() < 0.8}
        measured.append(VotRuns(tuple(runs), tags))
    return measured


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_figures_by_attribute_are_those_of_the_oracle(seed: int, count: int) -> None:
    measured = made_runs(np.random.default_rng(seed), count)
    names = {name for runs in measured for name in runs.tags}
    found = supervised_by_attribute(measured, (3, 25))
    assert found.keys() == ({*names, UNASSIGNED} if names else set())
    for name, figures in found.items():
        expected = oracle.by_attribute(
            [
                (
                    [(run.codes.tolist(), run.overlaps.tolist()) for run in runs.runs],
                    [
                        (not any(tag[frame] for tag in runs.tags.values()))
                        if name == UNASSIGNED
                        else name in runs.tags and bool(runs.tags[name][frame])
                        for frame in range(runs.frames)
                    ],
                )
                for runs in measured
            ],
            3,
            25,
        )
        assert figures == pytest.approx(expected, nan_ok=True)


def test_without_attributes_there_are_no_figures_of_them() -> None:
    (runs,) = made_runs(np.random.default_rng(2), 1)
    assert supervised_by_attribute([VotRuns(runs.runs, {})], (3, 25)) == {}


def test_speed_counts_what_was_tracked_and_needs_the_times_of_all_runs(tmp_path: Path) -> None:
    truth, results = vot_files(tmp_path)
    assert "frames/s" not in protocol_scores("vot2018", results, truth).overall
    tracked = 0
    for path in sorted(results.glob("baseline/*/*.txt")):
        lines = path.read_text().splitlines()
        tracked += sum("," in line or line == "2" for line in lines)
        # A start takes long, and does not count.
        seconds = ["" if line == "0" else "9" if line == "1" else "0.02" for line in lines]
        path.with_name(f"{path.stem}_time.value").write_text("\n".join(seconds) + "\n")
    assert tracked > 300
    scores = protocol_scores("vot2018", results, truth)
    assert scores.overall["frames/s"] == pytest.approx(50)
    assert scores.sequences["bag"]["frames/s"] == pytest.approx(50)
    (results / "baseline/bag/bag_002_time.value").write_text("0.1\nx\n")
    with pytest.raises(DataError, match=r"bag_002_time\.value: is not seconds"):
        protocol_scores("vot2018", results, truth, ["bag"])


def test_the_command_shows_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, results = vot_files(tmp_path)
    (truth / "bag/occlusion.tag").write_text("0\n" * 20 + "1\n" * 40)
    (truth / "ball/size_change.label").write_text("1\n" * 30)  # shorter than the sequence: the rest has it not
    monkeypatch.setattr("sys.argv", ["vis-pipeline", "sot-scores", "vot2018", str(results), "--gt", str(truth)])
    main_without_exit()
    said = capsys.readouterr().out
    numbers = {
        line.split("  ")[0].strip(): line.split() for line in said[said.index("attribute") :].splitlines() if line
    }
    assert numbers["occlusion"][1] == "40" and numbers["size_change"][1] == "30"
    assert numbers[UNASSIGNED][3] == str(60 + 150 - 70)


def main_without_exit() -> None:
    with pytest.raises(SystemExit) as left:
        main()
    assert not left.value.code


@pytest.mark.parametrize(
    ("codes", "says"),
    [([-1, -1], "frame 1 must be a start"), ([1, -1, 1], "frame 3: code 1"), ([1, 2, -1], "frame 2: code 2")],
)
def test_a_run_without_resets_starts_once(codes: list[int], says: str) -> None:
    with pytest.raises(DataError, match=says):
        vot.require_one_start(np.array(codes))


def unsupervised_files(root: Path) -> tuple[Path, Path]:
    truth, results = vot_files(root)
    generator = np.random.default_rng(8)
    for name, frames in (("bag", 60), ("ball", 150)):
        boxes = oracle.walk(generator, frames, (160, 120)) + generator.normal(0, 20, (frames, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], 3)
        rows(results / f"unsupervised/{name}/{name}_001.txt", [[1], *boxes[1:]])
    return truth, results


def test_accuracy_without_resets_is_weighted_by_frames(tmp_path: Path) -> None:
    truth, results = unsupervised_files(tmp_path)
    scores = protocol_scores("vot-unsupervised", results, truth)
    for name in ("accuracy", "AO"):
        parts = [scores.sequences[sequence][name] * frames for sequence, frames in (("bag", 60), ("ball", 150))]
        assert scores.overall[name] == pytest.approx(sum(parts) / 210) and scores.overall[name] > 0
