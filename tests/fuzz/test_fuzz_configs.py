"""Pipeline configs as JSON with damages: settings, or one line that names the config."""

import errno
import json
import random
from pathlib import Path

from mutations import cases, damaged

from vis_pipeline.errors import UserError
from vis_pipeline.runs.settings import load_pipeline

SOUND = {
    "detector": {
        "type": "mmdet",
        "config": "recipes/htc_small_mixed",
        "checkpoint": "bundled:htc_small",
        "class_map": "common",
        "score_threshold": 0.05,
        "max_per_frame": 20,
        "batch_size": 4,
    },
    "tracker": {"type": "siammask", "checkpoint": "bundled:siammask_small", "preset": "davis", "stages": 2},
    "tracking": {"max_alive": 20, "shots": {"cut_likeness": 0.5}},
}


def test_a_damaged_config_is_settings_or_one_line(tmp_path: Path) -> None:
    for number in cases(700):
        rng = random.Random(f"config {number}")
        path = tmp_path / rng.choice(["config.json", "config.yaml"])
        path.write_bytes(damaged(json.dumps(SOUND).encode(), rng))
        try:
            load_pipeline(str(path))
        except UserError as error:
            assert "config" in str(error), f"case {number}: {error}"
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
                continue  # of which the command line makes a line
            raise AssertionError(f"case {number}: {path.read_bytes()!r}") from error
