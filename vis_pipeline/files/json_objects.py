"""JSON objects whose long lists are written entry by entry, so that they need not fit into memory."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vis_pipeline.errors import DataError
from vis_pipeline.files.whole_files import replacing


def write_json_object(path: Path, head: Mapping[str, Any], lists: Mapping[str, Iterable[Any]]) -> None:
    """Write `head` and then each of the lists as members of one object, whole or not at all.

    Raises:
        DataError: nothing can be written there.
    """
    try:
        with replacing(path) as filled, filled.open("w", encoding="utf-8") as file:
            file.write("{")
            for number, (key, value) in enumerate(head.items()):
                file.write(f"{', ' if number else ''}{json.dumps(key)}: {json.dumps(value)}")
            for number, (key, entries) in enumerate(lists.items()):
                file.write(f"{', ' if head or number else ''}{json.dumps(key)}: [")
                for place, entry in enumerate(entries):
                    file.write(("," if place else "") + "\n" + json.dumps(entry))
                file.write("]")
            file.write("}\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from error
