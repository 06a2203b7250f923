"""Kokoro-82M (Apache-2.0) on a CPU, without any GPL part: the default engine."""

from integrations.speech_engines.kokoro.engine import KokoroEngine

__all__ = ["KokoroEngine"]
