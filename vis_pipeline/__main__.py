"""`python -m vis_pipeline` is the same as `vis-pipeline`."""

from vis_pipeline.cli.app import main

if __name__ == "__main__":
    main()
