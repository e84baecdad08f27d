"""What the websocket sends, as klines: hand-written frames, and recordings of four venues."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from schemas.interval import MINUTE_MS
from schemas.market import Kline
from streams.feeds.binance.frames import Answer, Frames, Shutdown, Unusable, Update
from tests.streams.feeds.binance.double import START, frame

RECORDINGS = Path(__file__).parents[5] / "shared" / "data" / "ws"
FRAMES = Frames(["AUSDT"], "1m", "binance")


def changed(**fields: object) -> str:
    """A closed frame with other fields in its candle."""
    told: dict[str, Any] = json.loads(frame("AUSDT", 3, START + 4 * MINUTE_MS + 40, closed=True))
    told["data"]["k"] |= fields
    return json.dumps(told)


@pytest.mark.parametrize("closed", [True, False])
def test_a_frame_is_a_kline_and_the_exchanges_time(closed: bool) -> None:
    event_ms = START + 4 * MINUTE_MS + 40
    assert FRAMES.read(frame("AUSDT", 3, event_ms, closed=closed)) == Update(
        Kline(
            symbol="AUSDT", interval="1m", open_time_ms=START + 3 * MINUTE_MS, open=138.1, high=139.5, low=137.25,
            close=138.7, volume=3.0, closed=closed, feed="binance",
        ),
        event_ms,
    )  # fmt: skip


def test_a_bare_event_is_read_like_one_in_its_envelope() -> None:
    text = frame("AUSDT", 3, START, closed=True)
    bare = json.dumps(json.loads(text)["data"])
    assert FRAMES.read(bare) == FRAMES.read(text)


@pytest.mark.parametrize(
    "text, said",
    [
        ('{"result":null,"id":1}', Answer("")),
        ('{"error":{"code":2,"msg":"no"},"id":1}', Answer('{"code":2,"msg":"no"}')),
        ('{"code":2,"msg":"no","id":1}', Answer("code 2")),
        ('{"e":"serverShutdown","E":1770123456789}', Shutdown()),
        ('{"stream":"","data":{"e":"serverShutdown","E":1770123456789}}', Shutdown()),
    ],
)
def test_what_is_no_kline_is_understood_too(text: str, said: object) -> None:
    assert FRAMES.read(text) == said


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "Input data was truncated"),
        ("{}", "neither an event nor an answer"),
        ("[]", "got `array`"),
        ('{"data":' + "[" * 100_000, "recursion"),
        ('{"e":"trade","E":1,"s":"AUSDT"}', "'trade' is no kline"),
        ('{"e":"kline","E":1,"s":"AUSDT"}', "'kline' is no kline"),
        (frame("BUSDT", 1, START, closed=True), "'BUSDT' was not subscribed to"),
        (changed(i="5m"), "a bar of 5m"),
        (changed(T=START), "from 1700000220000 to 1700000040000"),
        (changed(t=START + 1, T=START + MINUTE_MS), "open_time_ms"),
        (changed(o=1.5), r"Expected `str`, got `float` - at `\$.k.o`"),
        (changed(x="true"), r"Expected `bool`, got `str` - at `\$.k.x`"),
        (changed(h="NaN"), "high: nan"),
        (changed(h="1e999"), "high: inf"),
        (changed(l="-1"), "low: -1.0 is not a positive"),
        (changed(l="900"), "below low"),
        (changed(c="many"), "could not convert string to float"),
        (changed(v="-0.1"), "volume"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(Unusable, match=f"(?i){reason}"):
        FRAMES.read(text)


@pytest.mark.shared
def test_every_recorded_frame_is_read_with_its_numbers() -> None:
    path = RECORDINGS / "binance_kline_frames.jsonl.gz"
    if not path.is_file():
        pytest.skip("the recordings are not here")
    with gzip.open(path, "rt") as lines:
        recorded = [json.loads(line)["frame"] for line in lines]
    frames = Frames({one["data"]["s"] for one in recorded}, "1m", "binance")
    told = [frames.read(json.dumps(one)) for one in recorded]
    for update, one in zip(told, recorded, strict=True):
        assert isinstance(update, Update)
        candle, kline = one["data"]["k"], update.kline
        assert (kline.open, kline.high, kline.low, kline.close, kline.volume) == tuple(
            float(candle[name]) for name in "ohlcv"
        )
        assert (kline.close_time_ms - 1, kline.closed) == (candle["T"], candle["x"])
    closed = [one for one in told if isinstance(one, Update) and one.kline.closed]
    assert len(closed) == 9
    # A minute without a trade came with volume 0 on one venue; a bar is over before anybody says so.
    assert sum(one.kline.volume == 0.0 for one in closed) == 2
    assert all(0 < one.event_ms - one.kline.close_time_ms < 2_100 for one in closed)


@pytest.mark.shared
@pytest.mark.parametrize("venue, klines", [("BINANCE_US", 5), ("BINANCE_FUTURES", 67), ("BINANCE_TR", 8)])
def test_a_whole_recording_goes_through_its_klines_read_and_the_rest_refused(venue: str, klines: int) -> None:
    path = RECORDINGS / f"cryptofeed_{venue}.ws.1.0.txt.gz"
    if not path.is_file():
        pytest.skip("the recordings are not here")
    with gzip.open(path, "rt") as lines:
        texts = [line.partition(": ")[2] for line in lines if line[0].isdigit()]
    symbols = {json.loads(text)["data"]["s"] for text in texts}
    frames, read = Frames(symbols, "1m", "binance"), 0
    for text in texts:
        if "@kline" in text.partition(",")[0]:
            read += isinstance(frames.read(text), Update)
        else:
            with pytest.raises(Unusable, match=r"is no kline|neither|Object missing"):
                frames.read(text)
    assert read == klines
