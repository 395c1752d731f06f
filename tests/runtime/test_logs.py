import json
import logging

import pytest

from services.runtime.logs import configure_logs
from services.runtime.redaction import redacted

SECRETS = {
    "https://cdn.example/a.jpg?X-Amz-Signature=abc&user=1": "abc",
    "HTTP://user:word@cdn.example/a.jpg": "word",
    "to <ann.o'neil+x@shop.example>": "shop.example",
    "key_a.Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6": "Zm9v",
    "https://[::1]:8080/x#fragment": "fragment",
}


@pytest.mark.parametrize("text", SECRETS)
def test_what_nobody_may_read_is_left_out(text: str) -> None:
    assert SECRETS[text] not in redacted(f"before {text} after")
    assert redacted(f"before {text} after").startswith("before ")
    assert redacted(f"before {text} after").endswith(" after")


def test_the_end_of_a_long_text_stays() -> None:
    assert redacted("word " * 10_000 + "ValueError: the end").endswith("ValueError: the end")
    assert len(redacted("word " * 10_000)) < 5_000


@pytest.mark.parametrize("text", SECRETS)
def test_an_exception_is_logged_without_secrets_and_with_the_ids(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = configure_logs("test", "info").bind(inference_id="i", index=3)
    log.error("failed", exc_info=ValueError(text))
    logging.getLogger("library").error("could not do %s", text)
    ours, theirs = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ours["service"] == "test"
    assert (ours["event"], ours["level"], ours["inference_id"], ours["index"]) == ("failed", "error", "i", 3)
    assert "ValueError" in ours["exception"]
    assert theirs["logger"] == "library"
    assert SECRETS[text] not in str(ours) + str(theirs)


@pytest.mark.parametrize("value", ["Größe", "\ud800", b"\xff", {1, 2}, object(), ValueError("x")])
def test_whatever_is_logged_is_one_line_of_json(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("test", "info").info("seen", value=value, after=1)
    [line] = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert (logged["event"], logged["service"], logged["after"]) == ("seen", "test", 1)
    assert not isinstance(value, str) or logged["value"] == value
