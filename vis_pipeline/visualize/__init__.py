"""Pictures of a run: overlays as mp4, contact sheets, identity timelines."""
