"""Loopback ports that a broker can have, and keep over a restart."""

import socket

from topics.broker.ports import HOST, answers, free_ports, is_free


def test_free_ports_are_distinct_and_below_those_of_outgoing_connections() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    assert max(found) < 32_768


def test_a_port_with_a_listener_is_taken_and_answers() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert answers(port)


def test_a_port_that_was_just_closed_can_be_had_again() -> None:
    port = free_ports(1)[0]
    with (
        socket.create_server((HOST, port)) as server,
        socket.create_connection((HOST, port)) as client,
        server.accept()[0] as accepted,
    ):
        accepted.shutdown(socket.SHUT_RDWR)  # the server closes first: its port waits (TIME_WAIT)
        client.recv(1)
    assert is_free(port)
    assert not answers(port)
