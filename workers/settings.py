"""The one place that reads the environment. Every outside address is a setting; see docs/settings.md."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


def _cache_dir() -> Path:
    import os

    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "understudy"


class Settings(BaseSettings):
    """Flat and typed. Each field is the variable UNDERSTUDY_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="UNDERSTUDY_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("var"), description="Where the embedded servers and the clips keep their data")
    cache_dir: Path = Field(default_factory=_cache_dir, description="Where fetched model files are kept")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="From which weight on a line is logged"
    )

    database_url: str = Field("", description="postgresql+psycopg://...; empty: the embedded Postgres")
    queue_url: str = Field("", description="redis://...; empty: the embedded Valkey")
    blob_dir: Path | None = Field(None, description="Folder of clips; empty: DATA_DIR/blobs")

    host: str = Field(
        "127.0.0.1", description="Address on which the gateway listens; loopback only, as it has no login"
    )
    port: int = Field(8088, ge=0, le=65535, description="Port on which the gateway listens")
    public_url: str = Field("", description="How people reach the gateway; empty: http://HOST:PORT")

    model_url: str = Field("", description="OpenAI-compatible base URL (.../v1); empty: the embedded server")
    model_name: str = Field("understudy-chat", description="The model's name on that server")
    model_key: SecretStr = Field(SecretStr(""), description="Key that the model server asks for; empty: none")
    model_lite: bool = Field(False, description="The embedded server takes the 0.5B model")
    model_port: int = Field(8089, description="Where the embedded model server listens")

    speech_url: str = Field("", description="ElevenLabs-compatible base URL; empty: our own speech server")
    speech_key: SecretStr = Field(SecretStr(""), description="Key that the speech server asks for; empty: none")
    speech_port: int = Field(8090, description="Where our speech server listens")
    speech_engine: Literal["kokoro", "xtts"] = Field("kokoro", description="What our speech server speaks with")
    speech_threads: int = Field(2, ge=1, description="Processor threads that speak one clause")
    speech_xtts_dir: Path | None = Field(None, description="Folder of the XTTS v2 weights, which you bring")
    coqui_licence_accepted: bool = Field(False, description="You have read XTTS' licence: non-commercial use only")

    secret_key: SecretStr = Field(SecretStr(""), description="Signs cookies; empty: made once and kept in DATA_DIR")
    slack_bot_token: SecretStr = Field(SecretStr(""), description="xoxb-...; empty: no Slack")
    slack_signing_secret: SecretStr = Field(SecretStr(""), description="Proves that an HTTP event comes from Slack")
    slack_app_token: SecretStr = Field(SecretStr(""), description="xapp-...: Socket Mode instead of HTTP events")
    slack_api_url: str = Field("https://slack.com/api/", description="Slack's Web API")

    default_persona: str = Field("grace-hopper", description="Who answers those who have not chosen")
    personas_dir: Path = Field(Path("personas"), description="Folders of personas that `understudy up` loads")
    reply_seconds: int = Field(180, description="Time in which a question must be answered")
    reply_processes: int = Field(2, ge=1, description="Written answers made at once by one replies worker")
    clip_processes: int = Field(1, ge=1, description="Spoken and filmed answers made at once by one replies worker")
    log_json: bool = Field(False, description="Logs as one JSON object a line")


@lru_cache
def settings() -> Settings:
    """The settings of this process. Exits naming the variable when one cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "UNDERSTUDY_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SystemExit(f"{name}: {first['msg']}") from None
