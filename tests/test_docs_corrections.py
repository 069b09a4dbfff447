"""The lists and the code of docs/corrections.md."""

import json
import re
from pathlib import Path
from typing import Any

from vis_pipeline.corrections.edit_list import edits_from_json
from vis_pipeline.structures.tracks import TrackResult, VideoOutcome

PAGE = (Path(__file__).parent.parent / "docs/corrections.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_the_lists_are_lists_of_edits() -> None:
    whole, swap = (json.loads(text) for language, text in BLOCKS if language == "json")
    assert [edit.op for edit in edits_from_json(whole).edits] == ["join", "split", "rename", "delete"]
    assert len(edits_from_json({"run": "", "edits": swap}).edits) == 4


def test_the_code_runs() -> None:
    (text,) = (text for language, text in BLOCKS if language == "python")
    mask = {"size": [1, 1], "counts": "01"}
    tracks = (TrackResult(1, 2, 0.5, (mask, None)), TrackResult(1, 2, 1.0, (None, mask)))
    names: dict[str, Any] = {"outcome": VideoOutcome(tracks, 2, 1, 1, {})}
    exec(compile(text, "docs/corrections.md", "exec"), names)
    assert names["corrected"].tracks == (TrackResult(1, 2, 0.75, (mask, mask)),)
