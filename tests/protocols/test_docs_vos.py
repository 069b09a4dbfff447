"""The examples of docs/video_object_segmentation.md and the commands around them, on a drawn video cut short."""

import json
import re
from pathlib import Path

import pytest
from short_splits import shorten
from typer.testing import CliRunner

from vis_pipeline.cli.app import app

PAGE = (Path(__file__).parents[2] / "docs/video_object_segmentation.md").read_text(encoding="utf-8")
FOLLOWING, WRITING_META = re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
LENGTH = 4


def run(line: str) -> str:
    done = CliRunner().invoke(app, line.removeprefix("vis-pipeline ").split())
    assert done.exit_code == 0, done.output
    return done.output


def the_page_s(start: str) -> str:
    (line,) = re.findall(rf"^    (vis-pipeline {start}.*)$", PAGE, flags=re.MULTILINE)
    return line


def test_a_drawn_split_becomes_both_benchmarks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run(the_page_s("synth").replace("--videos 8", "--videos 1"))
    shorten(tmp_path / "videos", LENGTH)
    for path in sorted((tmp_path / "videos/JPEGImages/00000").iterdir())[LENGTH:]:
        path.unlink()
    run(the_page_s("export"))
    assert "all objects" in run(the_page_s("bench sot davis-2017 --data videos") + " --device cpu")
    exec(compile(WRITING_META, "video_object_segmentation.md", "exec"), {})
    assert "overall" in run(the_page_s("bench sot youtube-vos-2019 --data videos") + " --device cpu")
    scores = [json.loads(Path(f"runs/{name}/scores.json").read_text()) for name in ("drawn17", "drawn_vos")]
    objects = [entry for video in scores[1]["videos"].values() for entry in video]
    assert len(objects) == len(scores[0]["sequences"]["00000"]["objects"]) > 2
    assert min(scores[0]["J&F"], scores[1]["overall"]) > 0.6
    capsys.readouterr()
    exec(compile(FOLLOWING, "video_object_segmentation.md", "exec"), {})
    # Counts of background and of the two objects, which boxes give: nothing in the first frame.
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"00000.jpg [{320 * 192}]" and len(printed) == LENGTH
