"""A trunk on CUDA without its launches: each batch size is recorded once and replayed as one graph.

A ResNet-50 is some 150 kernels; for a few crops, launching them takes longer than they do.
"""

import torch
from torch import Tensor, nn

from vis_pipeline.trackers.siammask.network import SearchFeatures

_WARM_UPS = 3


class ReplayedFeatures(nn.Module):
    """Gives what `features` gives, for crops [N, 3, S, S] on CUDA.

    N is rounded up to a power of two, so that few graphs serve all; they keep their memory. A result is overwritten by
    the next call with crops of the same side and about as many: use it, or copy what is kept, before that.
    """

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features
        self._recorded: dict[tuple[int, int], tuple[torch.cuda.CUDAGraph, Tensor, SearchFeatures]] = {}

    def forward(self, crops: Tensor) -> SearchFeatures:
        """The maps of the crops; views into memory that the graph writes."""
        count, side = crops.shape[0], crops.shape[-1]
        if count == 0:
            empty: SearchFeatures = self.features(crops)
            return empty
        room = 1 << (count - 1).bit_length()
        if (room, side) not in self._recorded:
            self._recorded[room, side] = self._record(crops, room)
        graph, inputs, found = self._recorded[room, side]
        inputs[:count].copy_(crops)
        graph.replay()
        return SearchFeatures(*(maps[:count] for maps in (found.conv1, found.layer1, found.layer2, found.adjusted)))

    def _record(self, crops: Tensor, room: int) -> tuple[torch.cuda.CUDAGraph, Tensor, SearchFeatures]:
        inputs = crops.new_zeros((room, *crops.shape[1:])).to(memory_format=torch.channels_last)
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UPS):
                self.features(inputs)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            found: SearchFeatures = self.features(inputs)
        return graph, inputs, found
