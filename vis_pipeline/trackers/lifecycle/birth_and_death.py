"""Ranks, births, losses and ends of tracks, as pure functions over arrays."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from vis_pipeline.trackers.lifecycle.settings import TrackingSettings
from vis_pipeline.trackers.lifecycle.table import TrackTable


class Rank(IntEnum):
    """In which order tracks choose among the detections."""

    OWNER = 0
    CONFIRMED = 1
    UNCONFIRMED = 2
    LOST = 3


class Refusal(IntEnum):
    """Why a detection that no track took starts none; the first reason in this order counts."""

    NONE = 0
    EMPTY = 1
    WEAK = 2
    ON_TRACK = 3
    ON_BIRTH = 4
    FULL = 5


def ranks(table: TrackTable, settings: TrackingSettings) -> NDArray[np.int64]:
    """The :class:`Rank` of each track, int64 [N].

    Owners are confirmed by `owner_detections` and were detected not long ago; confirmed tracks that were not come after
    them, then the unconfirmed, at last the lost ones.
    """
    confirmed = table.detections >= settings.owner_detections
    recent = table.undetected < settings.owner_undetected
    conditions = [table.lost, confirmed & recent, confirmed]
    return np.select(conditions, [Rank.LOST, Rank.OWNER, Rank.CONFIRMED], Rank.UNCONFIRMED).astype(np.int64)


def births(
    candidates: NDArray[np.int64],
    scores: NDArray[np.floating],
    areas: NDArray[np.integer],
    on_tracks: NDArray[np.bool_],
    on_detections: NDArray[np.bool_],
    room: int,
    settings: TrackingSettings,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The unmatched detections that start a track, strongest first (equal scores: the earlier one).

    Args:
        candidates: indices [C] of the unmatched detections.
        scores: [M], of all detections.
        areas: [M], their pixels.
        on_tracks: bool [M], detections that show what a track already shows.
        on_detections: bool [M, M], whether a detection shows what another one does.
        room: how many may start.
        settings: `birth_score` decides.

    Returns:
        The detections that start one, int64, and the :class:`Refusal` of each candidate, int64 [C].
    """
    born: list[int] = []
    refused = np.zeros(len(candidates), dtype=np.int64)
    for place in np.argsort(-scores[candidates], kind="stable").tolist():
        candidate = int(candidates[place])
        reasons = {
            Refusal.EMPTY: areas[candidate] == 0,
            Refusal.WEAK: scores[candidate] < settings.birth_score,
            Refusal.ON_TRACK: on_tracks[candidate],
            Refusal.ON_BIRTH: on_detections[candidate, born].any(),
            Refusal.FULL: len(born) >= room,
        }
        refused[place] = next((reason for reason, holds in reasons.items() if holds), Refusal.NONE)
        if not refused[place]:
            born.append(candidate)
    return np.asarray(born, dtype=np.int64), refused


def lost(table: TrackTable, shot: int, settings: TrackingSettings) -> NDArray[np.bool_]:
    """Which tracks are not searched for in a shot, bool [N]: those of another one, and those hidden for too long."""
    return np.asarray((table.shots != shot) | (table.hidden > settings.max_hidden))


def survivors(table: TrackTable, settings: TrackingSettings) -> NDArray[np.bool_]:
    """Which tracks go on after a frame, bool [N], searched for or lost."""
    return np.asarray(table.undetected <= settings.max_undetected)
