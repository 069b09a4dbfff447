"""The list of edits as a file, checked as if a stranger had written it.

`{"run": "<config hash>", "edits": [{"op": "join", "video": 3, "tracks": [0, 4]}, ...]}`. A track is its index among the
video's results, before any edit. What a split cuts off has the same index and a part number: 1 for the first split of
this index, 2 for the next; `part` names it, and 0, where it is left out, is what keeps the index.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field, NonNegativeInt

from vis_pipeline.data.entries import Entry, Id, one_line, parsed
from vis_pipeline.errors import DataError
from vis_pipeline.files.json_files import read_json

_JOINED = "parts"


@dataclass(frozen=True, order=True)
class Handle:
    """Part `part` of the track with index `track`, as edits call it."""

    track: int
    part: int = 0

    def __str__(self) -> str:
        return f"track {self.track}" + (f", part {self.part}" if self.part else "")


class _Edit(Entry):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    video: Id


class _EditOfOne(_Edit):
    track: NonNegativeInt
    part: NonNegativeInt = 0

    @property
    def handle(self) -> Handle:
        """What is edited."""
        return Handle(self.track, self.part)


class Join(_Edit):
    """These are one object: it keeps the index and the class of the first."""

    op: Literal["join"]
    tracks: Annotated[list[NonNegativeInt], Field(min_length=2)]
    parts: list[NonNegativeInt] | None = None

    @property
    def handles(self) -> tuple[Handle, ...]:
        """What is joined.

        Raises:
            DataError: there are more or fewer `parts` than `tracks`, or one comes twice.
        """
        parts = [0] * len(self.tracks) if self.parts is None else self.parts
        if len(parts) != len(self.tracks):
            raise DataError(f"{_JOINED}: {len(parts)} for {len(self.tracks)} tracks")
        handles = tuple(map(Handle, self.tracks, parts))
        for handle in handles:
            if handles.count(handle) > 1:
                raise DataError(f"tracks: {handle} comes twice")
        return handles


class Split(_EditOfOne):
    """From `frame` on it is another object, with a part number of its own."""

    op: Literal["split"]
    frame: NonNegativeInt


class Delete(_EditOfOne):
    """It is no object."""

    op: Literal["delete"]


class Rename(_EditOfOne):
    """It is of another class, whose id in the split is `category`."""

    op: Literal["rename"]
    category: Id


Edit: TypeAlias = Join | Split | Delete | Rename


@dataclass(frozen=True)
class EditList:
    """Edits of one run, in the order in which they are applied.

    Attributes:
        run: the config hash of the run.
        edits: of all its videos.
    """

    OPERATIONS: ClassVar[dict[str, type[Edit]]] = {"join": Join, "split": Split, "delete": Delete, "rename": Rename}

    run: str
    edits: tuple[Edit, ...]

    def by_video(self) -> dict[int, list[tuple[int, Edit]]]:
        """The edits of each video that has any, each with its index in the list."""
        groups: dict[int, list[tuple[int, Edit]]] = {}
        for index, edit in enumerate(self.edits):
            groups.setdefault(edit.video, []).append((index, edit))
        return groups


class _Form(Entry):
    model_config = ConfigDict(strict=True, extra="forbid")

    run: str
    edits: list[Any]


def read_edits(path: Path) -> EditList:
    """Read an edit list.

    Raises:
        DataError: the file is missing, damaged or no such list; of an edit that is wrong in itself its index is named.
    """
    try:
        return edits_from_json(read_json(path))
    except DataError as error:
        raise DataError(f"edits {path}: {one_line(error)}") from error


def edits_from_json(content: Any) -> EditList:
    """An edit list from parsed JSON.

    Raises:
        DataError: as :func:`read_edits`.
    """
    form = parsed(_Form, content)
    return EditList(form.run, tuple(_edit(entry, index) for index, entry in enumerate(form.edits)))


def edit_name(index: int, edit: Edit) -> str:
    """What to call an edit in a message: its index in the list, from 0, and what it does."""
    return f"edit {index} ({edit.op})"


def _edit(content: Any, index: int) -> Edit:
    try:
        operation = content.get("op") if isinstance(content, dict) else None
        kind = EditList.OPERATIONS.get(operation) if isinstance(operation, str) else None
        if kind is None:
            known = ", ".join(EditList.OPERATIONS)
            raise DataError(f"no object whose `op` is one of {known}")
        edit = parsed(kind, content)
        if isinstance(edit, Join):
            _ = edit.handles
        return edit
    except DataError as error:
        raise DataError(f"edit {index}: {error}") from error
