"""The command-line application: collects the commands and turns user errors into one line and exit code 2."""

import errno
import io
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from tempfile import gettempdir
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from vis_pipeline import __version__, interrupt
from vis_pipeline.errors import UserError
from vis_pipeline.settings.cores import limit_threads
from vis_pipeline.terminal import OUTPUT, Terminal, echo, naming_output

COMMAND_MODULES = (
    "doctor",
    "synth",
    "compose",
    "davis",
    "to_vis",
    "to_sot",
    "exchange",
    "split",
    "run",
    "edit",
    "submit",
    "evaluate",
    "visualize",
    "bridges",
    "sot",
    "sot_scores",
    "vos_scores",
    "trax",
    "to_vot",
    "train",
    "weights",
    "bench",
    "demo",
    "report",
)

OWN_PACKAGES = ("vis_pipeline", "detectors", "evaluation", "configs")

# Characters of a name that is too long.
_SHOWN = 60
# What a disk or a pipe says that takes no more.
_NOT_TAKEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EPIPE)

app = typer.Typer(
    name="vis-pipeline",
    help="Multi-object video instance segmentation: HTC, two-stage SiamMask and the Hungarian algorithm.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    safe_config: Annotated[
        bool,
        typer.Option(
            "--safe-config",
            help="Refuse configs that are code. A .py config is run; YAML and JSON are only read.",
        ),
    ] = False,
) -> None:
    if safe_config:
        from vis_pipeline.settings.config import refuse_code

        refuse_code()


for _module in COMMAND_MODULES:
    import_module(f"vis_pipeline.cli.{_module}").register(app)


def main() -> None:
    """Run the command line; `--debug`, anywhere, shows the traceback of a user error before its line."""
    debug, safe = "--debug" in sys.argv, "--safe-config" in sys.argv
    rest = [argument for argument in sys.argv[1:] if argument not in ("--debug", "--safe-config")]
    # Typer takes the application's own options before the command only.
    sys.argv = [sys.argv[0], *(["--safe-config"] if safe else []), *rest]
    for stream in (sys.stdout, sys.stderr):
        # Names and signs that a terminal cannot show become question marks, not errors.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    limit_threads()
    with interrupt.ending_orderly():
        _carry_out(debug)


def _carry_out(debug: bool) -> None:
    try:
        try:
            app()
        finally:
            # What a full disk behind `>` did not take is known here only.
            with naming_output():
                sys.stdout.flush()
    except UserError as error:
        _leave(_one_line(error), debug)
    except ModuleNotFoundError as error:
        # The evaluator alone does without most packages (docs/evaluation.md).
        if error.name is None or error.name.partition(".")[0] in OWN_PACKAGES:
            raise
        _leave(f"{error.name} is not installed, which this command needs; `vis-pipeline doctor` says how to", debug)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            # What is asked of a path on its way to the command's own checks.
            _leave(f"{str(error.filename)[:_SHOWN]}...: {error.strerror}", debug)
        if error.errno not in _NOT_TAKEN:
            raise
        if error.filename == OUTPUT:
            _forget_output()
        where = error.filename or f"a file, perhaps in {gettempdir()}"
        _leave(f"{where}: cannot be written ({error.strerror})", debug)


def _leave(line: str, debug: bool) -> NoReturn:
    if interrupt.received() is not None:
        raise KeyboardInterrupt  # the error is what the signal led to
    if debug:
        traceback.print_exc()
    with suppress(OSError):
        Terminal(stderr=True, soft_wrap=True).print(Text.assemble(("error:", "red"), f" {line}"))
    sys.exit(2)


def _forget_output() -> None:
    """Python would try once more to write what is left, and end with a code of its own."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _one_line(error: UserError) -> str:
    return " ".join(str(error).split())
