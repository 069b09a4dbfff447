"""`bench tune-sot`'s search; in place of a network, a follower that is the better the nearer a setting is to 0.2."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vis_pipeline.bench.follower_tuning import FollowerSearch, TuningSet
from vis_pipeline.bench.search import Between, Choice, OneOf
from vis_pipeline.errors import ConfigError, DataError
from vis_pipeline.protocols.benchmark import Trackers
from vis_pipeline.protocols.registry import registered
from vis_pipeline.protocols.spread import SequenceWorker, SequenceWorkerFactory
from vis_pipeline.runs.parallel import RaySettings
from vis_pipeline.runs.progress import ProgressBar
from vis_pipeline.structures.frames import Frame
from vis_pipeline.trackers.followers import FollowerSettings
from vis_pipeline.trackers.single_object import ObjectInFrame

FOLLOWERS = FollowerSettings(weights="bundled:siammask_small")
SPACE: dict[str, Choice] = {"penalty_k": Between(0.0, 0.4), "size_rate": OneOf(("1.0", "0.5"))}


def likes_a_fifth(self: SequenceWorkerFactory[Any]) -> SequenceWorker[Any]:
    settings = self.followers.settings()

    def follow(frames: Iterable[Frame], box: NDArray[np.float64]) -> Iterator[ObjectInFrame]:
        for frame in frames:
            shift = 40 * abs(settings.penalty_k - 0.2) + 4 * settings.size_rate
            yield ObjectInFrame(frame, box + np.array([shift, 0, 0, 0]), 0.9, None, np.zeros((4, 2)))

    return SequenceWorker(self.benchmark, Trackers(follow, None, self.boxes), self.results)


@pytest.fixture
def tuned_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuningSet:
    monkeypatch.setattr(SequenceWorkerFactory, "__call__", likes_a_fifth)
    for name in ("A", "B"):
        (tmp_path / "data" / name / "img").mkdir(parents=True)
        for number in range(1, 5):
            cv2.imwrite(str(tmp_path / "data" / name / "img" / f"{number}.png"), np.zeros((40, 60, 3), np.uint8))
        (tmp_path / "data" / name / "groundtruth_rect.txt").write_text("5,5,30,20\n" * 4)
    data = tmp_path / "data"
    return TuningSet("otb", data, registered("otb").benchmark.listing(data, None).found, "state")


def search(tuned_on: TuningSet, out: Path, trials: int, space: dict[str, Choice] = SPACE) -> list[Any]:
    with ProgressBar() as progress:
        tried = FollowerSearch(FOLLOWERS, space, tuned_on, 0, out)
        return list(tried.run(trials, "cpu", RaySettings(), progress))


def test_a_search_begins_with_the_presets_own_keeps_its_table_and_is_taken_up(
    tuned_on: TuningSet, tmp_path: Path
) -> None:
    out = tmp_path / "search"
    (own,) = search(tuned_on, out, 1)
    assert own.overrides == {}
    others = search(tuned_on, out, 9)
    assert len(others) == 8 and all(set(trial.overrides) == set(SPACE) for trial in others)
    table = list(csv.DictReader((out / "trials.csv").open()))
    assert len(table) == 9
    scores = [float(row["score"]) for row in table]
    assert scores == sorted(scores, reverse=True) and scores[0] > own.score
    assert abs(float(table[0]["penalty_k"]) - 0.2) < 0.1 and table[0]["size_rate"] == "0.5"
    assert table[0]["AUC"] == table[0]["score"]
    assert [(row["penalty_k"], row["size_rate"]) for row in table if row["trial"] == "0"] == [("0.04", "1.0")]
    assert sorted(path.name for path in out.iterdir()) == ["trials.csv", "trials.journal"]
    with pytest.raises(ConfigError, match="holds a search with another weights, other settings or other sequences"):
        search(tuned_on, out, 10, {"penalty_k": Between(0.0, 0.5)})
    assert not search(tuned_on, out, 9)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"stages": OneOf(("1", "2"))}, "--search stages: not one of mask_threshold, penalty_k"),
        ({"size_rate": Between(0.5, 2)}, "size_rate = '2'"),
        ({"penalty_k": Between(0.1, 0.4)}, "leaves out the setting's own value, 0.04"),
    ],
)
def test_what_cannot_be_searched(tuned_on: TuningSet, tmp_path: Path, space: dict[str, Choice], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        search(tuned_on, tmp_path / "search", 1, space)
    assert not (tmp_path / "search").exists()


def test_a_sequence_that_spoils_a_trial_is_named(tuned_on: TuningSet, tmp_path: Path) -> None:
    image = tuned_on.data / "B/img/3.png"
    image.write_bytes(b"")
    with pytest.raises(DataError, match=r"sequence B: frame 3\.png: .*; tune without it, by --sequences"):
        search(tuned_on, tmp_path / "search", 1)
    assert [path.name for path in (tmp_path / "search").iterdir()] == ["trials.journal"]
    (tuned_on.data / "B/groundtruth_rect.txt").write_text("5,5,30,20\n" * 3 + "5,5,0,20\n")
    cv2.imwrite(str(image), np.zeros((40, 60, 3), np.uint8))
    with pytest.raises(DataError, match=r"sequence B: .*line 4: the true box has NaN or no area; tune without it"):
        search(tuned_on, tmp_path / "search", 1)


def test_without_truth_nothing_is_tuned(tuned_on: TuningSet, tmp_path: Path) -> None:
    data = tmp_path / "test"
    for name in ("A", "B"):
        (tuned_on.data / name / "img").rename(tuned_on.data / name / "images")
        (data / name).mkdir(parents=True)
        for image in (tuned_on.data / name / "images").iterdir():
            image.rename(data / name / image.name)
        (data / name / "groundtruth.txt").write_text("5,5,30,20\n")
    listed = registered("got10k").benchmark.listing(data, None).found
    with pytest.raises(DataError, match="has no ground truth to tune on"):
        search(TuningSet("got10k", data, listed, "state"), tmp_path / "search", 1)
