"""`vis-pipeline doctor`."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Check the installation: what is wrong, and how to mend it. Exits with 2 where the pipeline cannot run."""
    from rich.text import Text

    from vis_pipeline.doctor import run_checks, usable
    from vis_pipeline.terminal import Terminal

    console = Terminal(soft_wrap=True)
    with console.status("importing torch, mmcv, mmdet, Ray ..."):
        checks = run_checks()
    for check in checks:
        mark = ("ok     ", "green") if check.ok else ("PROBLEM", "red") if check.needed else ("note   ", "yellow")
        line = Text.assemble(mark, f" {check.name:<16} {check.detail}")
        console.print(line if check.ok else Text.assemble(line, ". ", ("To mend:", "bold"), f" {check.mend}"))
    if not usable(checks):
        raise typer.Exit(2)
