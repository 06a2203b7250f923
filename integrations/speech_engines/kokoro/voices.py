"""The English voices that come with Kokoro, with names for people."""

from dataclasses import dataclass

from integrations.speech_engines.engine import VoiceInfo


@dataclass(frozen=True, slots=True)
class Stock:
    """A voice, and the gain in dB that brings it to the common loudness."""

    info: VoiceInfo
    gain: float


_TABLE = """
af_heart    Heart     female american young         2.4  warm and clear; the model's best
af_bella    Bella     female american young         1.8  lively, close to the microphone
af_nicole   Nicole    female american young         1.1  whispering, slow
af_aoede    Aoede     female american young        -2.4  bright and even
af_kore     Kore      female american middle_aged  -1.7  low, firm, matter-of-fact
af_sarah    Sarah     female american middle_aged   0.4  composed, a newsreader
af_alloy    Alloy     female american middle_aged   1.1  low and dry
af_nova     Nova      female american middle_aged   6.1  calm and confident
af_sky      Sky       female american young         3.4  soft
af_jessica  Jessica   female american young         1.6  high and quick
af_river    River     female american young         1.0  relaxed
am_michael  Michael   male   american middle_aged   3.4  warm, measured
am_fenrir   Fenrir    male   american middle_aged  -1.0  energetic
am_puck     Puck      male   american young        -1.6  friendly
am_adam     Adam      male   american middle_aged  -1.8  plain
am_echo     Echo      male   american young         1.6  even
am_eric     Eric      male   american young         1.0  light
am_liam     Liam      male   american young         1.3  brisk
am_onyx     Onyx      male   american old           2.1  very deep
am_santa    Nicholas  male   american old           2.1  jolly
bf_emma     Emma      female british  middle_aged  -0.2  composed
bf_isabella Isabella  female british  young        -2.7  bright
bf_alice    Alice     female british  young         0.4  high
bf_lily     Lily      female british  young         0.9  soft
bm_george   George    male   british  middle_aged   1.3  measured
bm_fable    Fable     male   british  middle_aged   1.1  a storyteller
bm_daniel   Daniel    male   british  middle_aged   1.4  plain
bm_lewis    Lewis     male   british  old           3.3  deep
"""


def _stock(line: str) -> Stock:
    id_, name, gender, accent, age, gain, description = line.split(maxsplit=6)
    labels = {"gender": gender, "accent": accent, "age": age, "use_case": "conversational"}
    return Stock(VoiceInfo(id_, name, description[0].upper() + description[1:], labels=labels), float(gain))


VOICES: dict[str, Stock] = {voice.info.id: voice for voice in map(_stock, _TABLE.strip().splitlines())}
"""By Kokoro's own id. The words are pronounced the American way, whatever the accent of the voice."""
