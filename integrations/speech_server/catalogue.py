"""Voices, models and the user: what a client asks before it speaks."""

from aiohttp import BodyPartReader, web

from bot.errors import NotAllowed, NotFound
from integrations.speech_engines import Engine, VoiceInfo
from integrations.speech_server.keys import SPEAKING
from integrations.speech_server.problems import Problem, malformed, voice_not_found
from integrations.speech_server.requests import LONGEST_TEXT

_SETTINGS = {"stability": 0.5, "similarity_boost": 0.75, "style": 0.0, "use_speaker_boost": False, "speed": 1.0}
_LARGEST_RECORDING = 20 * 1024 * 1024


async def voices(request: web.Request) -> web.Response:
    """GET /v1/voices"""
    engine = request.app[SPEAKING].engine
    return web.json_response({"voices": [_voice(engine, info) for info in engine.voices()]})


async def search(request: web.Request) -> web.Response:
    """GET /v2/voices with `search`, `category`, `sort`, `sort_direction`, `page_size`, `next_page_token`."""
    engine, query = request.app[SPEAKING].engine, request.query
    found = [info for info in engine.voices() if _matches(info, query.get("search", ""), query.get("category", ""))]
    if ids := query.getall("voice_ids", []):
        found = [info for info in found if info.id in ids]
    if query.get("sort") == "name":
        found.sort(key=lambda info: info.name, reverse=query.get("sort_direction") == "desc")
    try:
        size = min(max(int(query.get("page_size", 10)), 1), 100)
        start = int(query.get("next_page_token") or 0)
    except ValueError:
        return malformed(
            [{"loc": ["query", "page_size"], "msg": "Input should be a valid integer", "type": "int_parsing"}]
        )
    page, more = found[start : start + size], start + size < len(found)
    return web.json_response(
        {
            "voices": [_voice(engine, info) for info in page],
            "has_more": more,
            "total_count": len(found),
            "next_page_token": str(start + size) if more else None,
        }
    )


async def voice(request: web.Request) -> web.Response:
    """GET /v1/voices/{voice}"""
    engine, wanted = request.app[SPEAKING].engine, request.match_info["voice"]
    for info in engine.voices():
        if info.id == wanted:
            return web.json_response(_voice(engine, info))
    raise voice_not_found(wanted)


async def settings(request: web.Request) -> web.Response:
    """GET /v1/voices/settings/default and /v1/voices/{voice}/settings"""
    return web.json_response(_SETTINGS)


async def delete(request: web.Request) -> web.Response:
    """DELETE /v1/voices/{voice}"""
    speaking, wanted = request.app[SPEAKING], request.match_info["voice"]
    try:
        await speaking.run(lambda: speaking.engine.forget(wanted))
    except NotFound:
        raise voice_not_found(wanted) from None
    except NotAllowed as error:
        raise Problem(400, "voice_can_not_be_deleted", str(error)) from None
    return web.json_response({"status": "ok"})


async def add(request: web.Request) -> web.Response:
    """POST /v1/voices/add: learn a voice from recordings, where the engine can."""
    speaking = request.app[SPEAKING]
    if not speaking.engine.clones:
        raise Problem(
            400,
            "can_not_use_instant_voice_cloning",
            f"{speaking.engine.title} cannot learn a voice from recordings; it speaks with its own voices only.",
        )
    name, recordings = await _recordings(request)
    if not name or not recordings:
        missing = "files" if name else "name"
        return malformed([{"loc": ["body", missing], "msg": "Field required", "type": "missing"}])
    info = await speaking.run(lambda: speaking.engine.clone(name, recordings))
    return web.json_response({"voice_id": info.id, "requires_verification": False})


async def models(request: web.Request) -> web.Response:
    """GET /v1/models"""
    engine = request.app[SPEAKING].engine
    names = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese"}
    model = {
        "model_id": engine.name,
        "name": engine.title,
        "description": "Runs on this machine.",
        "can_do_text_to_speech": True,
        "can_do_voice_conversion": False,
        "can_be_finetuned": False,
        "can_use_style": False,
        "can_use_speaker_boost": False,
        "serves_pro_voices": False,
        "requires_alpha_access": False,
        "token_cost_factor": 0.0,
        "max_characters_request_free_user": LONGEST_TEXT,
        "max_characters_request_subscribed_user": LONGEST_TEXT,
        "maximum_text_length_per_request": LONGEST_TEXT,
        "languages": [{"language_id": code, "name": names.get(code, code)} for code in engine.languages],
        "model_rates": {"character_cost_multiplier": 0.0},
        "concurrency_group": "standard",
    }
    return web.json_response([model])


async def user(request: web.Request) -> web.Response:
    """GET /v1/user: nobody in particular; there is nothing to pay and no account."""
    engine = request.app[SPEAKING].engine
    return web.json_response(
        {
            "user_id": "understudy",
            "workspace_id": "understudy",
            "subscription": _subscription(engine),
            "is_new_user": False,
            "can_use_delayed_payment_methods": False,
            "is_onboarding_completed": True,
            "is_onboarding_checklist_completed": True,
            "created_at": 0,
            "seat_type": "workspace_member",
        }
    )


async def subscription(request: web.Request) -> web.Response:
    """GET /v1/user/subscription"""
    return web.json_response(_subscription(request.app[SPEAKING].engine))


def _subscription(engine: Engine) -> dict[str, object]:
    return {
        "tier": "self-hosted",
        "character_count": 0,
        "character_limit": 2**31 - 1,
        "max_credit_limit_extension": 0,
        "can_extend_character_limit": False,
        "allowed_to_extend_character_limit": False,
        "voice_slots_used": len(engine.voices()),
        "professional_voice_slots_used": 0,
        "professional_voice_slots_used_in_workspace": 0,
        "voice_limit": 1000,
        "voice_add_edit_counter": 0,
        "professional_voice_limit": 0,
        "can_extend_voice_limit": False,
        "can_use_instant_voice_cloning": engine.clones,
        "can_use_professional_voice_cloning": False,
        "currency": "usd",
        "current_overage": {"amount": "0", "currency": "usd"},
        "status": "active",
    }


def _voice(engine: Engine, info: VoiceInfo) -> dict[str, object]:
    return {
        "voice_id": info.id,
        "name": info.name,
        "category": info.category,
        "description": info.description,
        "labels": info.labels | {"language": info.language},
        "samples": None,
        "preview_url": None,
        "available_for_tiers": [],
        "settings": _SETTINGS,
        "high_quality_base_model_ids": [engine.name],
        "verified_languages": [{"language": info.language, "model_id": engine.name}],
        "is_owner": False,
    }


def _matches(info: VoiceInfo, words: str, category: str) -> bool:
    text = " ".join([info.id, info.name, info.description, *info.labels.values()]).lower()
    return all(word in text for word in words.lower().split()) and category in ("", info.category)


async def _recordings(request: web.Request) -> tuple[str, list[bytes]]:
    """The form's name and files, 20 MB in all."""
    name, left = "", _LARGEST_RECORDING
    files: list[bytes] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytearray()
        while chunk := await part.read_chunk():
            left -= len(chunk)
            if left < 0:
                raise Problem(413, "upload_too_large", f"Recordings may have {_LARGEST_RECORDING // 2**20} MB in all.")
            data += chunk
        if part.name == "name":
            name = data.decode(errors="replace").strip()[:100]
        elif part.name in ("files", "files[]"):
            files.append(bytes(data))
    return name, files
