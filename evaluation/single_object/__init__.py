"""Following one object, scored as GOT-10k, OTB, LaSOT and VOT do: functions over boxes, and readers of files."""
