"""Every block of docs/api.md, run in its order as a reader would, and the examples of the docstrings."""

import doctest
import importlib.util
import inspect
import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import vis_pipeline
from vis_pipeline import Pipeline, pipeline
from vis_pipeline.structures.tracks import FrameTracks, VideoOutcome
from vis_pipeline.synthesis.procedural.video import generate_video

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
LENGTH = 4


def write_clip(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv444p"
        for image in generate_video(seed=20000, index=0).frames[:LENGTH]:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    printed = []
    for language, text in BLOCKS:
        assert language in ("python", "python supervision")
        if language == "python" or importlib.util.find_spec("supervision"):
            exec(compile(text, "docs/api.md", "exec"), names)
            printed.append(capsys.readouterr().out)
    assert [line.split()[:2] for line in printed[0].splitlines()] == [[str(i), str(i / 10)] for i in range(LENGTH)]
    assert "3 0 star" in printed[1]
    assert "star 0." in printed[-3] and "in 4 of 4 frames" in printed[-3]
    many, count = printed[-2].splitlines(), len(names["finished"].tracks)
    missing = "2 video none.mp4: no such file or folder"
    assert sorted(many) == [f"0 {count} tracks", f"1 {count} tracks", missing]
    assert printed[-1] == f"{count} tracks, 4 frames\n"
    assert isinstance(names["frame"], FrameTracks) and isinstance(names["finished"], VideoOutcome)
    # Drawing on the frames changed nothing.
    drawn, plain = names["frame"], list(Pipeline.track(names["pipeline"], "clip.mp4"))[-1]
    assert drawn.ids.tolist() == plain.ids.tolist()
    np.testing.assert_allclose(drawn.boxes, plain.boxes, atol=2)


def test_the_first_page_shows_what_runs_here() -> None:
    shown = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert shown == [BLOCKS[0][1]]


def test_what_the_package_exports_stands_on_the_page_and_says_what_it_is() -> None:
    for name in vis_pipeline.__all__:
        assert name in PAGE and inspect.getdoc(getattr(vis_pipeline, name)), name


@pytest.mark.slow
def test_the_examples_of_the_docstrings_run() -> None:
    outcome = doctest.testmod(pipeline)
    assert outcome.attempted > 10 and outcome.failed == 0
