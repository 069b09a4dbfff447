"""The tracks that a video's next frame meets."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from vis_pipeline.trackers.lifecycle.history import TrackHistory
from vis_pipeline.trackers.lifecycle.table import TrackTable


@dataclass(frozen=True)
class LiveTracks:
    """The N tracks that the next frame is matched with, searched for or lost.

    Attributes:
        masks: bool [N, H, W], each track's last detection.
        colours: float32 [N, B], the colours that it is known by.
        histories: one a track.
        table: what the decisions know of them.
    """

    masks: Tensor
    colours: Tensor
    histories: tuple[TrackHistory, ...]
    table: TrackTable

    def later(self, frames: int) -> "LiveTracks":
        """The same tracks after some frames that could not be read."""
        return replace(self, table=self.table.later(frames)) if frames else self

    def followed_by(self, other: "LiveTracks") -> "LiveTracks":
        """These tracks and, after them, the other ones."""
        return LiveTracks(
            masks=torch.cat([self.masks, other.masks]),
            colours=torch.cat([self.colours, other.colours]),
            histories=self.histories + other.histories,
            table=self.table.followed_by(other.table),
        )

    def to_tensors(self) -> dict[str, Tensor]:
        """All but the histories, by name: the table's columns, colours, and masks as bits, on the host."""
        columns = {field.name: torch.from_numpy(getattr(self.table, field.name)) for field in fields(self.table)}
        bits = torch.from_numpy(np.packbits(self.masks.cpu().numpy(), axis=None))
        return {**columns, "bits": bits, "size": torch.tensor(self.masks.shape[1:]), "colours": self.colours.cpu()}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], histories: Sequence[TrackHistory], device: torch.device
    ) -> "LiveTracks":
        """The tracks of such tensors, with the history of each."""
        shape = (len(histories), *tensors["size"].tolist())
        masks = np.unpackbits(tensors["bits"].numpy(), count=math.prod(shape)).astype(np.bool_).reshape(shape)
        return cls(
            masks=torch.from_numpy(masks).to(device),
            colours=tensors["colours"].to(device),
            histories=tuple(histories),
            table=TrackTable(**{field.name: tensors[field.name].numpy() for field in fields(TrackTable)}),
        )
