"""Connection settings: three clients told the same, and nothing that leaks."""

import os
import ssl
import subprocess
from pathlib import Path
from typing import Any

import aiokafka
import faust
import pytest
from confluent_kafka import Producer
from faust.auth import SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list
from pydantic import ValidationError
from yarl import URL

from topics.connection import FaustBroker, KafkaSettings

SECRET = "correct-horse-battery"
SASL: dict[str, Any] = {"username": "alice", "password": SECRET}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("STRIKELINE_KAFKA_")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of our own and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    try:
        subprocess.run([*new, "-out", cert, "-keyout", key], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return cert, key


def credentials(told: FaustBroker) -> "faust.SASLCredentials | SSLCredentials | None":
    """What the application makes of it."""
    if told.sasl is not None:
        return faust.SASLCredentials(**told.sasl)
    return None if told.ssl_context is None else SSLCredentials(told.ssl_context)


def faust_as_aiokafka(settings: KafkaSettings) -> dict[str, Any]:
    return dict(credentials_to_aiokafka_auth(credentials(settings.for_faust())))


def test_plaintext_is_the_default_and_says_nothing_of_security() -> None:
    settings = KafkaSettings()
    assert settings.for_confluent() == {
        "bootstrap.servers": "localhost:9092",
        "client.id": "strikeline",
        "security.protocol": "PLAINTEXT",
    }
    assert settings.for_aiokafka() == {
        "bootstrap_servers": ["localhost:9092"],
        "client_id": "strikeline",
        "security_protocol": "PLAINTEXT",
    }
    assert settings.for_faust() == ("kafka://localhost:9092", None, None)
    assert faust_as_aiokafka(settings) == {"security_protocol": "PLAINTEXT"}


def test_sasl_over_tls_is_told_to_all_three(certificate: tuple[Path, Path]) -> None:
    settings = KafkaSettings(security_protocol="SASL_SSL", ssl_cafile=certificate[0], **SASL)
    assert settings.for_confluent() == {
        "bootstrap.servers": "localhost:9092",
        "client.id": "strikeline",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "alice",
        "sasl.password": SECRET,
        "ssl.ca.location": str(certificate[0]),
    }
    told = settings.for_aiokafka()
    assert told["sasl_plain_password"] == SECRET
    assert isinstance(told["ssl_context"], ssl.SSLContext)
    names = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    ours, fausts = told, faust_as_aiokafka(settings)
    assert [ours[name] for name in names] == [fausts[name] for name in names]
    assert isinstance(fausts["ssl_context"], ssl.SSLContext)


def test_mutual_tls_is_told_to_all_three(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    settings = KafkaSettings(security_protocol="SSL", ssl_cafile=cert, ssl_certfile=cert, ssl_keyfile=key)
    told = settings.for_confluent()
    assert (told["ssl.certificate.location"], told["ssl.key.location"]) == (str(cert), str(key))
    context = settings.for_aiokafka()["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert [ca["subject"] for ca in context.get_ca_certs()] == [((("commonName", "localhost"),),)]
    assert faust_as_aiokafka(settings)["security_protocol"] == "SSL"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
async def test_the_clients_accept_what_they_are_told(mechanism: str, protocol: str) -> None:
    settings = KafkaSettings.model_validate(
        {"security_protocol": protocol, "sasl_mechanism": mechanism, "allow_plaintext_password": True, **SASL}
    )
    Producer(settings.for_confluent())
    consumer = aiokafka.AIOKafkaConsumer(**settings.for_aiokafka())
    await consumer.stop()
    assert faust_as_aiokafka(settings)["sasl_mechanism"] == mechanism


def test_several_brokers_are_told_to_all_three() -> None:
    settings = KafkaSettings(bootstrap="a:9092, b:9093")
    assert settings.for_confluent()["bootstrap.servers"] == "a:9092,b:9093"
    assert settings.for_aiokafka()["bootstrap_servers"] == ["a:9092", "b:9093"]
    app = faust.App("x", broker=settings.for_faust().url, autodiscover=False)
    assert server_list([URL(url) for url in app.conf.broker], 9092) == ["a:9092", "b:9093"]


@pytest.mark.parametrize(
    "text", ["", "kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", "kafka:x", "a:1,", "kafka:٣"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="expected host:port"):
        KafkaSettings(bootstrap=text)


@pytest.mark.parametrize(
    "told, complaint",
    [
        ({"security_protocol": "SASL_PLAINTEXT", **SASL}, "sends the password unencrypted"),
        ({"security_protocol": "SASL_SSL"}, "needs a username and a password"),
        ({"security_protocol": "SASL_SSL", "username": "alice"}, "needs a username and a password"),
        ({"security_protocol": "SASL_SSL", "password": SECRET}, "needs a username and a password"),
        (SASL, "PLAINTEXT would not use the username or password"),
        ({"security_protocol": "SSL", **SASL}, "SSL would not use the username or password"),
        ({"ssl_cafile": __file__}, "PLAINTEXT would not use the ssl files"),
        ({"security_protocol": "SSL", "ssl_certfile": __file__}, "belong together"),
        ({"security_protocol": "SSL", "ssl_keyfile": __file__}, "belong together"),
        ({"security_protocol": "SSL", "ssl_cafile": "nowhere.pem"}, "there is no file nowhere.pem"),
        ({"security_protocol": "TLS"}, "security_protocol"),
        ({"sasl_mechanism": "GSSAPI"}, "sasl_mechanism"),
        ({"replication_factor": 0}, "at least 1"),
    ],
)
def test_what_would_leak_or_do_nothing_is_refused(told: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint) as refused:
        KafkaSettings.model_validate(told)
    assert SECRET not in str(refused.value) + repr(refused.value)


def test_a_password_without_tls_is_allowed_by_name() -> None:
    settings = KafkaSettings(security_protocol="SASL_PLAINTEXT", allow_plaintext_password=True, **SASL)
    assert settings.for_confluent()["security.protocol"] == "SASL_PLAINTEXT"
    assert "ssl_context" not in settings.for_aiokafka()
    assert faust_as_aiokafka(settings)["security_protocol"] == "SASL_PLAINTEXT"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("BOOTSTRAP", "kafka:9093"),
        ("SECURITY_PROTOCOL", "SASL_SSL"),
        ("SASL_MECHANISM", "PLAIN"),
        ("USERNAME", "alice"),
        ("PASSWORD", SECRET),
        ("REPLICATION_FACTOR", "3"),
    ):
        monkeypatch.setenv(f"STRIKELINE_KAFKA_{name}", value)
    settings = KafkaSettings()
    assert settings.for_confluent()["sasl.password"] == SECRET
    assert settings.replication_factor == 3


def test_an_unencrypted_password_in_the_environment_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("SECURITY_PROTOCOL", "SASL_PLAINTEXT"), ("USERNAME", "alice"), ("PASSWORD", SECRET)):
        monkeypatch.setenv(f"STRIKELINE_KAFKA_{name}", value)
    with pytest.raises(ValidationError, match="unencrypted") as refused:
        KafkaSettings()
    assert SECRET not in str(refused.value)


def test_no_repr_tells_the_password() -> None:
    settings = KafkaSettings(security_protocol="SASL_SSL", **SASL)
    told = settings.for_confluent(), settings.for_aiokafka(), settings.for_faust()
    shown = [repr(settings), str(settings), settings.model_dump_json(), repr(told), str(told), f"{told[0]}"]
    for text in shown:
        assert SECRET not in text
        assert "alice" in text
    assert "'sasl.password': '***'" in repr(told[0])


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        KafkaSettings().bootstrap = "x:1"
