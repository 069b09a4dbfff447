"""What a run keeps of the frames that pass through it: when each is shown, and the pictures themselves if wanted."""

from collections.abc import Iterator
from pathlib import Path

from vis_pipeline.data.frames import PATIENCE, prefetched
from vis_pipeline.data.own_split import jpeg
from vis_pipeline.files.whole_files import write_bytes
from vis_pipeline.runs.lock import Claim
from vis_pipeline.structures.frames import Footage, Frame, FrameSource, ReadsAhead, Remark


class Witness(ReadsAhead):
    """The same frames, noted as they are taken; with a `folder` written there, too, as `NAME/00000.jpg` and so on.

    With a `claim`, no longer than the run folder around that one is the one that was claimed. A frame that does not
    come for `patience` seconds ends it, as :func:`prefetched` says.

    Attributes:
        times: of each frame that was taken, bad ones too, in seconds; None where nobody says.
    """

    def __init__(
        self,
        source: FrameSource,
        folder: Path | None = None,
        claim: Claim | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.video_id = source.video_id
        self.name = source.name
        self.length = source.length
        self.times: list[float | None] = []
        self._source = source
        self._folder = folder
        self._claim = claim
        self._patience = patience

    def __iter__(self) -> Iterator[Footage]:
        self.times.clear()
        if self._folder is not None:
            (self._folder / self.name).mkdir(parents=True, exist_ok=True)
        for footage in prefetched(self._source, patience=self._patience):
            if not isinstance(footage, Remark):
                # Microseconds: finer than any clock of a video, and short to write.
                self.times.append(None if footage.time is None else round(footage.time, 6))
            if self._folder is not None and isinstance(footage, Frame):
                if self._claim is not None:
                    self._claim.require()
                write_bytes(self._folder / frame_name(self.name, footage.index), jpeg(footage))
            yield footage


def frame_name(video_name: str, index: int) -> str:
    """The file name by which a split calls a frame of a single video."""
    return f"{video_name}/{index:05}.jpg"
