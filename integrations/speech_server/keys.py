"""What the application holds for its handlers."""

import asyncio

from aiohttp import web

from integrations.speech_server.speaking import Speaking

SPEAKING = web.AppKey("speaking", Speaking)
API_KEY = web.AppKey("api_key", str)
WARMING = web.AppKey("warming", asyncio.Task[None])
