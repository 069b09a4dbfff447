"""The examples of docs/evaluation.md, run in their order as a reader would."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.dense import annotation, track_result
from vis_pipeline.data.results import results_to_json
from vis_pipeline.data.splits import split_to_json
from vis_pipeline.structures.splits import Category, Split, Video

PAGE = (Path(__file__).parent.parent / "docs/evaluation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_three_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mask = np.ones((2, 8, 8), dtype=bool)
    videos = tuple(Video(number, 8, 8, 2, ("a", "b")) for number in (1, 2))
    split = Split(videos, (Category(1, "cat"),), tuple(annotation(number, number, 1, mask) for number in (1, 2)))
    (tmp_path / "instances.json").write_text(json.dumps(split_to_json(split)))
    # One of two: recall 0.5, precision 1 at 51 of 101 points.
    (tmp_path / "results.json").write_text(json.dumps(results_to_json([track_result(1, 1, 0.9, mask)])))
    monkeypatch.chdir(tmp_path)
    assert [language for language, _ in BLOCKS] == ["python", "python", "python mmengine"]
    names: dict[str, Any] = {}
    printed = []
    for _, text in BLOCKS:
        exec(compile(text, "docs/evaluation.md", "exec"), names)
        printed.append(capsys.readouterr().out)
    assert printed[0] == "AP 0.505\n"
    # IoU 19/21, 18/22 and 17/23: of ten thresholds five find all, two two of three (67 of 101 recall points), two one.
    assert printed[1] == f"AP {(5 * 101 + 2 * 67 + 2 * 34) / 1010:.3f}\n"
    assert "'youtube_vis/AP': 0.504" in printed[2] and "'youtube_vis/AR10': 0.5" in printed[2]
