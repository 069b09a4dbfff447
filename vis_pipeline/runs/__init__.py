"""Runs: videos through a pipeline into a folder."""
