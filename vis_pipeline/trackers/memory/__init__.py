"""Memory: tracks that went out of sight are known again when their object comes back, wherever that is."""

from vis_pipeline.trackers.memory.memory import Memory, NoMemory, Recalled, Remembering, Sighting
from vis_pipeline.trackers.memory.questions import Questions
from vis_pipeline.trackers.memory.recogniser import Recogniser, Unasked
from vis_pipeline.trackers.memory.settings import MemorySettings

__all__ = [
    "Memory",
    "MemorySettings",
    "NoMemory",
    "Questions",
    "Recalled",
    "Recogniser",
    "Remembering",
    "Sighting",
    "Unasked",
]
