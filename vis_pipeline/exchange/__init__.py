"""Tracks in the forms of other tools: one module a form, written from and read into :class:`VideoTracks`."""
