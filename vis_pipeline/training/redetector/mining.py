"""Video hard-example mining (the paper, section 3.2): what other videos hold that looks like the template's object."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from vis_pipeline.training.redetector.embedding import Embedding, batch_hard_loss, draw_groups
from vis_pipeline.training.redetector.losses import HardExamples
from vis_pipeline.training.redetector.neighbours import NeighbourIndex, one_a_video
from vis_pipeline.training.redetector.pairs import ObjectTable
from vis_pipeline.training.redetector.settings import EmbeddingSettings, HardExampleSettings
from vis_pipeline.training.redetector.store import NARROW, TRUE, VideoFeatures
from vis_pipeline.training.tracker.sources import TrainingSet
from vis_pipeline.weights.files import load_strictly, read_state_dict, write_tensors

_BATCH = 512
_STREAM = 3


class ObjectFeatures:
    """The RoI features of the boxes of an :class:`~vis_pipeline.training.redetector.pairs.ObjectTable`."""

    def __init__(self, table: ObjectTable, stored: Sequence[VideoFeatures], device: torch.device) -> None:
        self._table = table
        self._stored = stored
        self._device = device

    def of(self, rows: NDArray[np.int64], kind: int) -> Tensor:
        """Of one box of each row (TRUE, WIDE or NARROW): float32 [K, C, 7, 7]."""
        return self._on_device([self._stored[video].features[row, kind] for video, row in self._places(rows)])

    def all_of(self, rows: NDArray[np.int64]) -> Tensor:
        """Of the three boxes of each row: float32 [K, 3, C, 7, 7]."""
        return self._on_device([self._stored[video].features[row] for video, row in self._places(rows)])

    def means(self, count: int) -> NDArray[np.float64]:
        """Of the true boxes of the first `count` rows, over their 7x7 places: float64 [count, C]."""
        parts = np.array_split(np.arange(count), -(-count // _BATCH))
        return np.concatenate([self.of(part, TRUE).mean(dim=(2, 3)).double().cpu().numpy() for part in parts])

    def boxes(self, rows: NDArray[np.int64]) -> Tensor:
        """The three boxes of each row: float32 [K, 3, 4]."""
        return self._on_device([self._stored[video].boxes[row] for video, row in self._places(rows)])

    def _places(self, rows: NDArray[np.int64]) -> list[tuple[int, int]]:
        return list(zip(self._table.video[rows].tolist(), self._table.row[rows].tolist(), strict=True))

    def _on_device(self, parts: Sequence[NDArray[np.generic]]) -> Tensor:
        return torch.from_numpy(np.stack(parts).astype(np.float32)).to(self._device)


class HardExampleMiner:
    """Draws hard examples from an index of all boxes by their embedding.

    Args:
        settings: of the examples.
        table: all boxes.
        features: theirs.
        points: float32 [R, E], their embedding.
        rows_of: the rows of an object.
        seed: of the index.
    """

    def __init__(
        self,
        settings: HardExampleSettings,
        table: ObjectTable,
        features: ObjectFeatures,
        points: NDArray[np.float32],
        rows_of: Callable[[int], NDArray[np.int64]],
        seed: int,
    ) -> None:
        self._settings = settings
        self._table = table
        self._features = features
        self._rows_of = rows_of
        self._index = NeighbourIndex(points, table.video, seed)

    def draw(self, template: int, rng: Generator) -> HardExamples:
        """The hard examples of a template's row."""
        nearest = self._index.nearest(template, self._settings.neighbours)
        negatives = one_a_video(nearest, self._table.video, self._settings.negatives, rng)
        own = self._rows_of(int(self._table.object[template]))
        positives = rng.permutation(own[own != template])[: self._settings.positives]
        return HardExamples(
            self._features.all_of(negatives), self._features.all_of(positives), self._features.boxes(positives)
        )


def embed(network: Embedding, features: ObjectFeatures, count: int) -> NDArray[np.float32]:
    """The points of all `count` rows' true boxes, float32 [R, E]."""
    network.eval()
    with torch.inference_mode():
        rows = np.arange(count)
        parts = [network(features.of(part, TRUE)).cpu() for part in np.array_split(rows, -(-count // _BATCH))]
    points: NDArray[np.float32] = torch.cat(parts).numpy()
    return points


def trained_embedding(
    path: Path,
    data: TrainingSet,
    table: ObjectTable,
    features: ObjectFeatures,
    settings: EmbeddingSettings,
    seed: int,
    report: Callable[[int, float], None],
) -> Embedding:
    """The embedding network of a work folder: from `path`, or learned now and written there.

    `report` is given each step and its loss. The same seed and features give the same network on the CPU.

    Raises:
        WeightsError: the file is another network's, or cannot be written.
    """
    example = features.of(np.zeros(1, np.int64), TRUE)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Embedding(example.shape[1], settings.channels).to(example.device)
    if path.is_file():
        load_strictly(network, read_state_dict(path), path)
        return network
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    by_class, by_object = _classes(data, table), _members(table.object)
    class_steps = settings.class_steps if by_class else 0
    for step in range(class_steps + settings.instance_steps):
        rng = np.random.default_rng((seed, _STREAM, step))
        members = by_class[rng.integers(len(by_class))] if step < class_steps else by_object
        rows, groups = draw_groups(members, settings.groups, settings.members, rng)
        points = network(features.of(rows, (TRUE, NARROW)[int(rng.integers(2))]))
        loss = batch_hard_loss(points, torch.from_numpy(groups).to(points.device), settings.margin)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        report(step, float(loss.detach()))
    write_tensors(path, network.state_dict(), {})
    return network


def _members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each group that has any."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _classes(data: TrainingSet, table: ObjectTable) -> list[list[NDArray[np.int64]]]:
    """The rows of each class, source by source (ids of two sources may mean the same), of sources with two or more."""
    categories = [entry.category for entry in data.objects]
    found = []
    for source in sorted({source for source, _ in categories}):
        ids = np.array([number if own == source else -1 for own, number in categories])[table.object]
        rows = np.flatnonzero(ids >= 0)
        classes = [rows[part] for part in _members(ids[rows])] if len(rows) else []
        if len(classes) > 1:
            found.append(classes)
    return found
