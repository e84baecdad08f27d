"""Messages of alerts: placeholders become what was known when the alert fired, and nothing that was not."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.conditions import Price
from schemas.market import Kline
from streams.engine.conditions.lexer import ExpressionError
from streams.engine.conditions.template import Word, template_of
from streams.engine.groups.message import number
from streams.engine.market.market import Market
from streams.engine.symbol import SymbolEngine
from tests.streams.engine.desk import MINUTE, SYMBOL, Desk, alert, at


def said(desk: Desk) -> list[str]:
    return [one.message for one in desk.said if hasattr(one, "fired_id")]


def forming(desk: Desk, close: float, volume: float = 1.0) -> list[Any]:
    """An update of the bar after the last one."""
    desk.pos += 1
    opened = at(desk.minute)
    kline = Kline(
        symbol=SYMBOL, interval="1m", open_time_ms=opened, open=close, high=close, low=close, close=close,
        volume=volume, closed=False,
    )  # fmt: skip
    return desk.hear(desk.engine.on_kline(kline, desk.pos))


def test_a_template_is_read_into_pieces() -> None:
    found = template_of("{{symbol}}: { {{ close }} }", "1m", "1m")
    assert found == (Word("symbol"), ": { ", Price("close", "1m"), " }")


@pytest.mark.parametrize(
    "text, column, reason",
    [
        ("up {{close", 4, "to close the placeholder"),
        ("{{}}", 3, "expected a number, a price"),
        ("at {{ clsoe }}", 7, "clsoe"),
        ("é {{rsi(14}}", 11, "in the call of rsi"),
        ("{{close > 3}}", 9, "found a condition"),
        ("{{5}}", 3, "found a constant"),
        ('{{close("7x")}}', 9, "timeframe"),
        ("{{close}} {{__import__('os')}}", 13, "__import__"),
        ("{{rsi(14, symbol=BTCUSDT)}}", 11, "symbol"),
        ("{{rsi(14).nothing}}", 3, "output: rsi has rsi"),
        ("".join(f"{{{{sma({n})}}}}" for n in range(2, 35)), 347, "more than 32 different operands"),
    ],
)  # fmt: skip
def test_a_bad_placeholder_is_refused_with_its_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        template_of(text, "1m", "1m")
    assert refused.value.column == column
    assert reason in refused.value.reason


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("{}(){ .,[]'\"rsicloe0159-+*/<>=éà\n"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever it holds, 300 cases: it is refused with a column in it, or what is no placeholder stays as it is."""
    try:
        pieces = template_of(text, "1m", "1m")
    except ExpressionError as refused:
        column = refused.column
    else:
        column = 1
        assert "{{" in text or "".join(str(piece) for piece in pieces) == text
    assert 1 <= column <= len(text) + 1


def test_the_command_is_refused_with_the_field() -> None:
    desk = Desk()
    desk.watch(alert("close > 1", message="now {{rsi(14)"))
    (refused,) = desk.events("rejected")
    assert (refused.field, refused.reason.split(":")[0]) == ("message", "column 5")
    desk.close(2, 3)
    assert desk.fired_at == []


def test_every_word_and_the_bar() -> None:
    desk = Desk()
    message = "{{alert_id}} {{symbol}} {{interval}} {{time}}: {{open}} {{high}} {{low}} {{close}} {{volume}}"
    desk.watch(alert("close > 1", message=message))
    desk.candle(1.5, 3, 1.25, 2.00000001)
    assert said(desk) == ["alert BTCUSDT 1m 2023-11-20T00:01:00Z: 1.5 3 1.25 2.00000001 1"]


def test_operands_are_what_conditions_mean_by_them() -> None:
    desk = Desk()
    message = "{{close * 2}} {{close[1]}} {{sma(2)}} {{sma(3, '2m')}} {{close - sma(2)}}"
    desk.watch(alert("close > 5", message=message))
    desk.close(1, 2, 3, 4, 5, 6)
    assert said(desk) == ["12 5 5.5 4 0.5"]
    (fired,) = (one for one in desk.said if hasattr(one, "fired_id"))
    assert fired.values == {
        "close": 6.0, "close * 2": 12.0, "close[1]": 5.0, "sma(2)": 5.5, 'sma(3, "2m")': 4.0,
        "close - sma(2)": 0.5,
    }  # fmt: skip


def test_prices_are_those_of_the_alerts_timeframe() -> None:
    desk = Desk()
    desk.watch(alert("close > 3", timeframe="3m", message='{{close}} {{open}} {{volume}} {{close("1m")}}'))
    desk.close(1, 2, 3, 4, 5, 6, 7)
    assert said(desk) == ["6 4 3 6"]


def test_what_is_unknown_is_no_number() -> None:
    desk = Desk()
    desk.watch(
        alert("close > 1", message="RSI {{rsi(14)}}, of the hour {{close('1h')}}, {{1 / (close - 2)}}")
    )
    desk.close(2)
    assert said(desk) == ["RSI n/a, of the hour n/a, n/a"]
    assert desk.said[-1].values == {"close": 2.0}


