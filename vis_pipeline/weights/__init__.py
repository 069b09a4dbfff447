"""Weights: files, the bundled ones, and the published ones by name."""
