"""`bench ablation` and `bench tune` as a user runs them."""

import csv
import json
from pathlib import Path

import pytest

from vis_pipeline.bench.workload import given_workload

pytestmark = pytest.mark.usefixtures("without_ray")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("comparison")


@pytest.fixture
def given(command, folder: Path) -> list[object]:
    """A split with one short video."""
    split = folder / "split/instances.json"
    if not split.exists():
        assert command("synth", "--seed", 31500, "--videos", 1, "--out", folder / "split")[0] == 0
    return ["--split", split, "--frames", folder / "split/JPEGImages"]


@pytest.mark.slow
def test_variants_on_detections_drawn_from_the_true_masks(command, folder: Path, given: list[object]) -> None:
    code, out, err = command(
        "bench", "ablation", "--out", folder / "drawn", *given, "--drop", 0.4, "--variants", "none,two-stage",
        "--variant", "strict:tracking.min_detections=30", "--workers", 1, "--device", "cpu",
        "--json", folder / "figures.json",
    )  # fmt: skip
    assert code == 0, err
    for column in ("AP", "IDF1", "HOTA", "AssA", "IDSW", "tracks", "reborn", "stray", "searched", "frames/s"):
        assert column in out
    summaries = json.loads((folder / "figures.json").read_text())
    assert [summary["variant"] for summary in summaries] == ["none", "two-stage", "strict"]
    none, two, strict = (summary["mean"] for summary in summaries)
    # Three of five masks are detected; SiamMask fills some of the gaps, and nobody has 30 detections in 24 frames.
    assert 0.4 < none["idf1"] < two["idf1"] < 1
    assert two["stray"] < 0.1
    assert none["searched"] == pytest.approx(two["searched"], rel=0.5)
    assert strict["births"] == strict["tracks_per_object"] == 0
    assert 0 <= two["rebirths"] < two["births"]


@pytest.mark.slow
def test_perfect_detections_recorded_are_linked_almost_perfectly(command, folder: Path, given: list[object]) -> None:
    arguments = ["bench", "ablation", *given, "--variants", "none", "--workers", 1, "--device", "cpu"]
    assert command(*arguments, "--out", folder / "all", "--drop", 0)[0] == 0
    recorded = ["--detections", folder / "all/kept_detections.json", "--json", folder / "recorded.json"]
    code, _, err = command(*arguments, "--out", folder / "again", *recorded)
    assert code == 0, err
    (summary,) = json.loads((folder / "recorded.json").read_text())
    assert summary["mean"]["idf1"] > 0.9
    assert summary["mean"]["tracks_per_object"] == pytest.approx(1, abs=0.4)
    (workload,) = summary["workloads"]
    assert workload == {"folder": str(folder / "again"), **summary["mean"]}
    assert set(summary["deviation"].values()) == {0}


@pytest.mark.slow
def test_several_seeds_have_a_table_each_and_one_of_the_means(command, folder: Path, given: list[object]) -> None:
    code, out, err = command(
        "bench", "ablation", "--out", folder / "seeds", *given, "--seed", 1, "--seed", 2, "--drop", 0.4, "--variants",
        "none", "--workers", 1, "--device", "cpu", "--json", folder / "seeds.json",
    )  # fmt: skip
    assert code == 0, err
    assert out.count("reborn") == 3
    assert "mean, standard deviation" in out
    (summary,) = json.loads((folder / "seeds.json").read_text())
    first, second = summary["workloads"]
    assert [first["folder"], second["folder"]] == [str(folder / "seeds/1"), str(folder / "seeds/2")]
    assert first["idf1"] != second["idf1"]
    for name in ("ap", "idf1", "assa", "switches", "rebirths", "births"):
        assert summary["mean"][name] == pytest.approx((first[name] + second[name]) / 2)
        assert summary["deviation"][name] == pytest.approx(abs(first[name] - second[name]) / 2**0.5)
        assert {summary["least"][name], summary["most"][name]} == {first[name], second[name]}
    kept = [(folder / f"seeds/{number}/kept_detections.json").read_text() for number in (1, 2)]
    assert kept[0] != kept[1]


@pytest.mark.slow
def test_a_search_keeps_its_table_and_is_taken_up(command, folder: Path, given: list[object]) -> None:
    ablation = ["bench", "ablation", "--out", folder / "work", *given, "--variants", "none", "--workers", 1]
    assert command(*ablation, "--device", "cpu")[0] == 0
    tune = [
        "bench", "tune", "--on", folder / "work", "--out", folder / "search", "--cfg-options", "tracker=last_mask",
        "--search", "tracking.min_detections=2:9", "--search", "tracking.motion.momentum=0.2:0.9", "--workers", 1,
        "--device", "cpu",
    ]  # fmt: skip
    code, out, err = command(*tune, "--trials", 1)
    assert code == 0, err
    assert "trial 0" in out and "the config's own" in out
    code, out, err = command(*tune, "--trials", 2)
    assert code == 0, err
    assert "trial 1" in out and "trial 0" not in out
    with (folder / "search/trials.csv").open() as file:
        table = list(csv.DictReader(file))
    assert sorted(int(row["trial"]) for row in table) == [0, 1]
    scores = [float(row["score"]) for row in table]
    assert scores == sorted(scores, reverse=True)
    own = next(row for row in table if row["trial"] == "0")
    assert (own["tracking.min_detections"], own["tracking.motion.momentum"]) == ("3", "0.8")
    for row in table:
        assert 0.2 <= float(row["tracking.motion.momentum"]) <= 0.9
        mean = sum(float(row[f"{name}_1"]) for name in ("ap", "idf1", "hota")) / 3
        assert float(row["score"]) == pytest.approx(mean)
    assert sorted(path.name for path in (folder / "search").iterdir() if not path.name.endswith(".lock")) == [
        "trials.csv", "trials.journal",
    ]  # fmt: skip
    code, _, err = command(*tune, "--trials", 3, "--cfg-options", "tracking.match_iou=0.5")
    assert code == 2
    assert "holds a search with another config, other choices or other workloads" in err


