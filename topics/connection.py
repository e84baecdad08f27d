"""How to reach Kafka: one set of settings, told to three clients in their own words.

Secrets are in the environment only. They never show in a repr, a log line or an error message.
"""

import ssl
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from topics.spec import MIB

MAX_REQUEST_BYTES: Final = 4 * MIB
"""What every producer may send at once: above the largest record of any topic, which is a dead letter."""

_HIDDEN: Final = frozenset({"sasl.password", "sasl_plain_password", "password"})


class Redacted(dict[str, Any]):
    """A client's configuration whose repr does not tell the password."""

    def __repr__(self) -> str:
        shown = {name: "***" if name in _HIDDEN else value for name, value in self.items()}
        return f"{type(self).__name__}({shown!r})"


class FaustBroker(NamedTuple):
    """Arguments for Faust: `faust.App(broker=url)` and its `broker_credentials`.

    These are `faust.SASLCredentials(**sasl)` where `sasl` is given, else `ssl_context` where there is one,
    else none.
    """

    url: str
    sasl: Redacted | None
    ssl_context: ssl.SSLContext | None


class KafkaSettings(BaseSettings):
    """Read from STRIKELINE_KAFKA_* variables or given by name; refuses what would leak or silently do
    nothing.

    `replication_factor` counts copies of each topic that we create: 1 suits one broker, production wants 3.
    """

    model_config = SettingsConfigDict(env_prefix="STRIKELINE_KAFKA_", frozen=True, hide_input_in_errors=True)

    bootstrap: str = "localhost:9092"
    client_id: str = "strikeline"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    allow_plaintext_password: bool = False
    replication_factor: int = 1

    @field_validator("bootstrap")
    @classmethod
    def _has_addresses(cls, text: str) -> str:
        servers = [server.strip() for server in text.split(",")]
        for server in servers:
            host, colon, port = server.rpartition(":")
            if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
                raise ValueError("expected host:port, or several with commas between them")
        return ",".join(servers)

    @field_validator("replication_factor")
    @classmethod
    def _is_positive(cls, count: int) -> int:
        if count < 1:
            raise ValueError("expected at least 1")
        return count

    @field_validator("ssl_cafile", "ssl_certfile", "ssl_keyfile")
    @classmethod
    def _is_a_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"{info.field_name}: there is no file {path}")
        return path

    @model_validator(mode="after")
    def _is_consistent(self) -> "KafkaSettings":
        given = self.username is not None, self.password is not None
        if self._sasl and not all(given):
            raise ValueError(f"{self.security_protocol} needs a username and a password")
        if not self._sasl and any(given):
            raise ValueError(
                f"{self.security_protocol} would not use the username or password: choose SASL_SSL"
            )
        if self.security_protocol == "SASL_PLAINTEXT" and not self.allow_plaintext_password:
            raise ValueError(
                "SASL_PLAINTEXT sends the password unencrypted: use SASL_SSL, or set allow_plaintext_password"
            )
        files = (self.ssl_cafile, self.ssl_certfile, self.ssl_keyfile)
        if not self._tls and any(files):
            raise ValueError(f"{self.security_protocol} would not use the ssl files: choose SSL or SASL_SSL")
        if (self.ssl_certfile is None) != (self.ssl_keyfile is None):
            raise ValueError("ssl_certfile and ssl_keyfile belong together")
        return self

    def for_confluent(self) -> Redacted:
        """The configuration of librdkafka, which confluent-kafka wraps."""
        told = Redacted({"bootstrap.servers": self.bootstrap, "client.id": self.client_id})
        told["security.protocol"] = self.security_protocol
        if self._sasl:
            told["sasl.mechanism"] = self.sasl_mechanism
            told |= {"sasl.username": self.username, "sasl.password": self._secret()}
        for name, path in (
            ("ssl.ca.location", self.ssl_cafile),
            ("ssl.certificate.location", self.ssl_certfile),
            ("ssl.key.location", self.ssl_keyfile),
        ):
            if path is not None:
                told[name] = str(path)
        return told

    def for_aiokafka(self) -> Redacted:
        """Keyword arguments of aiokafka's clients."""
        told = Redacted({"bootstrap_servers": self.bootstrap.split(","), "client_id": self.client_id})
        told["security_protocol"] = self.security_protocol
        if self._sasl:
            told["sasl_mechanism"] = self.sasl_mechanism
            told |= {"sasl_plain_username": self.username, "sasl_plain_password": self._secret()}
        if self._tls:
            told["ssl_context"] = self._context()
        return told

    def for_faust(self) -> FaustBroker:
        """What `faust.App` needs, without importing it."""
        url = ";".join(f"kafka://{server}" for server in self.bootstrap.split(","))
        context = self._context() if self._tls else None
        if not self._sasl:
            return FaustBroker(url, None, context)
        told = {"username": self.username, "password": self._secret(), "mechanism": self.sasl_mechanism}
        return FaustBroker(url, Redacted(told | {"ssl_context": context}), context)

    @property
    def _sasl(self) -> bool:
        return self.security_protocol.startswith("SASL")

    @property
    def _tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def _secret(self) -> str | None:
        return None if self.password is None else self.password.get_secret_value()

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile is not None:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context
