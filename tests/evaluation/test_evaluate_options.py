import json

import pytest
import typer
from pycocotools import mask as coco_mask
from typer.testing import CliRunner

from vis_pipeline.cli import evaluate as command
from vis_pipeline.errors import ConfigError, DataError

LEFT, RIGHT = (
    {"size": [10, 10], "counts": coco_mask.frPyObjects({"size": [10, 10], "counts": runs}, 10, 10)["counts"].decode()}
    for runs in ([0, 30, 70], [70, 30])
)


def ground_truth(*video_ids, **fields):
    """Videos of two frames with one cat each, on the left."""
    return {
        "videos": [
            {"id": i, "width": 10, "height": 10, "length": 2, "file_names": [f"{i}/0.jpg", f"{i}/1.jpg"]}
            for i in video_ids
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": i, "video_id": i, "category_id": 1, "iscrowd": 0, "segmentations": [LEFT, LEFT], **fields}
            for i in video_ids
        ],
    }


def track(video_id, *segmentations, **fields):
    return {"video_id": video_id, "category_id": 1, "score": 0.5, "segmentations": list(segmentations), **fields}


@pytest.fixture
def evaluate(tmp_path):
    app = typer.Typer(pretty_exceptions_enable=False)
    command.register(app)

    def run(**files_and_options):
        """The terminal's text and the JSON; what is no text is written to a file of its name."""
        arguments = [str(tmp_path / "results.json")]
        for name, value in {"json": None, **files_and_options}.items():
            path = tmp_path / f"{name}.json"
            if isinstance(value, dict | list):
                path.write_text(json.dumps(value))
            option = [] if name == "results" else [f"--{name.replace('_', '-')}"]
            if value is not True:
                option.append(value if isinstance(value, str) else str(path))
            arguments += option if name != "results" else []
        outcome = CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})
        if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
            raise outcome.exception
        assert outcome.exit_code == 0, outcome.output
        return outcome.output, json.loads((tmp_path / "json.json").read_text())

    return run


def test_2022_from_one_file_for_both_sets(evaluate):
    results = [track(1, LEFT, LEFT), track(7, LEFT, None)]
    text, scores = evaluate(results=results, gt=ground_truth(1), long_gt=ground_truth(7))
    # The long video's object is found with IoU 0.5 alone: one of ten thresholds.
    assert scores["short"]["AP"] == pytest.approx(1) and scores["long"]["AP"] == pytest.approx(0.1)
    assert scores["AP"] == pytest.approx(0.55)
    assert all(name in text for name in ("short", "long", "mean", "0.550"))


def test_2022_where_the_sets_share_ids(evaluate):
    results, sets = [track(1, LEFT, LEFT)], {"gt": ground_truth(1), "long_gt": ground_truth(1)}
    with pytest.raises(DataError, match=r"share 1 video ids \(1 is one\): give the results of the long videos apart"):
        evaluate(results=results, **sets)
    _, scores = evaluate(results=results, long_results=[track(1, LEFT, None)], **sets)
    assert scores["AP"] == pytest.approx(0.55)


def test_occlusion_where_the_ground_truth_grades_it(evaluate):
    truth = ground_truth(1, 2, occlusion=["no_occlusion", None])
    truth["annotations"][1]["occlusion"] = ["severe_occlusion", "severe_occlusion"]
    text, scores = evaluate(results=[track(1, LEFT, LEFT)], gt=truth)
    assert {name: group["AP"] for name, group in scores["occlusion"].items()} == {
        "slight": pytest.approx(1), "moderate": -1, "heavy": 0,
    }  # fmt: skip
    assert all(name in text for name in ("slight", "moderate", "heavy"))
    truth["annotations"][1]["occlusion"] = ["hidden", None]
    text, scores = evaluate(results=[track(1, LEFT, LEFT)], gt=truth)
    assert "occlusion" not in scores and "warning: not scored by occlusion: annotation 2 (video 2)" in text
    assert "occlusion" not in evaluate(results=[track(1, LEFT, LEFT)], gt=ground_truth(1))[1]


