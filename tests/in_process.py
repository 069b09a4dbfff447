"""Commands in the test's own process, for tests that give many."""

import contextlib
import io
import sys

from vis_pipeline.cli.app import main


def command_line(*words: object) -> tuple[int, str]:
    """Exit code and standard error of a command in this process; any error but the user's goes through."""
    earlier, errors, code = sys.argv, io.StringIO(), 0
    sys.argv = ["vis-pipeline", *map(str, words)]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            main()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        sys.argv = earlier
    return code, errors.getvalue()
