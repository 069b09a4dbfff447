"""What is kept of a video while it is under way, so that a run that was killed goes on in the middle of it.

Beside the place of the finished video lie two files. `ID.journal` only grows: a line that says of what run and video it
is, then one for each checkpoint, with what was finished since the one before; each begins with the digest of everything
up to its end. `ID.state`, the tensors of the last checkpoint, comes into its place whole, and the checkpoint's line has
its digest. A kill between the two leaves a line too many, which is cut off; what does not fit together in any other way
is not gone on from.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load, save

from vis_pipeline.errors import DataError
from vis_pipeline.files.regular_files import MOST_ARRAYS, MOST_JSON, open_regular, read_regular
from vis_pipeline.files.whole_files import append_bytes, write_bytes
from vis_pipeline.runs.lock import Claim
from vis_pipeline.structures.checkpoint import Checkpoint


@dataclass(frozen=True)
class Journal:
    """The journal of one video.

    Attributes:
        path: of its files, without their endings; in a folder that is there.
        identity: of the run, the video and its frames, in JSON form; what is of another one is not gone on from.
        claim: to the folder, without which nothing is written there; None for a folder that nobody else has.
    """

    path: Path
    identity: Mapping[str, Any]
    claim: Claim | None = None

    @property
    def lines(self) -> Path:
        """The file that grows."""
        return self.path.with_name(f"{self.path.name}.journal")

    @property
    def state(self) -> Path:
        """The file of the last checkpoint's tensors."""
        return self.path.with_name(f"{self.path.name}.state")

    def require_ours(self) -> None:
        """Look before something is written there.

        Raises:
            DataError: the folder is not the one any more that was claimed.
        """
        if self.claim is not None:
            self.claim.require()

    def exists(self) -> bool:
        """Whether an earlier try has left a checkpoint."""
        return self.state.is_file()

    def begin(self) -> "JournalWriter":
        """Leave what an earlier try kept; what takes the checkpoints. Short videos, which have none, write nothing.

        Raises:
            DataError: what lies there cannot be removed.
        """
        self.remove()
        return JournalWriter(self, _Chain())

    def take_up(self) -> "tuple[Checkpoint, JournalWriter] | None":
        """The last checkpoint of an earlier try, and what takes the further ones; None where there is none that fits.

        Raises:
            DataError: nothing can be written there.
        """
        try:
            state = read_regular(self.state, MOST_ARRAYS)
            wanted, chain, records = hashlib.sha256(state).hexdigest(), _Chain(), list[Any]()
            with open_regular(self.lines, MOST_JSON) as lines:
                if _Header.model_validate_json(chain.content(next(lines, b""))).identity != self.identity:
                    return None
                for line in lines:
                    entry = _Entry.model_validate_json(chain.content(line))
                    records += entry.records
                    if entry.state == wanted:
                        break
                else:
                    return None
            checkpoint = Checkpoint(records, entry.facts, load(state))
        except (OSError, ValueError, SafetensorError):
            return None
        self.require_ours()
        try:
            os.truncate(self.lines, chain.length)
        except OSError as error:
            raise DataError(f"{self.lines}: cannot be written ({error.strerror})") from error
        return checkpoint, JournalWriter(self, chain)

    def remove(self) -> None:
        """Leave nothing.

        Raises:
            DataError: it cannot be removed.
        """
        self.require_ours()
        for path in (self.state, self.lines):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise DataError(f"{path}: cannot be removed ({error.strerror})") from error


class JournalWriter:
    """Takes the checkpoints of a video, one after another."""

    def __init__(self, journal: Journal, chain: "_Chain") -> None:
        self._journal = journal
        self._chain = chain

    def append(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint; once it returns, it is on the disk.

        Raises:
            DataError: the disk does not take it; the one before can still be gone on from.
        """
        # Views of one array are tensors that share memory, which safetensors refuses.
        state = save({name: tensor.detach().cpu().clone().contiguous() for name, tensor in checkpoint.tensors.items()})
        digest = hashlib.sha256(state).hexdigest()
        header = [] if self._chain.length else [_Header(identity=dict(self._journal.identity))]
        entry = _Entry(records=list(checkpoint.records), facts=dict(checkpoint.facts), state=digest)
        lines = [self._chain.line(json.dumps(line.model_dump()).encode()) for line in (*header, entry)]
        self._journal.require_ours()
        append_bytes(self._journal.lines, b"".join(lines))
        write_bytes(self._journal.state, state)


class _Chain:
    """Lines that each begin with the digest of everything before it and of its content.

    Attributes:
        length: bytes of the lines so far.
    """

    _DIGITS = 64

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.length = 0

    def line(self, content: bytes) -> bytes:
        """The line of some content."""
        self._digest.update(content)
        line = b"%s %s\n" % (self._digest.hexdigest().encode(), content)
        self.length += len(line)
        return line

    def content(self, line: bytes) -> bytes:
        """The content of a line, which is the next one.

        Raises:
            ValueError: it is not.
        """
        content = line[self._DIGITS + 1 : -1]
        if self.line(content) != line:
            raise ValueError("not the next line of this file")
        return content


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    identity: dict[str, Any]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    records: list[Any]
    facts: dict[str, Any]
    state: str