SPLIT = ["--split", "s.json", "--frames", "f"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ablation", "--split", "s.json"], "--split and --frames go together"),
        (["ablation", "--jitter", "0.1"], "--detections, --runs, --jitter and --false-positives need a --split"),
        (["ablation", *SPLIT, "--detections", "d", "--drop", "0.1"], "do nothing to recorded --detections"),
        (["ablation", *SPLIT, "--detections", "d", "--seed", "1"], "do nothing to recorded --detections"),
        (["ablation", *SPLIT, *SPLIT, "--seed", "1", "--seed", "2", "--seed", "3"], "--split is given 2 times"),
        (["ablation", *SPLIT, *SPLIT, "--detections", "d"], "--detections is given 1 times, --split 2 times"),
        (["ablation", *SPLIT, "--videos", "3"], "--videos is how many are drawn"),
        (["ablation", "--variant", "a:b=1", "--variant", "a:b=2"], "--variant a: is given twice"),
        (["ablation", "--variant", "none:tracker=last_mask"], "variant 'none': is there twice"),
        (["ablation", "--variants", "three-stage"], "variant 'three-stage': is none of none, one-stage, two-stage"),
        (["ablation", "--variants", ""], "--variants: names none, and there is no --variant"),
        (["ablation", "--variant", "x"], "--variant x: expected NAME:KEY=VALUE"),
        (["ablation", "--variant", "x:tracking.mach_iou=1"], "did you mean 'match_iou'"),
        (["ablation", *SPLIT, "--runs", "6-1"], "--runs 6-1: not two numbers of frames"),
        (["ablation", *SPLIT], "split s.json: "),
        (["tune", "--on", "nowhere", "--search", "a=1:2"], "workload nowhere: no workload.json"),
        (["tune", "--on", "nowhere", "--search", "a"], "--search a: expected KEY=LOW:HIGH or KEY=A,B,C"),
    ],
)
def test_a_fault_is_one_line(command, tmp_path: Path, arguments: list[str], message: str) -> None:
    code, _, err = command("bench", *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert message in err


def test_recorded_detections_are_a_file_here(command, folder: Path, given: list[object], tmp_path: Path) -> None:
    code, _, err = command("bench", "ablation", *given, "--detections", tmp_path, "--out", tmp_path / "out")
    assert (code, len(err.splitlines())) == (2, 1) and "give the detections.json of a run" in err


def test_choices_are_checked_before_anything_is_tracked(command, folder: Path, given: list[object]) -> None:
    work = folder / "checked"
    recorded = folder / "none.json"
    recorded.write_text("[]")
    given_workload(folder / "split/instances.json", folder / "split/JPEGImages", recorded, work)
    for choice, message in {
        "tracking.mach_iou=0.1:0.5": "did you mean 'match_iou'",
        "tracking.match_iou=0.1:2": "tracking.match_iou = 2",
        "tracking.min_detections=5:9": "leaves out the setting's own value, 3",
        "tracking.kept_mask=tracker,better_scored": "leaves out the setting's own value, detector",
    }.items():
        code, _, err = command("bench", "tune", "--on", work, "--search", choice, "--out", folder / "never")
        assert code == 2
        assert message in err
    assert not (folder / "never").exists()
    (folder / "file").write_text("")
    search = ["--search", "tracking.min_detections=2:9"]
    code, _, err = command("bench", "tune", "--on", work, *search, "--out", folder / "file")
    assert (code, len(err.splitlines())) == (2, 1) and "cannot be written" in err


def test_a_folder_that_holds_another_comparison_is_left_as_it_is(command, folder: Path, given: list[object]) -> None:
    out = folder / "taken"
    recorded = folder / "nothing.json"
    recorded.write_text("[]")
    given_workload(folder / "split/instances.json", folder / "split/JPEGImages", recorded, out)
    before = (out / "workload.json").read_text()
    code, _, err = command("bench", "ablation", *given, "--out", out)
    assert code == 2
    assert "holds a comparison on another split or other detections; give a new folder" in err
    assert (out / "workload.json").read_text() == before
    assert not (out / "kept_detections.json").exists()
