"""Figures of VOT's runs: of one sequence, of all, and by the attributes that frames are labelled with."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.single_object import vot
from evaluation.single_object.boxes import Values
from evaluation.single_object.one_pass import OVERLAPS
from evaluation.single_object.vot_runs import VotRun, VotRuns

Figures = dict[str, float]

SPEED = "frames/s"
UNASSIGNED = "none of these"


def supervised_figures(runs: VotRuns) -> Figures:
    """Accuracy, failures and robustness (failures in 100 frames) of one sequence, means over its runs; its speed."""
    failed = float(np.mean([vot.failures(run.codes) for run in runs.runs]))
    return {
        "accuracy": float(np.mean([vot.accuracy(run.codes, run.overlaps) for run in runs.runs])),
        "failures": failed,
        "robustness": 100 * failed / runs.frames,
        **_speed([runs]),
    }


def supervised_together(measured: Sequence[VotRuns], lengths: tuple[int, int]) -> tuple[Figures, dict[str, Values]]:
    """The figures of all sequences, with EAO over stretches from the first of the `lengths` to the last; EAO's curve.

    Accuracy and failures are means over sequences by their frames.
    """
    frames = [runs.frames for runs in measured]
    alone = [supervised_figures(runs) for runs in measured]
    curve = vot.eao_curve(
        [stretch for runs in measured for run in runs.runs for stretch in vot.stretches(run.codes, run.overlaps)]
    )
    failed = [figures["failures"] for figures in alone]
    overall = {
        "accuracy": float(np.average([figures["accuracy"] for figures in alone], weights=frames)),
        "failures": float(np.average(failed, weights=frames)),
        "robustness": 100 * sum(failed) / sum(frames),
        "EAO": vot.eao(curve, lengths),
        **_speed(measured),
    }
    return overall, {"EAO": curve}


def supervised_by_attribute(measured: Sequence[VotRuns], lengths: tuple[int, int]) -> dict[str, Figures]:
    """The figures by attribute, and of the frames without any; empty where no sequence has attributes.

    Accuracy is the mean overlap of all frames that count and have the attribute. Failures are those in such frames,
    means over a sequence's runs. Of EAO's stretches each weighs as much as the part of its frames that have it.
    """
    labels = [_labels(runs, measured) for runs in measured]
    return {name: _of_tag(measured, [tags[name] for tags in labels], lengths) for name in labels[0]}


def _of_tag(measured: Sequence[VotRuns], tags: Sequence[NDArray[np.bool_]], lengths: tuple[int, int]) -> Figures:
    overlaps: list[Values] = []
    stretches: list[tuple[vot.Stretch, float]] = []
    failed = 0.0
    for runs, tag in zip(measured, tags, strict=True):
        for run in runs.runs:
            overlaps.append(run.overlaps[vot.counted(run.codes) & tag])
            weights = (float(part.mean()) for part in vot.by_stretch(run.codes, tag))
            stretches += zip(vot.stretches(run.codes, run.overlaps), weights, strict=True)
            failed += vot.failures(run.codes[tag]) / len(runs.runs)
    weighted = [(stretch, weight) for stretch, weight in stretches if weight > 0]
    curve = vot.eao_curve(*zip(*weighted, strict=True)) if weighted else np.zeros(0)
    together = np.concatenate(overlaps)
    return {
        "frames": float(sum(tag.sum() for tag in tags)),
        "accuracy": float(together.mean()) if len(together) else float("nan"),
        "failures": failed,
        "EAO": vot.eao(curve, lengths),
    }


def unsupervised_figures(runs: VotRuns) -> Figures:
    """Of one sequence: accuracy, without the first ten frames as the toolkit has it, and AO, without the first alone.

    Means over its runs.
    """
    return {
        "accuracy": float(np.mean([vot.accuracy(run.codes, run.overlaps) for run in runs.runs])),
        "AO": float(np.mean([vot.accuracy(run.codes, run.overlaps, burn_in=1) for run in runs.runs])),
        **_speed([runs]),
    }


def unsupervised_together(measured: Sequence[VotRuns]) -> tuple[Figures, dict[str, Values]]:
    """The figures of all sequences, means by their frames, and the share of frames above each overlap."""
    alone = [unsupervised_figures(runs) for runs in measured]
    frames = [runs.frames for runs in measured]
    means = {name: float(np.average([one[name] for one in alone], weights=frames)) for name in ("accuracy", "AO")}
    success = [np.mean([_success(run) for run in runs.runs], axis=0) for runs in measured]
    return {**means, **_speed(measured)}, {"success": np.average(success, axis=0, weights=frames)}


def _success(run: VotRun) -> Values:
    overlaps = run.overlaps[vot.counted(run.codes, burn_in=1)]
    return (overlaps[:, None] > OVERLAPS).mean(axis=0) if len(overlaps) else np.zeros(len(OVERLAPS))


def _labels(runs: VotRuns, measured: Sequence[VotRuns]) -> Mapping[str, NDArray[np.bool_]]:
    """Every attribute that any sequence has, and the frames without; empty where there is none at all."""
    names = sorted({name for others in measured for name in others.tags})
    if not names:
        return {}
    tags = {name: runs.tags.get(name, np.zeros(runs.frames, dtype=bool)) for name in names}
    return {**tags, UNASSIGNED: ~np.any(list(tags.values()), axis=0)}


def _speed(measured: Sequence[VotRuns]) -> Figures:
    """Frames a second of what was tracked, without the starts; nothing where a run has no times."""
    frames, seconds = 0, 0.0
    for runs in measured:
        for run in runs.runs:
            if run.seconds is None:
                return {}
            tracked = np.isin(run.codes, (vot.REGION, vot.FAILED)) & np.isfinite(run.seconds)
            frames += int(tracked.sum())
            seconds += float(run.seconds[tracked].sum())
    return {SPEED: frames / seconds} if seconds > 0 else {}
