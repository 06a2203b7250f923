"""What a frame of the portrait costs on one core, mouth closed and open. Run: python -m benchmarks.face [face.npz]"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from integrations.faces.portrait import Enrolled, enrol
from integrations.faces.portrait.motion import Motion
from integrations.faces.portrait.render import Expression, Renderer
from integrations.faces.portrait.rig import Base

FRAMES = 300


def measure(enrolled: Enrolled, jaw: float) -> np.ndarray:
    """Milliseconds of processor time for each of 300 frames, with lids, gaze and head in motion."""
    renderer, motion = Renderer(enrolled), Motion(1)
    weights = np.zeros(len(Base), np.float32)
    weights[[Base.JAW, Base.UPPER, Base.SMILE]] = jaw, 0.3 * jaw, 0.1
    renderer.draw(Expression(weights))
    taken = []
    for frame in range(FRAMES):
        manner = motion.at(frame / 25, talking=1)
        pose = Expression(weights, 0.3, manner.blink, manner.gaze, manner.turn, manner.shift, manner.breath)
        start = time.thread_time()
        renderer.draw(pose)
        taken.append((time.thread_time() - start) * 1000)
    return np.array(taken)


def main() -> None:
    cv2.setNumThreads(1)
    if len(sys.argv) > 1:
        enrolled = Enrolled.load(Path(sys.argv[1]))
    else:
        from integrations.models import ModelStore
        from workers.settings import settings

        models = ModelStore(settings().cache_dir)
        start = time.perf_counter()
        enrolled = enrol(models.path("grace-hopper-portrait"), None, models)
        print(f"enrolment  {time.perf_counter() - start:5.2f} s")
    for name, jaw in (("closed", 0.0), ("open", 0.8)):
        taken = measure(enrolled, jaw)
        low, middle, high = taken.min(), np.median(taken), np.percentile(taken, 95)
        print(f"{name:9}  median {middle:5.2f} ms   best {low:5.2f}   95 % {high:5.2f}")


if __name__ == "__main__":
    main()
