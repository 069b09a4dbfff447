"""The folder of one benchmark's results: what made them, the results in the benchmark's own form, and a log."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vis_pipeline import __version__
from vis_pipeline.data.listings import visible_below
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import parsed_json, read_json
from vis_pipeline.files.regular_files import MOST_TEXT
from vis_pipeline.files.whole_files import write_text
from vis_pipeline.protocols.benchmark import BoxKind
from vis_pipeline.runs.identity import content_digest
from vis_pipeline.runs.log_file import append_line
from vis_pipeline.runs.settings import load_pipeline
from vis_pipeline.trackers.followers import FollowerSettings

RESULTS_NAME = "results"
SCORES_NAME = "scores.json"
CURVES_NAME = "curves.png"
_IDENTITY_NAME = "run.json"


def results_identity(benchmark: str, followers: FollowerSettings, boxes: BoxKind) -> dict[str, Any]:
    """What results depend on beside the data, weights by content, as JSON.

    Raises:
        UserError: weights or the re-detector's config cannot be used.
    """
    facts = followers.facts()
    digests = {part: content_digest(path) for part, path in followers.weight_files().items()}
    for name in ("weights", "redetector", "config"):
        facts.pop(name, None)
    if followers.redetector is not None:
        facts["detector"] = asdict(load_pipeline(followers.config).detector)
        facts["detector"].pop("checkpoint")
    identity = {"benchmark": benchmark, "version": __version__, "boxes": boxes, **facts, "weights_sha256": digests}
    plain: dict[str, Any] = parsed_json(json.dumps(identity, default=str))
    return plain


class ResultsFolder:
    """Such a folder: `run.json`, `log.txt`, `results/`, and in the end `scores.json` and `curves.png`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.results = path / RESULTS_NAME

    @classmethod
    def create(cls, path: Path, identity: Mapping[str, Any]) -> "ResultsFolder":
        """Make the folder, or take up results of the same identity.

        Raises:
            DataError: nothing can be written there, or it holds results of another identity.
        """
        folder = cls(path)
        try:
            folder.results.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"results {path}: cannot be written ({error.strerror}); give another --out") from error
        if next(visible_below(folder.results), None) is not None:
            old = folder._identity()
            changed = sorted(key for key in old.keys() | identity.keys() if old.get(key) != identity.get(key))
            if changed:
                raise DataError(
                    f"results {path}: made with other settings ({', '.join(changed)}); "
                    "give another --out, or remove the folder"
                )
        write_text(path / _IDENTITY_NAME, json.dumps(dict(identity), indent=2) + "\n")
        return folder

    def log(self, line: str) -> None:
        """Append a line, with the time, to `log.txt`."""
        append_line(self.path / "log.txt", line)

    def _identity(self) -> dict[str, Any]:
        path = self.path / _IDENTITY_NAME
        try:
            content = read_json(path, MOST_TEXT)
        except DataError as error:
            raise DataError(f"{path}: missing or damaged, so nobody knows what made {self.results}") from error
        if not isinstance(content, dict):
            raise DataError(f"{path}: not what a run writes there; remove the folder or give another --out")
        return content
