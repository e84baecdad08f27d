"""Instruments from a file: what venues accept, per symbol.

YAML or JSON, `BTCUSDT: {tick: "0.01", lot: "0.00001", min_notional: "5"}`; what is left out is 1e-8, for the
notional 0. The numbers are decimal strings; a whole number may stand without quotes.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

from sinks.errors import BadInstruments
from streams.engine.dca import Instrument

_FIELDS = ("tick", "lot", "min_notional")


def load_instruments(path: Path) -> dict[str, Instrument]:
    """Instruments by symbol. Raises BadInstruments with the place of the first thing that is wrong."""
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BadInstruments(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadInstruments(f"{path}: {error}") from error
    if not isinstance(raw, dict):
        raise BadInstruments(f"{path}: expected symbols with tick, lot and min_notional")
    return {str(symbol): _instrument(f"{path}: {symbol}", fields) for symbol, fields in raw.items()}


def _instrument(where: str, fields: Any) -> Instrument:
    if not isinstance(fields, Mapping) or (unknown := set(fields) - set(_FIELDS)):
        found = sorted(map(str, unknown)) if isinstance(fields, Mapping) else fields
        raise BadInstruments(f"{where}: expected {', '.join(_FIELDS)}, found {found}")
    try:
        return Instrument(**{name: _decimal(f"{where}.{name}", value) for name, value in fields.items()})
    except ValueError as error:
        raise BadInstruments(f"{where}: {error}") from error


def _decimal(where: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInstruments(f"{where}: {value!r} is no decimal string: put the number in quotes")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise BadInstruments(f"{where}: {value!r} is no decimal") from None
