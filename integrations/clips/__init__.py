"""Recordings of answers: MP4 with pictures, M4A without."""

from integrations.clips.recorder import ClipRecorder

__all__ = ["ClipRecorder"]