def test_after_a_gap_nothing_is_told_of_before() -> None:
    desk = Desk(fill_up_to=0)
    desk.watch(alert("close > 1", frequency="every", message="{{sma(2)}} {{close}}"))
    desk.close(2, 4)
    desk.minute += 10
    desk.close(6, 8)
    assert said(desk) == ["n/a 2", "3 4", "n/a 6", "7 8"]


def test_a_bar_that_a_tick_stood_in_for_tells_its_price_only() -> None:
    desk = Desk()
    desk.watch(alert(f"at({at(3)})", message="{{close}} {{volume}} {{sma(2)}} {{time}}"))
    desk.close(1, 2)
    desk.tick()
    assert said(desk) == ["2 0 n/a 2023-11-20T00:03:00Z"]


def test_a_forming_bar_tells_what_it_would_be() -> None:
    desk = Desk()
    desk.watch(alert("close > 5", on="tick", message="{{close}} {{sma(2)}} {{sma(1, '2m')}} {{close[1]}}"))
    desk.close(1, 2, 3)
    assert forming(desk, 7) != []
    assert said(desk) == ["7 5 2 3"]


@pytest.mark.parametrize("late", [0, 3, 9, 60])
def test_it_says_the_same_whenever_the_command_comes(late: int) -> None:
    """Before its bars, among them, after them."""
    early, desk = Desk(), Desk()
    command = alert("close > sma(3)", frequency="every", message="{{rsi(3)}} {{sma(3, '5m')}} {{close[2]}}")
    prices = [100 + (minute * 37 % 11) - minute * 0.1 for minute in range(60)]
    early.watch(command)
    early.close(*prices)
    desk.close(*prices[:late])
    desk.watch(command)
    desk.close(*prices[late:])
    assert len(said(early)) > 20
    assert said(desk) == said(early)
    assert not any("n/a" in text for text in said(early)[-10:])


def test_after_a_restart_it_says_the_same() -> None:
    prices = [100 + (minute * 37 % 11) - minute * 0.1 for minute in range(120)]
    command = alert("close > sma(3)", frequency="every", message="{{rsi(3)}} {{sma(3, '5m')}} {{close[2]}}")
    through = Desk()
    through.watch(command)
    through.close(*prices)
    before = Desk()
    before.watch(command)
    before.close(*prices[:80])
    rows = [row.body for row in before.engine.dirty_groups()]
    since = Desk()
    since.close(*prices[:80])
    since.engine = SymbolEngine.restore(SYMBOL, since.market, rows, pos=since.pos)
    since.close(*prices[80:])
    assert said(before) + said(since) == said(through)


def test_it_gives_its_operands_back() -> None:
    desk = Desk()
    desk.watch(alert("close > 5", message="{{rsi(14)}} {{close('5m')}}"))
    desk.close(1)
    held = {key[0] for (_, key), node in desk.market.operands.nodes.items() if node.refs}
    assert held == {"price:close", "rsi"}
    desk.watch(alert("", state="deleted"), generation=2)
    assert all(node.refs == 0 for node in desk.market.operands.nodes.values())


def test_it_shares_the_nodes_of_conditions() -> None:
    desk = Desk()
    desk.watch(alert("rsi(14) < 30", alert_id="one"))
    desk.close(1)
    nodes = len(desk.market.operands.nodes)
    desk.watch(alert("rsi(14) < 20", alert_id="two", message="{{rsi(14)}}"))
    assert len(desk.market.operands.nodes) == nodes


def test_it_waits_for_history_where_its_operands_are_new() -> None:
    market = Market(SYMBOL, capacity=720)
    engine = SymbolEngine(SYMBOL, market)
    for minute in range(3_000):
        bar = Kline(
            symbol=SYMBOL, interval="1m", open_time_ms=at(0) + minute * MINUTE, open=1, high=1, low=1, close=1,
            volume=1,
        )  # fmt: skip
        engine.on_kline(bar, minute)
    assert market.first > 0
    since = at(2_999)
    assert engine.needs_history(alert("close > 1", message="{{ema(20)}}", effective_from_ms=since))
    assert not engine.needs_history(alert("at(5)", message="{{close}}", effective_from_ms=since))


@pytest.mark.parametrize(
    "value, exact, text",
    [
        (97123.45, True, "97123.45"), (60000.0, True, "60000"), (1.234e-05, True, "0.00001234"),
        (28.456321876543, False, "28.45632188"), (1e22, False, "10000000000000000000000"), (-0.0, False, "0"),
        (-1.5, False, "-1.5"), (0.1 + 0.2, False, "0.3"), (100.0, False, "100"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_do(value: float, exact: bool, text: str) -> None:
    assert number(value, exact=exact) == text
