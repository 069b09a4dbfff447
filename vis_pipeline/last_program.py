"""What a process turns into to end what it started: `last_program.py PATH CODE [FOLDER]`, with psutil in PATH.

:mod:`~vis_pipeline.interrupt` does so where a thread of a library would end the process in its own way as soon as it
missed the children: no thread is left here.
"""

import os
import shutil
import sys
import time
from contextlib import suppress

_SECONDS = 1.5
_STEP_SECONDS = 0.01


def end_children() -> None:
    """Kill all children, theirs, and those that come to this process as their parents die; for a second and a half."""
    import psutil

    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        left = psutil.Process().children(recursive=True)
        for child in left:
            with suppress(psutil.Error):
                child.kill()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not left:
            return
        time.sleep(_STEP_SECONDS)


if __name__ == "__main__":
    _, path, code, *folders = sys.argv
    sys.path.append(path)
    try:
        end_children()
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        os._exit(int(code))
