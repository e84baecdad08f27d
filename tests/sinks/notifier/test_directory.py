"""The operator's file: what it means, and how its mistakes are told without telling its secrets."""

import logging
from pathlib import Path

import pytest

from sinks.notifier.directory import Limits, load_directory
from sinks.notifier.errors import BadDirectory
from tests.sinks.notifier.fakes import write_directory

GOOD = """\
defaults: {messages_per_minute: 3, old_alerts: drop}
schemes: [irc]
users:
  alice:
    digest_seconds: 7
    channels:
      - json://example.com/x
      - {url: "jsons://user:geheim@example.com", name: hook, tags: [phone]}
  bob:
    channels: [tgram://123456789:abcdefg_geheim/12315544/]
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    directory = load_directory(write_directory(tmp_path, GOOD), 5.0)
    alice, bob = directory["alice"], directory["bob"]
    assert alice.limits == Limits(messages_per_minute=3, digest_seconds=7, old_alerts="drop")
    assert bob.limits == Limits(messages_per_minute=3, old_alerts="drop")
    assert [*alice.targets, *bob.targets] == ["json-1", "hook", "tgram-1"]
    assert (alice.targets_for([]), alice.targets_for(["phone"])) == (["json-1", "hook"], ["hook"])


@pytest.mark.parametrize(
    "was, now, told",
    [
        ("digest_seconds: 7", "digest_seconds: 0", "line 5: users.alice.digest_seconds: Expected `int` >= 1"),
        ("messages_per_minute: 3", "messages_per_minute: x", "line 1: defaults.messages_per_minute: Expected `int`"),
        ("json://example.com/x", "dbus://geheim", "line 7: users.alice.channels[0].url: dbus:// is not among"),
        ("json://example.com/x", "geheim", "line 7: users.alice.channels[0].url: expected a URL of apprise"),
        ("json://example.com/x", "json://?geheim", "line 7: users.alice.channels[0].url: apprise cannot read"),
        ("json://example.com/x", '"json://h/?a=1;Template=/geheim"', "line 7: users.alice.channels[0].url: param"),
        ("name: hook", "name: json-1", "line 8: users.alice.channels[1].name: json-1 stands twice"),
        ("tags:", "tagz:", "line 8: users.alice.channels[1]: Object contains unknown field `tagz`"),
        ("tags: [phone]", "tags: [5]", "line 8: users.alice.channels[1].tags[0]: Expected `str`"),
        ("users:", "userz:", "line 3: userz: unknown field"),
        ("  bob:", "  alice:", "line 9: 'alice' stands twice"),
        ("  bob:", "  'b b':", "line 9: users.b b: "),
        ("[tgram://123456789:abcdefg_geheim/12315544/]", "[]", "line 10: users.bob.channels: Expected `array`"),
        ("name: hook", "name: [", "line 8: "),
        ("json://example.com/x", "&a json://h\n      - *a", "line 7: aliases"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_without_secrets(
    tmp_path: Path, was: str, now: str, told: str
) -> None:
    assert was in GOOD
    with pytest.raises(BadDirectory) as wrong:
        load_directory(write_directory(tmp_path, GOOD.replace(was, now, 1)), 5.0)
    assert told in str(wrong.value)
    assert "geheim" not in str(wrong.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadDirectory, match="No such file"):
        load_directory(tmp_path / "no.yaml", 5.0)


def test_apprise_logs_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        load_directory(write_directory(tmp_path, GOOD), 5.0)
    assert "geheim" not in caplog.text
