"""Sentences to vectors with MiniLM (int8, ONNX): mean-pooled, of length one, so that a dot product is the cosine."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.errors import PartFailed

DIMENSIONS = 384
MAX_TOKENS = 256

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Gives texts a place in meaning."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32[len(texts), 384], each row of length one. Blocks: call it in a thread."""
        ...


class MiniLM:
    """all-MiniLM-L6-v2 from a directory with model.onnx and tokenizer.json.

    Nothing is loaded before the first call, so that a process may fork in between. One thread: a worker's cores belong
    to the voice and the face. Raises PartFailed("store") when the files cannot be used.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = Lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32[len(texts), 384]. One text at a time: int8 scales span a batch, so neighbours would change it."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            session, tokenizer = self._loaded
        rows = [_one(session, tokenizer.encode(text)) for text in texts]
        return np.array(rows, np.float32).reshape(len(rows), DIMENSIONS)

    def _load(self) -> tuple[Any, Any]:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            tokenizer = Tokenizer.from_file(str(self._directory / "tokenizer.json"))
            session = onnxruntime.InferenceSession(
                str(self._directory / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise bare Exceptions
            raise PartFailed("store", f"the embedding model in {self._directory} cannot be used: {error}") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        return session, tokenizer


def _one(session: Any, encoding: Any) -> Vectors:
    ids = np.array([encoding.ids], np.int64)
    every = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    named = {each.name: every[each.name] for each in session.get_inputs()}
    tokens: Vectors = session.run(None, named)[0][0]
    mean = tokens.mean(axis=0)
    unit: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
    return unit
