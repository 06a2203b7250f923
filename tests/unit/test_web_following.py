"""What stands on the wire of an event stream."""

import json

import pytest
from aiohttp.test_utils import make_mocked_request

from integrations.web.following import encode, resume_point


def test_an_event_is_one_line_of_data_whatever_is_in_it() -> None:
    wire = encode("delta", {"text": "a\n\nevent: done\r\ndata: x\u2028"}, "5-0").decode()
    lines = wire.split("\n")
    assert lines[:2] == ["id: 5-0", "event: delta"]
    assert json.loads(lines[2].removeprefix("data: "))["text"].startswith("a\n\nevent: done")
    assert wire.endswith("\n\n")
    assert "\r" not in wire


def test_what_is_no_event_of_the_stream_has_no_id() -> None:
    assert encode("settled", {}).startswith(b"event: settled\n")


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        ("7-0", "3-0", "7-0"),
        (None, "3-0", "3-0"),
        (None, "12", "12"),
        (None, "$", "0"),
        ("(5-0", "", "0"),
        ("9" * 50, "", "0"),
        (None, "", "0"),
    ],
)
def test_where_to_go_on(header: str | None, query: str, expected: str) -> None:
    headers = {"Last-Event-ID": header} if header else {}
    assert resume_point(make_mocked_request("GET", f"/x?after={query}", headers=headers)) == expected
