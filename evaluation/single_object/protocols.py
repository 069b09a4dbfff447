"""The protocols as one form: a folder of results against one of ground truth gives figures by sequence and overall."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from evaluation.single_object import vot
from evaluation.single_object.boxes import Values
from evaluation.single_object.got10k import got10k_curve, got10k_figures
from evaluation.single_object.one_pass import one_pass_figures, trackingnet_figures
from evaluation.single_object.one_pass_sequences import (
    nfs_sequence,
    nfs_sequences,
    trackingnet_sequence,
    trackingnet_sequences,
    uav_sequence,
    uav_sequences,
)
from evaluation.single_object.sequences import (
    folder_sequences,
    got10k_sequence,
    lasot_sequence,
    otb_sequence,
    otb_sequences,
)
from evaluation.single_object.vot_figures import (
    supervised_by_attribute,
    supervised_figures,
    supervised_together,
    unsupervised_figures,
    unsupervised_together,
)
from evaluation.single_object.vot_folders import truth_files
from evaluation.single_object.vot_runs import VotRuns, supervised_runs, unsupervised_runs
from vis_pipeline.errors import DataError

Measured = TypeVar("Measured")
Figures = dict[str, float]


@dataclass(frozen=True)
class ProtocolScores:
    """Figures of one set of results.

    Attributes:
        sequences: those of each sequence that could be scored.
        left_out: why the others could not, by their names.
        overall: the figures over all that could be.
        curves: what the figures were read off, where a protocol has such.
        attributes: figures of the frames with an attribute, where a protocol and its ground truth have such.
    """

    protocol: str
    sequences: Mapping[str, Figures]
    left_out: Mapping[str, str]
    overall: Figures
    curves: Mapping[str, Values]
    attributes: Mapping[str, Figures] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values; None for a figure that is not defined."""
        return {
            "protocol": self.protocol,
            "overall": _plain(self.overall),
            "sequences": {name: _plain(figures) for name, figures in self.sequences.items()},
            "left_out": dict(self.left_out),
            "curves": {name: curve.tolist() for name, curve in self.curves.items()},
            "attributes": {name: _plain(figures) for name, figures in self.attributes.items()},
        }


@dataclass(frozen=True)
class Protocol(Generic[Measured]):
    """How sequences are found, measured one by one, and put together.

    Attributes:
        find: the ground truth's files by the sequences' names, in a folder.
        measure: name, ground truth and folder of results to what one sequence gives; DataError if it cannot be scored.
        alone: the figures of one sequence.
        together: the figures and the curves of them all.
        by_attribute: figures of the frames with an attribute.
    """

    find: Callable[[Path], dict[str, Path]]
    measure: Callable[[str, Path, Path], Measured]
    alone: Callable[[Measured], Figures]
    together: Callable[[Sequence[Measured]], tuple[Figures, dict[str, Values]]]
    by_attribute: Callable[[Sequence[Measured]], dict[str, Figures]] = field(default=lambda measured: {})

    def score(self, name: str, results: Path, truth: Path, wanted: Sequence[str] | None = None) -> ProtocolScores:
        """Score every sequence of the ground truth, or those `wanted`; one that cannot be is left out.

        Raises:
            DataError: a folder is missing or empty, or no sequence at all could be scored.
        """
        for folder in (results, truth):
            if not folder.is_dir():
                raise DataError(f"{folder}: not a folder")
        files = self.find(truth)
        names = list(files) if wanted is None else list(wanted)
        if not names:
            raise DataError(f"ground truth {truth}: no sequences in the form of {name}")
        measured: dict[str, Measured] = {}
        left_out: dict[str, str] = {}
        for sequence in names:
            try:
                if sequence not in files:
                    raise DataError(f"no ground truth in {truth}")
                measured[sequence] = self.measure(sequence, files[sequence], results)
            except DataError as error:
                left_out[sequence] = str(error)
        if not measured:
            first = next(iter(left_out))
            raise DataError(f"none of {len(names)} sequences can be scored; {first}: {left_out[first]}")
        overall, curves = self.together(list(measured.values()))
        alone = {sequence: self.alone(values) for sequence, values in measured.items()}
        return ProtocolScores(name, alone, left_out, overall, curves, self.by_attribute(list(measured.values())))


def _curves_together(measured: Sequence[dict[str, Values]]) -> tuple[Figures, dict[str, Values]]:
    curves = {name: np.mean([of_one[name] for of_one in measured], axis=0) for name in measured[0]}
    return one_pass_figures(curves), curves


def _trackingnet_together(measured: Sequence[dict[str, Values]]) -> tuple[Figures, dict[str, Values]]:
    curves = {name: np.mean([of_one[name] for of_one in measured], axis=0) for name in measured[0]}
    return trackingnet_figures(curves), curves


def _frames_together(measured: Sequence[Values]) -> tuple[Figures, dict[str, Values]]:
    overlaps = np.concatenate(measured)
    return got10k_figures(overlaps), {"success": got10k_curve(overlaps)}


def _supervised(lengths: tuple[int, int]) -> Protocol[VotRuns]:
    return Protocol(
        truth_files,
        supervised_runs,
        supervised_figures,
        partial(supervised_together, lengths=lengths),
        partial(supervised_by_attribute, lengths=lengths),
    )


PROTOCOLS: dict[str, Protocol[Any]] = {
    "got10k": Protocol(folder_sequences, got10k_sequence, got10k_figures, _frames_together),
    "otb": Protocol(otb_sequences, otb_sequence, one_pass_figures, _curves_together),
    **{
        name.lower(): Protocol(uav_sequences(name), uav_sequence, one_pass_figures, _curves_together)
        for name in ("UAV123", "UAV20L")
    },
    **{
        f"nfs{rate}": Protocol(nfs_sequences(rate), nfs_sequence, one_pass_figures, _curves_together)
        for rate in (30, 240)
    },
    "trackingnet": Protocol(trackingnet_sequences, trackingnet_sequence, trackingnet_figures, _trackingnet_together),
    "lasot": Protocol(folder_sequences, lasot_sequence, one_pass_figures, _curves_together),
    **{name: _supervised(lengths) for name, lengths in vot.LENGTHS.items()},
    "vot-unsupervised": Protocol(truth_files, unsupervised_runs, unsupervised_figures, unsupervised_together),
}


def protocol_scores(name: str, results: Path, truth: Path, wanted: Sequence[str] | None = None) -> ProtocolScores:
    """Score a folder of results by the protocol of that name.

    Raises:
        DataError: there is no such protocol, or as :meth:`Protocol.score`.
    """
    if name not in PROTOCOLS:
        raise DataError(f"protocol {name}: give one of {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name].score(name, results, truth, wanted)


def _plain(figures: Figures) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in figures.items()}
