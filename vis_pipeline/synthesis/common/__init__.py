"""What all makers of videos share: smooth motion, the camera's exposure, visibility, and writing a split."""
