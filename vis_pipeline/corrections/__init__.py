"""Corrections by hand: a list of edits, what it makes of a video's tracks, and the run that comes of it."""
