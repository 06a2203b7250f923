"""Our speech server: the ElevenLabs API over any speech engine."""

from integrations.speech_server.app import make_app

__all__ = ["make_app"]
