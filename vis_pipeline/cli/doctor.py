"""`vis-pipeline doctor`."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor() -> None:
    """Check the installation: what is wrong, and how to mend it. Exits with 2 where the pipeline cannot run."""
    from rich.console import Console
    from rich.markup import escape

    from vis_pipeline.doctor import run_checks, usable

    console = Console(soft_wrap=True, highlight=False)
    with console.status("importing torch, mmcv, mmdet, Ray ..."):
        checks = run_checks()
    for check in checks:
        mark = (
            "[green]ok     [/green]"
            if check.ok
            else "[red]PROBLEM[/red]"
            if check.needed
            else "[yellow]note   [/yellow]"
        )
        mend = "" if check.ok else f" [bold]To mend:[/bold] {escape(check.mend)}"
        console.print(f"{mark} {check.name:<16} {escape(check.detail)}{'' if check.ok else '.'}{mend}")
    if not usable(checks):
        raise typer.Exit(2)
