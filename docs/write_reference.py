"""Write the API reference of the public packages, from their docstrings: `python docs/write_reference.py SITE`."""

import sys
from pathlib import Path

import pdoc

import vis_pipeline

PUBLIC = ("vis_pipeline", "vis_pipeline.structures", "vis_pipeline.masks", "evaluation", "detectors")


def write_reference(site: Path) -> None:
    """Write a page a module into the folder `site`."""
    # What the package imports when it is asked for, pdoc sees only where it is there already.
    for name in vis_pipeline.__all__:
        setattr(vis_pipeline, name, getattr(vis_pipeline, name))
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(*PUBLIC, output_directory=site)


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
