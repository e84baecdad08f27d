"""What the page unpacks is what was packed, and thinning keeps what the eye sees."""

import base64
import zlib

import numpy as np
import pytest

from streams.report.packing import candles, decimals_of, packed, packed_series, thinned


def unpacked(text: str) -> np.ndarray:
    """As the page's script does it."""
    data = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(4, -1)
    return np.ascontiguousarray(data.T).view("<i4").ravel().astype(np.int64)


def test_integers_come_back() -> None:
    values = np.array([0, 1, -1, 2**31 - 1, -(2**31 - 1), 65_536])
    assert unpacked(packed(values)).tolist() == values.tolist()
    assert np.cumsum(unpacked(packed_series(np.array([5, 7, 7, 3])))).tolist() == [5, 7, 7, 3]
    assert unpacked(packed(np.empty(0, np.int64))).tolist() == []


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        packed(np.array([2**31]))


def test_candles_come_back_in_their_own_decimals() -> None:
    bars = {
        "open": np.array([1.0, 1.25]), "high": np.array([1.5, 1.3]),
        "low": np.array([0.9, 1.2]), "close": np.array([1.25, 1.21]),
    }  # fmt: skip
    made = candles(bars)
    assert made["decimals"] == 2
    close = np.cumsum(unpacked(made["close"]))
    opened = unpacked(made["open"]) + np.array([0, close[0]])
    assert (opened / 100).tolist() == [1.0, 1.25]
    assert ((np.maximum(opened, close) + unpacked(made["above"])) / 100).tolist() == [1.5, 1.3]
    assert ((np.minimum(opened, close) - unpacked(made["below"])) / 100).tolist() == [0.9, 1.2]


@pytest.mark.parametrize("price, decimals", [(2_650_000_000.0, -1), (1e300, -291)])
def test_candles_of_prices_beyond_32_bits_are_told_in_a_coarser_step(price: float, decimals: int) -> None:
    made = candles({name: np.array([price, price / 2]) for name in ("open", "high", "low", "close")})
    assert made["decimals"] == decimals
    close = np.cumsum(unpacked(made["close"])) / 10.0 ** made["decimals"]
    assert close == pytest.approx([price, price / 2], rel=1e-8)


@pytest.mark.parametrize("price, decimals", [(100.0, 0), (0.1, 1), (63_123.45, 2), (0.00001234, 8)])
def test_decimals_are_those_of_the_prices(price: float, decimals: int) -> None:
    assert decimals_of([np.array([price, price])]) == decimals


def test_thinning_keeps_the_ends_and_the_extremes() -> None:
    values = np.sin(np.arange(100_000) / 900.0)
    values[33_333], values[66_666] = 9.0, -9.0
    times, kept = thinned(np.arange(100_000), values, 400)
    assert len(kept) <= 404
    assert (kept[0], kept[-1]) == (values[0], values[-1])
    assert (kept.max(), kept.min()) == (9.0, -9.0)
    assert (np.diff(times) > 0).all()
    assert (values[times] == kept).all()
