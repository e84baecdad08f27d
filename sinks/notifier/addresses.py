"""Which addresses a notification may be sent to: whoever names the host must not reach what only we can reach."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from apprise.utils.http import is_public_ip_address

_METADATA: Final = frozenset({"168.63.129.16", "169.254.169.254", "100.100.100.200", "fd00:ec2::254"})
"""Where clouds hand out credentials; the first is in public space, the last two are in private space."""
_PRIVATE: Final = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128",
    )
)  # fmt: skip


def refusal(host: str, *, allow_private: bool) -> str | None:
    """Why nothing is sent to the address `host`, None where it may. `allow_private`: loopback and private networks may.

    A name is no address: by the time of asking it must have been resolved.
    """
    try:
        address = _plain(ip_address(host.split("%")[0]))
    except ValueError:
        return f"{host[:80]!r} is no address"
    if str(address) in _METADATA:
        return f"{address} is a cloud's metadata service"
    if is_public_ip_address(str(address)):  # type: ignore[no-untyped-call]
        return None
    if any(address in network for network in _PRIVATE):
        return None if allow_private else f"{address} is {_kind(address)}"
    return f"{address} is {_kind(address)}"


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one is another spelling of."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def _kind(address: IPv4Address | IPv6Address) -> str:
    if address.is_loopback:
        return "a loopback address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_unspecified:
        return "no host's address"
    return "not a public address"
