"""Delivery over real HTTP: what is taken, what is refused, and that nothing takes longer than it may."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from sinks.notifier.channel import AppriseChannel
from sinks.notifier.errors import ChannelFailed
from sinks.notifier.guard import Guard, Refused
from sinks.notifier.services import service_of
from sinks.notifier.session import GuardedSession, guarded_sessions
from tests.sinks.notifier.webhook import Webhook, webhook


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as made:
        yield made


@contextmanager
def deliveries(*, allow_private: bool) -> Iterator[None]:
    with Guard(allow_private=allow_private).enforced(), guarded_sessions():
        yield


async def send(url: str, *, allow_private: bool = True, deadline_s: float = 10.0) -> ChannelFailed | None:
    """Send one message; why it failed."""
    channel = AppriseChannel("hook", "json", service_of(url), deadline_s)
    with deliveries(allow_private=allow_private):
        try:
            await channel.send("a title", "a <b> & c")
        except ChannelFailed as failed:
            return failed
    return None


async def test_a_message_arrives_as_it_is(hook: Webhook) -> None:
    assert await send(hook.url("ok/plain")) is None
    path, body = hook.received[-1]
    assert (path, body["title"], body["message"]) == ("/ok/plain", "a title", "a <b> & c")


@pytest.mark.parametrize(
    "path, reason, again",
    [
        ("status/500", "HTTP 500", True),
        ("status/503", "HTTP 503", True),
        ("status/429", "HTTP 429", True),
        ("status/404", "HTTP 404", False),
        ("status/401", "HTTP 401", False),
        ("close", "the connection failed", True),
        ("redirect/example.com/", "refused: HTTP 302 is a redirect", False),
    ],
)
async def test_a_failure_has_a_reason(hook: Webhook, path: str, reason: str, again: bool) -> None:
    failed = await send(hook.url(path))
    assert failed is not None
    assert (failed.reason, failed.again) == (reason, again)


async def test_nobody_is_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        failed = await send(f"json://127.0.0.1:{closed.getsockname()[1]}/")
    assert failed is not None
    assert (failed.reason, failed.again) == ("the connection failed", True)


@pytest.mark.parametrize("path", ["slow", "drip"])
async def test_one_that_hangs_is_ended(hook: Webhook, path: str) -> None:
    """Also one that sends a byte now and then, which no timeout of a read ends, and URL parameters cannot change it."""
    began = time.monotonic()
    failed = await send(f"{hook.url(path)}?rto=300&cto=300", deadline_s=0.4)
    assert failed is not None
    assert (failed.reason, failed.again) == ("not done within 0.4 s", True)
    assert time.monotonic() - began < 60  # a busy machine, and far from 300


async def test_an_endless_answer_is_read_no_further(hook: Webhook) -> None:
    assert await send(hook.url("huge")) is None


async def test_a_redirect_is_not_followed_though_the_url_asks_for_it(hook: Webhook) -> None:
    before = len(hook.received)
    failed = await send(f"{hook.url(f'redirect/127.0.0.1:{hook.port}/ok/there')}?redirect=yes")
    assert failed is not None
    assert [path for path, _ in hook.received[before:]] == [f"/redirect/127.0.0.1:{hook.port}/ok/there"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:7f00:1]", "2130706433"]
)
async def test_loopback_is_refused_however_it_is_spelled(hook: Webhook, host: str) -> None:
    before = len(hook.received)
    failed = await send(hook.url("ok/spelled", host), allow_private=False)
    assert failed is not None
    assert len(hook.received) == before


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names are resolved to these addresses, one after the other; the names that were asked for."""
    asked: list[str] = []
    queue = list(answers)
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if not str(host).endswith(".example"):
            return real(host, port, *args, **kwargs)
        asked.append(host)
        address = queue.pop(0) if len(queue) > 1 else queue[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


async def test_a_name_that_resolves_to_loopback_is_refused(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch, "127.0.0.1")
    before = len(hook.received)
    failed = await send(hook.url("ok/rebound", "hooks.example"), allow_private=False)
    assert failed is not None
    assert (failed.reason, failed.again) == ("refused: 127.0.0.1 is a loopback address", False)
    assert (asked, len(hook.received)) == (["hooks.example"], before)


async def test_a_name_is_judged_by_what_it_resolves_to_when_it_connects(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a public answer for whoever checks first, loopback for the connection."""
    resolving(monkeypatch, "93.184.216.34", "127.0.0.1")
    assert socket.getaddrinfo("hooks.example", 80)[0][4][0] == "93.184.216.34"
    before = len(hook.received)
    failed = await send(hook.url("ok/rebound", "hooks.example"), allow_private=False)
    assert failed is not None
    assert failed.reason == "refused: 127.0.0.1 is a loopback address"
    assert len(hook.received) == before


async def test_a_mail_server_in_a_private_network_is_refused() -> None:
    """Not HTTP at all: the check is of sockets."""
    url = "mailtos://me:secret@example.com?smtp=127.0.0.1&port=25&to=you@example.com"
    failed = await send(url, allow_private=False)
    assert failed is not None
    assert failed.reason == "refused: 127.0.0.1 is a loopback address"


async def test_metadata_are_refused_even_for_those_who_host_their_own() -> None:
    failed = await send("json://169.254.169.254/latest/meta-data", allow_private=True)
    assert failed is not None
    assert failed.reason == "refused: 169.254.169.254 is a cloud's metadata service"


async def test_a_proxy_of_the_environment_is_not_asked(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{hook.port}/ok/proxy")
    before = len(hook.received)
    assert await send("json://10.1.2.3:9/x", allow_private=False) is not None
    assert len(hook.received) == before


async def test_any_thread_but_the_main_one_is_guarded(hook: Webhook) -> None:
    def connect(address: Any, family: int = socket.AF_INET) -> None:
        with socket.socket(family) as sock:
            sock.connect(address)

    with deliveries(allow_private=False):
        with pytest.raises(Refused, match="loopback"):
            await asyncio.to_thread(connect, ("127.0.0.1", hook.port))
        with pytest.raises(Refused, match="'localhost' is no address"):
            await asyncio.to_thread(connect, ("localhost", hook.port))
        with pytest.raises(Refused, match="only the internet"):
            await asyncio.to_thread(connect, "/run/docker.sock", socket.AF_UNIX)
        connect(("127.0.0.1", hook.port))  # the event loop's own thread: the broker
    await asyncio.to_thread(connect, ("127.0.0.1", hook.port))


async def test_a_datagram_is_guarded_too() -> None:
    def tell() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", ("127.0.0.1", 9))

    with deliveries(allow_private=False), pytest.raises(Refused, match="loopback"):
        await asyncio.to_thread(tell)


def test_every_session_of_requests_is_ours_while_deliveries_run() -> None:
    with guarded_sessions():
        assert requests.Session is requests.sessions.Session is GuardedSession
        assert requests.Session().trust_env is False
    assert requests.Session is not GuardedSession
