"""What a symbol is paid in."""

from typing import Final

QUOTES: Final = (
    "USDT", "USDC", "FDUSD", "BUSD", "TUSD", "DAI", "USD", "EUR", "GBP", "TRY", "BRL", "JPY", "BTC", "ETH", "BNB",
)  # fmt: skip


def quote_asset(symbol: str) -> str | None:
    """The quote asset that `symbol` ends with, the longest that fits: BTCUSDT → USDT. None where it ends with none."""
    found = [quote for quote in QUOTES if symbol.endswith(quote) and len(symbol) > len(quote)]
    return max(found, key=len) if found else None
