"""Orders that look like ours and are in no row: the database was restored from a backup, or another one trades here."""

import logging
import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Engine, select

from sinks.database.engine import reading
from sinks.database.tables import orders
from sinks.orders.accounts import Accounts
from sinks.orders.exchange import Refused, Unclear

_OURS: Final = re.compile(r"[0-9a-f]{32}")
_log = logging.getLogger("strikeline.gateway")


def tell_strays(engine: Engine, accounts: Accounts) -> list[str]:
    """Look at every account once, and log what rests there without a row. Nothing is cancelled: it may be another's."""
    found: list[str] = []
    for user_id, exchange in accounts:
        try:
            resting = [client_id for client_id in exchange.resting() if _OURS.fullmatch(client_id)]
        except (Refused, Unclear) as error:
            _log.warning("what rests at the venue for %s is not known: %s", user_id, error)
            continue
        strays = sorted(set(resting) - _known(engine, resting))
        if strays:
            _log.error(
                "orders of %s rest at the venue and are not in this database: %s", user_id, ", ".join(strays)
            )
        found += strays
    return found


def _known(engine: Engine, client_ids: Iterable[str]) -> set[str]:
    with reading(engine).begin() as connection:
        query = select(orders.c.client_id).where(orders.c.client_id.in_(list(client_ids)))
        return set(connection.scalars(query))
