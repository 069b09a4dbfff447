"""The contracts between the parts: frames, detections, splits and tracks; light to import."""
