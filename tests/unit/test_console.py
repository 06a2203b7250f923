"""What reaches the terminal, and what stays in the logs."""

import io

from rich.console import Console

from workers.console import Terminal


def shown(*lines: str, quiet: bool = False) -> list[str]:
    out = io.StringIO()
    terminal = Terminal(("gateway", "model"), Console(file=out, width=80))
    terminal.quiet = quiet
    for line in lines:
        terminal.line("model", line)
    return out.getvalue().splitlines()


def test_warnings_and_our_own_few_lines_are_shown() -> None:
    assert shown(
        "12:00:00 INFO workers.model listening port=1",
        "12:00:00 INFO celery.worker ready",
        "a line that somebody printed",
        "12:00:01 WARNING bot.reply out of time",
        "",
    ) == [
        "  model | 12:00:00 INFO workers.model listening port=1",
        "  model | 12:00:01 WARNING bot.reply out of time",
    ]


def test_of_what_follows_an_error_only_the_beginning() -> None:
    lines = shown("12:00:01 ERROR x broke", *(f"frame {number}" for number in range(30)), "12:00:02 INFO x well")
    assert lines == ["  model | 12:00:01 ERROR x broke", "  model | frame 0", "  model | frame 1"]


def test_a_long_line_is_cut() -> None:
    (line,) = shown("12:00:01 ERROR x " + "y" * 1000)
    assert line.endswith("y ...")
    assert len(line) < 300


def test_while_ending_only_the_logs_are_told() -> None:
    assert shown("12:00:01 ERROR x broke", quiet=True) == []


def test_words_in_brackets_are_no_markup() -> None:
    assert shown("12:00:01 ERROR x [red]alert[/red]") == ["  model | 12:00:01 ERROR x [red]alert[/red]"]
