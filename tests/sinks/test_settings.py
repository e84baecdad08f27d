"""Settings and the instruments file."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from pydantic import SecretStr, ValidationError

from sinks.config import ExecutorSettings
from sinks.database.engine import open_engine
from sinks.database.migrate import check
from sinks.errors import BadInstruments
from sinks.instruments import load_instruments
from sinks.metrics import Metrics
from sinks.process import run_executor
from streams.engine.dca import Instrument


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "instruments.yaml"
    file.write_text('BTCUSDT: {tick: "0.01", lot: "0.00001", min_notional: "5"}\nETHUSDT: {tick: "0.1"}\n')
    monkeypatch.setenv("STRIKELINE_NAMESPACE", "test")
    monkeypatch.setenv("STRIKELINE_PARTITIONS", "3")
    monkeypatch.setenv("STRIKELINE_DATABASE_URL", "postgresql://u:geheim@h/d")
    monkeypatch.setenv("STRIKELINE_INSTRUMENTS", str(file))
    settings = ExecutorSettings()
    assert settings.topics.configs.name == "test.bots.configs.v1"
    assert settings.topics.partitions == 3
    assert "geheim" not in repr(settings)
    rules = settings.rules()
    assert rules.instrument("BTCUSDT") == Instrument(Decimal("0.01"), Decimal("0.00001"), Decimal(5))
    assert rules.instrument("ETHUSDT") == Instrument(tick=Decimal("0.1"))
    assert rules.instrument("ADAUSDT") == Instrument()


def test_two_processes_have_two_names() -> None:
    assert ExecutorSettings().owner != ExecutorSettings().owner


@pytest.mark.parametrize(
    "wrong", [{"partitions": 0}, {"base_interval": "7x"}, {"lost_records": "guess"}, {"session_timeout": 1}]
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ExecutorSettings(**wrong)


@pytest.mark.parametrize(
    "text, place",
    [
        ("[]", "expected symbols"),
        ("BTCUSDT: 5", "BTCUSDT: expected tick"),
        ("BTCUSDT: {tik: '1'}", "found ['tik']"),
        ("BTCUSDT: {tick: 0.01}", "BTCUSDT.tick: 0.01 is no decimal string"),
        ("BTCUSDT: {tick: 'a'}", "BTCUSDT.tick"),
        ("BTCUSDT: {tick: '0'}", "BTCUSDT: tick: 0 is not positive"),
        ("BTCUSDT: {tick: true}", "BTCUSDT.tick"),
        ("{", "instruments.yaml"),
    ],
)
def test_a_wrong_instruments_file_names_the_place(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "instruments.yaml"
    file.write_text(text)
    with pytest.raises(BadInstruments) as refused:
        load_instruments(file)
    assert place in str(refused.value)


def test_a_missing_instruments_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInstruments, match=r"none\.yaml"):
        load_instruments(tmp_path / "none.yaml")


def test_migrate_only_prepares_the_database_and_needs_no_broker(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bots.db'}"
    run_executor(ExecutorSettings(database_url=SecretStr(url), log_level="WARNING"), migrate_only=True)
    engine = open_engine(url)
    check(engine)
    engine.dispose()


def test_what_an_executor_counts_can_be_scraped() -> None:
    metrics = Metrics()
    metrics.applied({"applied": 3, "ignored": 1})
    metrics.published(7)
    metrics.fenced()
    metrics.dropped(2)
    metrics.owns(4)
    lines = generate_latest(metrics.registry).decode().splitlines()
    for line in (
        'strikeline_executor_records_total{outcome="applied"} 3.0',
        "strikeline_executor_transactions_total 1.0",
        "strikeline_executor_published_total 7.0",
        "strikeline_executor_fenced_total 1.0",
        "strikeline_executor_dropped_total 2.0",
        "strikeline_executor_partitions 4.0",
    ):
        assert line in lines
