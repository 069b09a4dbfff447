from pathlib import Path

from vis_pipeline.bench.faults import DAMAGES, KINDS, faults

# Formats with checksums of their own or of ours: no other content passes.
CHECKED = {"PNG mask", "finished video", "checkpoint", "safetensors"}


def test_nothing_crashes_and_what_is_checked_is_never_silent(tmp_path: Path) -> None:
    rows = list(faults(tmp_path, 2, seed=1))
    assert len(rows) == len(KINDS) * len(DAMAGES)
    assert all(sum(row.outcomes.values()) == 2 for row in rows)
    assert not any(row.outcomes["crashed"] for row in rows)
    assert not [row for row in rows if row.outcomes["silent"] and row.kind in CHECKED]
    told = {row.damage: 0 for row in rows}
    for row in rows:
        told[row.damage] += row.outcomes["told"]
    assert told["cut short"] >= 0.9 * 2 * len(KINDS)
