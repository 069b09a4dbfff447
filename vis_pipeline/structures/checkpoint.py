"""Where a video stands between two of its frames, in a form that another process can go on from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Checkpoint:
    """What whoever works on a video has to know to go on with it; what each part holds is known to its maker alone.

    Attributes:
        records: what is finished and will not change, in JSON form, in order: of a checkpoint that is taken, what has
            come since the one before it; of one that is gone on from, all there is.
        facts: what changes, in JSON form.
        tensors: what changes, by name.
    """

    records: Sequence[Any]
    facts: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
