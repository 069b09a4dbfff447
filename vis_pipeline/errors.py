"""Errors that a user can mend: the command line prints their one line and exits with code 2."""


class UserError(Exception):
    """A fault in what the user gave. Its text is one line that names the culprit and what to do."""


class ConfigError(UserError):
    """A config file, key or value that cannot be used."""


class DataError(UserError):
    """A split, frame, video, detection or result file that cannot be used."""


class WeightsError(UserError):
    """A checkpoint that is missing, damaged, or does not fit the network."""
