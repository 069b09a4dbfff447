"""Trackers: how detections become tracks."""
