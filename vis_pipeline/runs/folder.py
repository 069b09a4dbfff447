"""The folder of one run: what it was made with, the result of every finished video, timings, log and results."""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vis_pipeline.data.entries import one_line
from vis_pipeline.data.results import results_to_json
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import read_json, value_of
from vis_pipeline.files.json_stream import DamagedJsonError, JsonStream
from vis_pipeline.files.regular_files import MOST_JSON, open_regular, read_regular
from vis_pipeline.files.whole_files import remove_unfinished, write_json_list, write_text
from vis_pipeline.runs.journal import Journal
from vis_pipeline.runs.lock import Claim
from vis_pipeline.runs.log_file import append_line
from vis_pipeline.runs.sealed import is_intact, sealed
from vis_pipeline.runs.stored_video import stored_video
from vis_pipeline.structures.tracks import VideoOutcome

# Of a stored video the facts stand before its tracks, which are a thousand times as long and left unread for them.
FACTS_BYTES = 1 << 12
_LAST_KEY = "tracks"
_VIDEO_ID = re.compile(r"-?[0-9]{1,19}")
_END = b"]}"


class RunFolder:
    """One run on disk; every file is written whole or not at all, so that a run that is stopped can go on.

    `config.json`, `versions.json`, `timings.json`, `log.txt`, `videos/<video id>.json`, `events/<video id>.json` (why
    each track is what it is) and, in the end, `results.json`. While a video is under way its journal lies in `videos`.
    """

    def __init__(
        self,
        path: Path,
        config_hash: str | None = None,
        frames: Mapping[int, str] | None = None,
        claim: Claim | None = None,
    ) -> None:
        self.path = path
        self._config_hash = config_hash
        self._frames = frames
        self._claim = claim

    @classmethod
    def create(
        cls,
        path: Path,
        config: Mapping[str, Any],
        config_hash: str,
        frames: Mapping[int, str] | None = None,
        claim: Claim | None = None,
    ) -> "RunFolder":
        """Make the folder, or take up a run of the same config.

        `frames` has a digest of each video's frames, by its id: a video that was finished with others is done again.
        With a `claim`, nothing is written once the folder is not the one any more that it was laid to.

        Raises:
            DataError: nothing can be written there, or the run that lies there has another config.
        """
        folder = cls(path, config_hash, frames, claim)
        try:
            for name in ("videos", "events"):
                (path / name).mkdir(parents=True, exist_ok=True)
                remove_unfinished(path / name)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise DataError(f"run folder {path}: cannot be written ({error.strerror}); give another --out") from error
        if any((path / "videos").glob("*.json")) and cls(path).config_hash() != config_hash:
            old = folder.config()
            changed = sorted(key for key in old.keys() | config.keys() if old.get(key) != config.get(key))
            raise DataError(
                f"run folder {path}: holds videos of a run with other settings ({', '.join(changed)}); "
                "give another --out, or remove the folder"
            )
        folder._write("config", {"hash": config_hash, "config": dict(config)})
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """An existing run.

        Raises:
            DataError: there is none.
        """
        folder = cls(path)
        if not folder._file("config").is_file():
            raise DataError(f"run folder {path}: no run there (config.json is missing)")
        return folder

    def config(self) -> dict[str, Any]:
        """What the run was made with."""
        content = self._read("config").get("config")
        if not isinstance(content, dict):
            raise DataError(f"{self._file('config')}: not the config of a run")
        return content

    def input_path(self, key: str) -> Path | None:
        """The path that the config has under `key` (`split`, `frames`, `video`); None where it has none.

        A relative one lies in the run folder itself, so that the folder can be moved.

        Raises:
            DataError: it cannot be a path.
        """
        value = self.config().get(key)
        if isinstance(value, str) and "\0" in value:
            raise DataError(f"{self._file('config')}: {key}: has a null character, which no path has")
        return self.path / value if isinstance(value, str) and value else None

    def config_hash(self) -> str:
        """The hash under which the run's videos are stored: that of this process's own run, whatever is on the disk."""
        return self._config_hash or str(self._read("config").get("hash"))

    def require_ours(self) -> None:
        """Look before something is written there.

        Raises:
            DataError: the folder is not the one any more that this run has claimed.
        """
        if self._claim is not None:
            self._claim.require()

    def write_versions(self, versions: Mapping[str, str]) -> None:
        """Record what software the run used."""
        self._write("versions", dict(versions))

    def write_video(self, video_id: int, outcome: VideoOutcome) -> None:
        """Store a finished video; its notes go to the log."""
        content = {
            "config_hash": self.config_hash(),
            "frames_sha256": (self._frames or {}).get(video_id),
            "video_id": video_id,
            "length": outcome.length,
            "height": outcome.height,
            "width": outcome.width,
            "seconds": dict(outcome.seconds),
            "notes": list(outcome.notes),
            "skipped": list(outcome.skipped),
            "searches": outcome.searches,
            _LAST_KEY: results_to_json(outcome.tracks),
        }
        self.require_ours()
        # The events come first: what is in `videos` is finished.
        if outcome.events is not None:
            write_text(self.path / "events" / f"{video_id}.json", json.dumps(list(outcome.events)))
        write_text(self._video_file(video_id), sealed(content))
        self.journal(video_id).remove()
        for note in outcome.notes:
            self.log(f"video {video_id}: {note}")

    def journal(self, video_id: int) -> Journal:
        """What is kept of a video until it is finished."""
        identity = {
            "config_hash": self.config_hash(),
            "frames_sha256": (self._frames or {}).get(video_id),
            "video_id": video_id,
        }
        claim = None if self._claim is None else self._claim.for_other_processes()
        return Journal((self.path / "videos" / str(video_id)).resolve(), identity, claim)

    def read_video(self, video_id: int) -> VideoOutcome:
        """A finished video.

        Raises:
            DataError: it is not finished, or the file is damaged or not what a run writes.
        """
        path = self._video_file(video_id)
        data = _read_bytes(path)
        try:
            content = value_of(data)
        except DamagedJsonError as error:
            raise DataError(f"{path}: damaged ({error}); remove it to have it made again") from error
        try:
            outcome = stored_video(content, video_id)
            if not is_intact(data):
                raise DataError("its content is not what its digest is of")
            return outcome
        except DataError as error:
            raise DataError(f"{path}: {one_line(error)}; remove it to have the video done again") from error

    def read_events(self, video_id: int) -> list[Any] | None:
        """The decisions on a finished video, each in JSON form; None where the folder has none of it.

        Raises:
            DataError: the file is damaged.
        """
        path = self.path / "events" / f"{video_id}.json"
        if not path.is_file():
            return None
        content = _read_json(path)
        if not isinstance(content, list):
            raise DataError(f"{path}: not a list of events; remove it to do without them")
        return content

    def finished(self) -> set[int]:
        """Ids of the videos that are done with the run's config and, where this run knows them, its frames."""
        return {video_id for video_id, content in self._stored() if self._has_its_frames(video_id, content)}

    def with_other_frames(self) -> set[int]:
        """Ids of the videos that are done with the run's config, but whose frames have changed since."""
        return {video_id for video_id, content in self._stored() if not self._has_its_frames(video_id, content)}

    def assemble_results(self, video_ids: Iterable[int]) -> Path:
        """Write `timings.json` and `results.json` from those of these videos that are finished, in this order."""
        self.require_ours()
        finished = self.finished()
        results = self.path / "results.json"
        rows: dict[str, dict[str, Any]] = {}

        def entries() -> Iterator[dict[str, Any]]:
            for video_id in video_ids:
                if video_id in finished:
                    outcome = self.read_video(video_id)
                    rows[str(video_id)] = _timing(outcome)
                    yield from results_to_json(outcome.tracks)

        write_json_list(results, entries())
        self._write("timings", _timings(rows))
        return results

    def current_results(self, video_ids: Iterable[int]) -> Path:
        """`results.json` as it lies there if it is newer than every video; else it is assembled anew."""
        results = self.path / "results.json"
        videos = [path.stat().st_mtime_ns for path in (self.path / "videos").glob("*.json")]
        if results.is_file() and results.stat().st_mtime_ns >= max(videos, default=0):
            return results
        return self.assemble_results(video_ids)

    def log(self, line: str) -> None:
        """Append a line, with the time, to `log.txt`."""
        self.require_ours()
        append_line(self.path / "log.txt", line)

    def _stored(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The videos that are done with the run's config, and the facts of each."""
        config_hash = self.config_hash()
        for path in (self.path / "videos").glob("*.json"):
            if _VIDEO_ID.fullmatch(path.stem):
                facts = _read_facts(path)
                if facts.get("config_hash") == config_hash:
                    yield int(path.stem), facts

    def _has_its_frames(self, video_id: int, facts: Mapping[str, Any]) -> bool:
        return self._frames is None or facts.get("frames_sha256") == self._frames.get(video_id)

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"

    def _video_file(self, video_id: int) -> Path:
        return self.path / "videos" / f"{video_id}.json"

    def _read(self, name: str) -> dict[str, Any]:
        return _read_object(self._file(name))

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        self.require_ours()
        write_text(self._file(name), json.dumps(content, indent=2) + "\n")


def _timing(outcome: VideoOutcome) -> dict[str, Any]:
    return {
        "frames": outcome.length,
        "tracks": len(outcome.tracks),
        "searches": outcome.searches,
        "seconds": dict(outcome.seconds),
    }


def _timings(videos: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Frames, searches and seconds by stage, of all videos and of each."""
    seconds: Counter[str] = Counter()
    for video in videos.values():
        seconds.update(video["seconds"])
    return {
        "frames": sum(video["frames"] for video in videos.values()),
        "searches": sum(video["searches"] for video in videos.values()),
        "seconds": dict(seconds),
        "videos": dict(videos),
    }


def _read_facts(path: Path) -> dict[str, Any]:
    """What stands before the tracks of a stored video; the file is whole, as far as its end shows."""
    facts: dict[str, Any] = {}
    try:
        with open_regular(path, MOST_JSON) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - len(_END)))
            if file.read() != _END:
                raise DataError("it is cut short")
            file.seek(0)
            stream = JsonStream(file, FACTS_BYTES)
            for key in stream.members():
                if key == _LAST_KEY:
                    return facts
                facts[key] = stream.value()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except DataError as error:
        raise DataError(f"{path}: damaged ({error}); remove it to have it made again") from error
    raise DataError(f"{path}: not what a run writes there; remove it to have it made again")


def _read_bytes(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_JSON)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except DamagedJsonError as error:
        raise DataError(f"{path}: damaged ({error}); remove it to have it made again") from error
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _read_object(path: Path) -> dict[str, Any]:
    content = _read_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path}: not what a run writes there; remove it to have it made again")
    return content