def test_metrics_of_trackeval(evaluate):
    # The second frame is on the wrong side, but its score takes it out of the metrics by frame.
    results = [track(1, LEFT, LEFT), track(1, RIGHT, RIGHT, score=0.1)]
    text, scores = evaluate(results=results, gt=ground_truth(1), metrics="hota, clear")
    assert scores["track_metrics"]["overall"]["fractions"]["MOTSA"] == 0
    assert all(name in text for name in ("HOTA", "sMOTSA"))
    _, scores = evaluate(results=results, gt=ground_truth(1), metrics="clear", metrics_threshold="0.3")
    found = scores["track_metrics"]
    assert found["categories"][0]["figures"]["fractions"] == {"MOTSA": 1, "sMOTSA": 1, "MOTSP": 1}
    with pytest.raises(ConfigError, match="'hotta' is unknown; did you mean 'hota'"):
        evaluate(results=results, gt=ground_truth(1), metrics="hotta")


def test_explain_prints_and_writes_beside_the_results(evaluate, tmp_path):
    results = [track(1, LEFT, LEFT), track(1, RIGHT, RIGHT, score=0.9)]
    text, _ = evaluate(results=results, gt=ground_truth(1), explain=True)
    errors = json.loads((tmp_path / "errors.json").read_text())
    (background,) = [entry for entry in errors["errors"] if entry["kind"] == "false positive"]
    assert (background["count"], background["dAP"]) == (1, pytest.approx(0.5))
    assert "false positive" in text and "+0.500" in text
    assert (tmp_path / "errors.png").read_bytes().startswith(b"\x89PNG")


def test_explain_somewhere_else(evaluate, tmp_path):
    (tmp_path / "there").mkdir()
    options = {"results": [track(1, LEFT, LEFT)], "gt": ground_truth(1), "explain": True}
    evaluate(**options, explain_out=str(tmp_path / "there"))
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["errors.json", "errors.png"]
    assert not (tmp_path / "errors.json").exists()
    evaluate(**options, explain_out=str(tmp_path / "made" / "for it"))
    assert (tmp_path / "made" / "for it" / "errors.png").exists()
    with pytest.raises(ConfigError, match=r"results\.json/below: cannot be made"):
        evaluate(**options, explain_out=str(tmp_path / "results.json" / "below"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"long_gt": ground_truth(2), "metrics": "hota"}, "--metrics and --explain take one set of videos"),
        ({"long_gt": ground_truth(2), "explain": True}, "--metrics and --explain take one set of videos"),
        ({"long_results": [track(2, LEFT, LEFT)]}, "--long-results: give the long videos' ground truth too"),
        ({"explain_out": "there"}, "--explain-out: give --explain too"),
        ({"metrics_threshold": "0.5"}, "--metrics-threshold: say which metrics"),
        ({"metrics": "hota", "metrics_threshold": "nan"}, "--metrics-threshold: nan is not a number"),
    ],
)
def test_options_that_do_not_go_together(evaluate, options, fault):
    with pytest.raises(ConfigError, match=fault):
        evaluate(results=[track(1, LEFT, LEFT)], gt=ground_truth(1), **options)


def test_what_is_read_is_not_written_over(evaluate, tmp_path):
    for name in ("results.json", "gt.json"):
        with pytest.raises(ConfigError, match=rf"{name}: would be written over, and it is to be read"):
            evaluate(results=[track(1, LEFT, LEFT)], gt=ground_truth(1), json=str(tmp_path / name))
        assert "segmentations" in (tmp_path / name).read_text()


def test_a_threshold_beyond_every_score_is_warned_of(evaluate):
    options = {"results": [track(1, LEFT, LEFT)], "gt": ground_truth(1), "metrics": "HOTA"}
    assert "no result scores 30 or more" in evaluate(**options, metrics_threshold="30")[0]
    assert "no result scores" not in evaluate(**options, metrics_threshold="0.5")[0]


def test_what_is_legal_but_seldom_meant_is_warned_of(evaluate):
    text, _ = evaluate(results=[track(1, None, None)], gt=ground_truth(1, 2))
    assert "warning: 1 of 1 tracks have no mask in any frame" in text
    assert "warning: 1 of 2 videos have no tracks: 2" in text
    text, _ = evaluate(results=[track(1, LEFT, LEFT)], gt={**ground_truth(1), "annotations": []})
    assert "warning: the ground truth has no object to be found" in text
    assert "warning" not in evaluate(results=[track(1, LEFT, LEFT)], gt=ground_truth(1))[0]
    text, _ = evaluate(results=[track(1, LEFT, LEFT)], gt=ground_truth(1), long_gt=ground_truth(7))
    assert "warning: 1 of 2 videos have no tracks: 7" in text
