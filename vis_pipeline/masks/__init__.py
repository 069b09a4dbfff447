"""Masks: run-length encoded ones, their boxes, outlines and overlaps. The functions on single masks are its face."""

from vis_pipeline.masks.rle import Rle, area, bounding_boxes, decode, encode, from_segmentation, from_segmentations

__all__ = ["Rle", "area", "bounding_boxes", "decode", "encode", "from_segmentation", "from_segmentations"]
