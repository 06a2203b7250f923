"""`understudy`: one command, its parts imported only when they are asked for."""

import importlib
import sys
from collections.abc import Sequence

import click

from bot.errors import UnderstudyError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("workers.up:main", "start everything on this machine and print one address"),
    "doctor": ("workers.doctor:main", "say what is here, what is missing and how to get it"),
    "ask": ("workers.ask:main", "ask a question from the shell, as any other surface would"),
    "gateway": ("workers.gateway:main", "serve the web page, Slack and health"),
    "replies": ("workers.replies:main", "answer questions from the queue"),
    "upkeep": ("workers.upkeep:main", "do what is due by the clock"),
    "speech": ("workers.speech:main", "serve the speech engine"),
    "model": ("workers.model:main", "serve the embedded chat model"),
    "models": ("workers.models_cli:main", "list and fetch model files"),
    "persona": ("workers.persona_cli:main", "check and load personas"),
    "face": ("workers.face_cli:main", "enrol a face from a photo"),
    "prepare": ("workers.up:prepare", "migrate the database and load every persona"),
    "migrate": ("workers.migrations_cli:migrate", "bring the database to the newest schema"),
    "migrations-check": ("workers.migrations_cli:migrations_check", "prove that migrations and code agree"),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if isinstance(command, click.Command):
            return command
        return click.command(cmd_name, help=COMMANDS[cmd_name][1])(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"understudy {version('understudy')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version.")
def understudy() -> None:
    """Consented AI avatars of a company's leaders, on the company's own machines."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command. Exits 0 when it did its work, 1 with one sentence when it could not, 2 on wrong usage."""
    try:
        code = understudy.main(arguments, prog_name="understudy", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except UnderstudyError as error:
        click.echo(f"{click.style('understudy:', fg='red', bold=True)} {error}", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
