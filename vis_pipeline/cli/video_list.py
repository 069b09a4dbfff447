"""The option `--videos`, as in 1,4,7."""

from vis_pipeline.errors import DataError


def video_ids(text: str) -> tuple[int, ...]:
    """The ids, in the order given.

    Raises:
        DataError: something there is no number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise DataError(f"--videos {text}: not a list of video ids such as 1,4,7") from error
