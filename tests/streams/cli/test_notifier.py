"""`strikeline notifier`: a test message, and what is said where the file or an option is wrong."""

from pathlib import Path

from tests.sinks.notifier.webhook import webhook
from tests.streams.cli.commandline import CommandLine


def write(folder: Path, *urls: str) -> str:
    path = folder / "notifier.yaml"
    path.write_text("users:\n  alice:\n    channels:\n" + "".join(f"      - {url}\n" for url in urls))
    return str(path)


def test_each_channel_is_told_and_says_what_it_made_of_it(tmp_path: Path, strikeline: CommandLine) -> None:
    with webhook() as hook:
        file = write(tmp_path, hook.url("ok"), hook.url("status/404"))
        answer = strikeline("notifier", "test", "alice", "--config", file, "--allow-private", "--json")
        assert sorted(path for path, _ in hook.received) == ["/ok", "/status/404"]
    assert answer.code == 1
    assert answer.json == [
        {"channel": "json-1", "scheme": "json", "problem": None},
        {"channel": "json-2", "scheme": "json", "problem": "HTTP 404"},
    ]


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path, strikeline: CommandLine) -> None:
    with webhook() as hook:
        answer = strikeline("notifier", "test", "alice", "--config", write(tmp_path, hook.url("ok")))
        assert hook.received == []
    assert answer.code == 1
    assert "127.0.0.1 is a loopback address" in answer.out


def test_a_mistake_is_wrong_usage(tmp_path: Path, strikeline: CommandLine) -> None:
    file = write(tmp_path, "json://example.com")
    for arguments, told in (
        ((), "--config FILE is needed"),
        (("--config", str(tmp_path / "none.yaml")), "No such file"),
        (("--config", write(tmp_path, "geheim")), "line 4: users.alice.channels[0].url: expected a URL"),
        (("test", "bob", "--config", file), "there is no user bob"),
    ):
        write(tmp_path, "geheim" if "URL" in told else "json://example.com")
        answer = strikeline("notifier", *arguments)
        assert answer.code == 2, answer
        assert told in answer.err
        assert "geheim" not in answer.err
