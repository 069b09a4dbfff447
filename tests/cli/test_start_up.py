"""What the command line loads before it knows which command is wanted."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_library_of_arrays_or_networks_is_loaded_for_the_commands_names() -> None:
    """Each takes as long as all the rest of the start."""
    script = "import sys, vis_pipeline.cli.app; print({'numpy', 'cv2', 'torch', 'ray', 'av'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
