"""Every `vis-pipeline` line of the pages, under torchrun too, is one that the command line understands."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from vis_pipeline.cli.app import app

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "vis_pipeline/weights").glob("*.md")),
]
START = re.compile(r"(vis-pipeline|torchrun [^\n]*-m vis_pipeline) ")
RECIPES = sorted((ROOT / "configs/recipes").glob("[a-z]*.py"))


def commands(text: str) -> list[list[str]]:
    """The arguments of each command of a page, its continued lines joined and its comments dropped."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [line.strip() for line in joined.splitlines()]
    started = [(line, START.match(line)) for line in lines]
    return [shlex.split(line[match.end() :], comments=True) for line, match in started if match]


def refusal(command: Any, name: str, arguments: list[str]) -> str:
    """What the command line has against it; nothing where it would run."""
    try:
        context = command.make_context(name, list(arguments))
        if hasattr(command, "resolve_command"):
            chosen, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            return refusal(inner, chosen, rest)
    except Exception as error:
        return f"{name} {' '.join(arguments)}: {getattr(error, 'message', error)}"
    return ""


@pytest.mark.parametrize("page", [*PAGES, *RECIPES], ids=lambda path: path.name)
def test_commands_are_understood(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page in RECIPES:
        text = text.removeprefix('"""')
        assert START.match(text)
    for arguments in commands(text):
        assert not refusal(typer.main.get_command(app), "vis-pipeline", arguments)


def test_the_pages_have_commands() -> None:
    assert len(commands((ROOT / "README.md").read_text())) > 8
    wrong = ["run", "procedural_small", "--splitt", "a"]
    assert "No such option: --splitt" in refusal(typer.main.get_command(app), "vis-pipeline", wrong)
