"""`python -m vis_pipeline` is the same as `vis-pipeline`."""

from vis_pipeline import interrupt


def main() -> None:
    """Run the command line; signals are minded while it is being imported, too."""
    try:
        with interrupt.ending_orderly():
            from vis_pipeline.cli.app import main

            main()
    finally:
        interrupt.mind_no_more()


if __name__ == "__main__":
    main()
