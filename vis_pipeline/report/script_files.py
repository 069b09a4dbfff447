"""Data for a page that is opened from the disk, where scripts can be loaded and nothing else can be read."""

import json
from pathlib import Path
from typing import Any

from vis_pipeline.files.whole_files import write_text

RECEIVER = "visReport"
"""The function of the page that each file calls with its data."""

# In a string of JSON these are the same signs, and nothing can end a script or begin markup.
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def write_script(path: Path, content: Any) -> None:
    """Write a script that hands `content` over, whole or not at all; all of it is ASCII.

    Raises:
        DataError: nothing can be written there.
    """
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    write_text(path, f"{RECEIVER}({text.translate(_ESCAPES)});\n")
