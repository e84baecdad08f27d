"""Balances from a file: what users begin with on the paper venue.

YAML or JSON, `alice: {USDT: "1000", BTC: "0.5"}`. Who or what is not named has as much as is asked for.
"""

from decimal import Decimal, InvalidOperation
from pathlib import Path

import yaml

from sinks.errors import BadBalances


def load_balances(path: Path) -> dict[str, dict[str, Decimal]]:
    """Amounts by user and asset. Raises BadBalances with the place of the first thing that is wrong."""
    try:
        raw = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadBalances(f"{path}: {error}") from error
    if not isinstance(raw, dict):
        raise BadBalances(f"{path}: expected users with amounts by asset")
    return {str(user_id): _assets(f"{path}: {user_id}", assets) for user_id, assets in raw.items()}


def _assets(where: str, assets: object) -> dict[str, Decimal]:
    if not isinstance(assets, dict):
        raise BadBalances(f"{where}: expected amounts by asset, found {assets!r}")
    return {str(asset): _amount(f"{where}.{asset}", value) for asset, value in assets.items()}


def _amount(where: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadBalances(f"{where}: {value!r} is no decimal string: put the number in quotes")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise BadBalances(f"{where}: {value!r} is no decimal") from None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or amount < 0 or amount >= 10**18 or exponent < -18:
        raise BadBalances(f"{where}: {value!r}: expected 0 or more, below 10^18, at most 18 decimals")
    return amount
