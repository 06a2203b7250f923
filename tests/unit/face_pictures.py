"""Photos for tests, from packages that may be used so. None of them is kept in this repository."""

import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.settings import Settings


@cache
def _astronaut_png() -> bytes:
    """NASA's public-domain portrait that scikit-image carries. The package is downloaded once, never installed."""
    kept = Settings(_env_file=None).cache_dir / "tests"
    kept.mkdir(parents=True, exist_ok=True)
    picture = kept / "astronaut.png"
    if not picture.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(kept), "scikit-image==0.26.0"]
        done = subprocess.run(command, capture_output=True, check=False)
        wheels = sorted(kept.glob("scikit_image*.whl"))
        if done.returncode or not wheels:
            pytest.skip("scikit-image, which carries the portrait, cannot be downloaded")
        with zipfile.ZipFile(wheels[0]) as wheel:
            picture.write_bytes(wheel.read("skimage/data/astronaut.png"))
        wheels[0].unlink()
    return picture.read_bytes()


def astronaut(folder: Path, scale: float = 1) -> Path:
    """A smiling face of about 110 pixels, times `scale`."""
    picture = cv2.imdecode(np.frombuffer(_astronaut_png(), np.uint8), cv2.IMREAD_COLOR)
    path = folder / f"astronaut-{scale}.png"
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)
    assert cv2.imwrite(str(path), larger)
    return path
