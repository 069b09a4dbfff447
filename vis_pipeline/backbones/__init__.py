"""Trunks that the detector and the tracker share."""
