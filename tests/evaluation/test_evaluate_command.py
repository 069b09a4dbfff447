import json
import zipfile

import pytest
import typer
from pycocotools import mask as coco_mask
from typer.testing import CliRunner

from vis_pipeline.cli import evaluate as command
from vis_pipeline.errors import DataError

BOX = [[2, 2, 8, 2, 8, 8, 2, 8]]
UNCOMPRESSED = {"size": [10, 10], "counts": [22, 6, 4, 6, 4, 6, 4, 6, 4, 6, 4, 6, 22]}
COMPRESSED = {"size": [10, 10], "counts": coco_mask.frPyObjects(UNCOMPRESSED, 10, 10)["counts"].decode()}


def ground_truth(**changes):
    return {
        "videos": [{"id": 5, "width": 10, "height": 10, "length": 2, "file_names": ["a/0.jpg", "a/1.jpg"]}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": 1, "video_id": 5, "category_id": 1, "iscrowd": 0, "segmentations": [UNCOMPRESSED, None]}
        ],
        **changes,
    }


def track(**changes):
    return {"video_id": 5, "category_id": 1, "score": 0.5, "segmentations": [COMPRESSED, None], **changes}


@pytest.fixture
def evaluate(tmp_path):
    app = typer.Typer(pretty_exceptions_enable=False)
    command.register(app)

    def run(results, truth=None):
        """Exit code, terminal text and scores; user errors are raised."""
        path = results
        if not hasattr(results, "exists"):
            path = tmp_path / "results.json"
            path.write_text(results if isinstance(results, str) else json.dumps(results))
        (tmp_path / "gt.json").write_text(json.dumps(truth or ground_truth()))
        scores = tmp_path / "scores.json"
        arguments = [str(path), "--gt", str(tmp_path / "gt.json"), "--json", str(scores)]
        outcome = CliRunner().invoke(app, arguments)
        if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
            raise outcome.exception
        return outcome.exit_code, outcome.output, json.loads(scores.read_text())

    return run


def test_writes_exactly_the_promised_json_and_prints_a_table(evaluate):
    code, text, scores = evaluate([track()])
    assert code == 0
    ones = {"AP", "AP50", "AP75", "APs", "AR1", "AR10", "AR100", "ARs"}
    names = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    assert list(scores) == [*names, "per_category", "categories"]
    assert [list(entry) for entry in scores["categories"]] == [[*names, "id", "name"]] * 2
    assert {name: scores[name] for name in names} == {n: pytest.approx(1.0) if n in ones else -1 for n in names}
    assert scores["per_category"] == {"cat": pytest.approx(1.0), "dog": None}
    assert all(name in text for name in [*names, "cat", "dog", "1.000", "no ground truth"])


@pytest.mark.parametrize("segmentation", [UNCOMPRESSED, COMPRESSED, BOX], ids=["uncompressed", "compressed", "polygon"])
def test_every_form_of_ground_truth_mask_is_scored(evaluate, segmentation):
    truth = ground_truth()
    truth["annotations"][0]["segmentations"] = [segmentation, None]
    assert evaluate([track()], truth)[2]["AP"] == pytest.approx(1.0)


@pytest.mark.parametrize("segmentation", [UNCOMPRESSED, BOX], ids=["uncompressed", "polygon"])
def test_every_form_of_predicted_mask_is_scored(evaluate, segmentation):
    assert evaluate([track(segmentations=[segmentation, None])])[2]["AP"] == pytest.approx(1.0)


def test_repeated_entries_are_scored_with_a_warning(evaluate):
    _, text, scores = evaluate([track(score=0.9), track(), track(score=0.9)])
    assert "warning: 1 of 3 results repeat an earlier one: result 2 (video 5) is result 0 again" in text
    assert scores["AP"] == pytest.approx(1.0)


def test_no_results_are_legal(evaluate):
    assert evaluate([])[2]["AP"] == 0


def test_reads_a_run_folder_and_a_submission(evaluate, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(DataError, match=r"run: holds no results\.json; has the run finished"):
        evaluate(run)
    (run / "results.json").write_text(json.dumps([track()]))
    assert evaluate(run)[2]["AP"] == pytest.approx(1.0)
    submission = tmp_path / "submission.zip"
    with zipfile.ZipFile(submission, "w") as archive:
        archive.write(run / "results.json", "results.json")
    assert evaluate(submission)[2]["AP"] == pytest.approx(1.0)


def test_a_zip_that_is_no_submission_is_named(evaluate, tmp_path):
    broken, foldered = tmp_path / "broken.zip", tmp_path / "foldered.zip"
    broken.write_text("no zip")
    with zipfile.ZipFile(foldered, "w") as archive:
        archive.writestr("run/results.json", "[]")
    with pytest.raises(DataError, match=r"broken\.zip: not a readable zip"):
        evaluate(broken)
    with pytest.raises(DataError, match=r"foldered\.zip: holds no results\.json at its top level"):
        evaluate(foldered)


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        ([track(), track(video_id=6)], r"result 1 \(video 6\): the split has no such video"),
        ([track(category_id=3)], r"result 0 \(video 5\): the split has no category 3"),
        ([track(segmentations=[COMPRESSED])], r"result 0 \(video 5\): 1 segmentations, but the video has 2 frames"),
        (
            [track(segmentations=[None, {"size": [10, 11], "counts": [110]}])],
            r"result 0 \(video 5\): frame 1: mask of size",
        ),
        (
            [track(segmentations=[None, {"size": [10, 10], "counts": "f06"}])],
            r"result 0 \(video 5\): frame 1: damaged RLE: the runs do not add up to the 100 pixels",
        ),
        ([track(score=float("nan"))], r"result 0 \(video 5\): score nan"),
        ([track(score=-float("inf"))], r"result 0 \(video 5\): score -inf"),
        ([track(), track(score=None)], r"result 1 \(video 5\): score: Input should be a valid number, not null"),
        ([track(category_id="1")], r"result 0 \(video 5\): category_id: .* integer, not \"1\""),
        ([track(segmentations={})], r"result 0 \(video 5\): segmentations: .* list, not an object"),
        ([track(segmentations=[None, [[1, 2, 3, 4]]])], r"result 0 \(video 5\): frame 1: polygon 0: 4 numbers"),
        ({"results": []}, "not a list"),
        ('[{"video_id": 5, "categ', "cut short"),
        (json.dumps([track(), track(video_id=5)])[:-1], r"cut short .*, after result 1 \(video 5\)"),
    ],
)
def test_bad_results_are_named_in_one_line(evaluate, results, fault):
    with pytest.raises(DataError, match=fault) as caught:
        evaluate(results)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "truth", [ground_truth(annotations=None), {k: v for k, v in ground_truth().items() if k != "annotations"}]
)
def test_a_test_form_is_named(evaluate, truth):
    with pytest.raises(DataError, match="test form without ground truth"):
        evaluate([track()], truth)
