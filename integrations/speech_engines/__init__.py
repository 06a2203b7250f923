"""What our speech server can speak with. Each engine keeps its vendor to itself and gives `Piece`s."""

from integrations.speech_engines.engine import Engine, Mark, Piece, VoiceInfo

__all__ = ["Engine", "Mark", "Piece", "VoiceInfo"]
