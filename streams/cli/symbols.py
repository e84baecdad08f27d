"""Symbols as people list them: `BTCUSDT,ETHUSDT`."""

import re
from typing import Final

from streams.cli.errors import Invalid

_SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9._:-]{0,31}")


def symbols_of(text: str, option: str = "--symbols") -> list[str]:
    """The symbols in `text`, separated by commas. Raises Invalid for what is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if not _SYMBOL.fullmatch(name):
            raise Invalid(f"{option}: {name!r} is no symbol such as BTCUSDT")
    return names
