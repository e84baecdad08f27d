"""Which addresses may be connected to."""

import pytest

from sinks.notifier.addresses import refusal

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
    "::ffff:10.0.0.1",
]
NEVER = [
    "169.254.169.254", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "240.0.0.1",
    "255.255.255.255", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "64:ff9b::7f00:1", "2002:7f00:1::",
    "fec0::1",     "::7f00:1", "::ffff:169.254.169.254", "192.0.2.1", "localhost", "", "0x7f.1",
]  # fmt: skip


@pytest.mark.parametrize("host", ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_the_internet_may(host: str) -> None:
    assert refusal(host, allow_private=False) is None


@pytest.mark.parametrize("host", PRIVATE)
def test_private_networks_may_if_the_operator_says_so(host: str) -> None:
    assert refusal(host, allow_private=False)
    assert refusal(host, allow_private=True) is None


@pytest.mark.parametrize("host", NEVER)
def test_others_never_may(host: str) -> None:
    assert refusal(host, allow_private=False)
    assert refusal(host, allow_private=True)
