"""Packaged config files (mmengine form)."""
