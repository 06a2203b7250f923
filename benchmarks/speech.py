"""How soon the first clause is there, and how fast the whole text, on this machine.

python benchmarks/speech.py [--voice af_kore] [--threads 2] [--together 1]
"""

import time
from concurrent.futures import ThreadPoolExecutor

import click

from bot.media import seconds
from integrations.models import ModelStore
from integrations.speech_engines.kokoro import KokoroEngine
from workers.settings import settings

TEXTS = {
    "short": "Yes, I do.",
    "usual": "I was born in 1906, in New York City. At seven I took apart seven alarm clocks, to see how they worked.",
    "long": "People are allergic to change; they love to say, we have always done it this way. I try to fight that. "
    "That is why I have a clock on my wall that runs counter-clockwise. It took a while, but visitors learned to read "
    "it, and then they saw that there was never a good reason for clocks to run the other way round.",
}


@click.command()
@click.option("--voice", default="af_kore")
@click.option("--threads", default=2, help="Threads on one clause.")
@click.option("--together", default=1, help="Texts spoken at once.")
def main(voice: str, threads: int, together: int) -> None:
    """Print one line a text."""
    store = ModelStore(settings().cache_dir)
    engine = KokoroEngine(store.path("kokoro"), store.path("kokoro-voices"), threads=threads)
    began = time.perf_counter()
    engine.warm()
    print(f"loaded and warm in {time.perf_counter() - began:.2f} s; {threads} threads, {together} at once")
    for name, text in TEXTS.items():
        with ThreadPoolExecutor(together) as pool:
            for first, total, sound in pool.map(lambda _, text=text: _speak(engine, text, voice), range(together)):
                print(
                    f"{name:6} first clause {first:5.2f} s   all {total:5.2f} s of {sound:5.2f} s: {total / sound:.2f}"
                )


def _speak(engine: KokoroEngine, text: str, voice: str) -> tuple[float, float, float]:
    began, first, sound = time.perf_counter(), 0.0, 0
    for piece in engine.synthesize(text, voice, "en", 1.0):
        first = first or time.perf_counter() - began
        sound += piece.length
    return first, time.perf_counter() - began, seconds(sound)


if __name__ == "__main__":
    main()
