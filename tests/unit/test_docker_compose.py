"""docker-compose.yml cannot be run where Understudy is made, so it is read and compared with the code."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from workers.cli import COMMANDS, understudy
from workers.settings import Settings
from workers.up import children
from workers.wiring import located

ROOT = Path(__file__).parents[2]
ONCE = {"fetch", "migrate", "personas"}
OTHERS = {"postgres", "valkey", "vllm"}
INSIDE = {"POSTGRES_PASSWORD", "VLLM_MODEL"}
"""What Compose asks of its caller beside Understudy's own variables."""


@cache
def compose() -> dict[str, Any]:
    """The file as Compose reads it, anchors resolved."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return read


def ours() -> dict[str, dict[str, Any]]:
    """The services that run Understudy's own image."""
    return {name: service for name, service in compose()["services"].items() if service["image"] == "understudy"}


def commands() -> list[list[str]]:
    """Every call of `understudy` that the services make, as its arguments."""
    found = [service["command"] for service in ours().values() if "command" in service]
    scripts = [word for service in ours().values() for word in service.get("entrypoint", [])]
    calls = re.findall(r"understudy ([a-z][^;&|]*)", "\n".join(scripts))
    return found + [shlex.split(call) for call in calls]


@pytest.fixture
def started() -> dict[str, list[str]]:
    """What `understudy up` starts on a machine of its own: names, and the arguments of `understudy`."""
    alone = Settings(_env_file=None, database_url="postgresql+psycopg://x", queue_url="redis://x")
    return {child.name: list(child.command[3:]) for child in children(located(alone), alone)}


def test_every_process_that_up_starts_stands_in_compose_with_the_same_command(started: dict[str, list[str]]) -> None:
    running = {name: service["command"] for name, service in ours().items() if name not in ONCE}
    assert running == started


def test_nothing_else_stands_in_it() -> None:
    assert set(compose()["services"]) == set(ours()) | OTHERS


@pytest.mark.parametrize("call", commands(), ids=" ".join)
def test_every_command_exists_and_takes_these_arguments(call: list[str]) -> None:
    assert call[0] in COMMANDS
    command: click.Command = understudy
    with click.Context(command, resilient_parsing=True) as context:
        while isinstance(command, click.Group):
            inner = command.get_command(context, call[0])
            assert inner is not None, call
            command, call = inner, call[1:]
        options = {flag for parameter in command.params for flag in parameter.opts if flag.startswith("-")}
        assert {word for word in call if word.startswith("-")} <= options


def test_every_variable_is_a_setting() -> None:
    known = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields}
    text = (ROOT / "docker-compose.yml").read_text() + (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"\bUNDERSTUDY_[A-Z_]+\b", text)) <= known
    assert set(re.findall(r"\$\{([A-Z_]+)", text)) <= known | INSIDE


def test_every_setting_reaches_the_containers() -> None:
    paths = set(re.findall(r"\bUNDERSTUDY_[A-Z_]+(?==)", (ROOT / "Dockerfile").read_text()))
    wanted = {f"UNDERSTUDY_{name.upper()}" for name in Settings.model_fields} - paths - {"UNDERSTUDY_BLOB_DIR"}
    assert wanted <= set(ours()["gateway"]["environment"])


def test_its_values_are_values_that_the_settings_take(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in defaults(ours()["gateway"]["environment"]).items():
        monkeypatch.setenv(name, value)
    read = Settings(_env_file=None)
    assert read.database_url == "postgresql+psycopg://understudy:@127.0.0.1:55432/understudy"
    assert read.model_url == f"http://127.0.0.1:{read.model_port}/v1"
    assert read.speech_url == f"http://127.0.0.1:{read.speech_port}"
    assert read.log_json
    plain = Settings.model_fields
    for name in ("slack_api_url", "reply_seconds", "speech_engine", "speech_threads", "coqui_licence_accepted"):
        assert getattr(read, name) == plain[name].default, name


def defaults(environment: dict[str, Any]) -> dict[str, str]:
    """An environment as it is when its caller sets nothing."""
    return {
        name: re.sub(r"\$\{[A-Z_]+(?::-([^}]*)|:\?[^}]*)?\}", lambda found: found.group(1) or "", str(value))
        for name, value in environment.items()
    }


def test_all_of_ours_share_one_environment_network_and_data() -> None:
    first = ours()["gateway"]
    for name, service in ours().items():
        for key in ("environment", "network_mode", "volumes", "cap_drop", "security_opt"):
            assert service[key] == first[key], (name, key)


def test_no_reference_leads_nowhere() -> None:
    services, volumes = compose()["services"], compose()["volumes"]
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, (name, other)
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], (name, other)
            else:
                assert services[other]["restart"] == "no", f"{other} never ends, so {name} would never start"
            assert "profiles" not in services[other], f"{name} would not start without the profile of {other}"
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in volumes, (name, volume)


def test_what_runs_on_says_how_it_is() -> None:
    assert {name for name, service in compose()["services"].items() if "healthcheck" not in service} == ONCE


def test_either_profile_serves_the_model_at_the_address_that_the_settings_name() -> None:
    services = compose()["services"]
    assert {name: service.get("profiles") for name, service in services.items() if "profiles" in service} == {
        "model": ["cpu"],
        "vllm": ["gpu"],
    }
    served = services["vllm"]["command"]
    url = defaults(services["gateway"]["environment"])["UNDERSTUDY_MODEL_URL"]
    assert url == f"http://{served[served.index('--host') + 1]}:{served[served.index('--port') + 1]}/v1"
    assert (
        served[served.index("--served-model-name") + 1] == services["gateway"]["environment"]["UNDERSTUDY_MODEL_NAME"]
    )


def test_nothing_can_be_reached_from_elsewhere() -> None:
    for name, service in compose()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    assert defaults(ours()["gateway"]["environment"])["UNDERSTUDY_HOST"] == "127.0.0.1"


def test_databases_listen_where_the_settings_look() -> None:
    published = {name: compose()["services"][name]["ports"][0].rpartition(":")[0] for name in ("postgres", "valkey")}
    environment = defaults(ours()["gateway"]["environment"])
    assert f"@{published['postgres']}/" in environment["UNDERSTUDY_DATABASE_URL"]
    assert f"//{published['valkey']}/" in environment["UNDERSTUDY_QUEUE_URL"]


def test_no_secret_is_inside() -> None:
    secret = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")
    for name, service in compose()["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable):
                assert re.fullmatch(r"\$\{[A-Z_]+(:-|:\?[^}]*)\}", value), (name, variable)
    assert re.findall(r"://[^:/\s]+:(\$\{[^}]*\}|[^@\s]+)@", (ROOT / "docker-compose.yml").read_text()) == [
        "${POSTGRES_PASSWORD:?choose a password for the database}"
    ]


def test_the_image_holds_what_the_code_needs_and_is_not_root() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert {"bot", "integrations", "workers", "migrations", "personas", "requirements.lock"} <= copied
    assert all((ROOT / each).exists() for each in copied if not each.startswith(("--", "/")))
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {each for each in copied if not each.startswith(("--", "/"))} <= let_in
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER understudy" in last_stage
    assert 'ENTRYPOINT ["understudy"]' in last_stage
