"""A configuration of a sweep comes to what its own backtest does, whichever way it is walked."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from sinks.venues.paper import Paper
from streams.cli.backtesting.asked import Settings
from streams.cli.backtesting.bot import run_bot
from streams.cli.backtesting.cutting import since, until
from streams.cli.backtesting.reporting import figures as reported
from streams.cli.backtesting.reporting import run_of
from streams.cli.backtesting.run import run
from streams.cli.backtesting.sweeping.pool import Terms, evaluate
from streams.cli.backtesting.sweeping.walkforward import Span
from streams.engine.backtest.candles import Candles
from streams.engine.backtest.finder import Finder
from streams.engine.bars import BarArrays
from tests.streams.backtest.random_bots import INSTRUMENTS, bot
from tests.streams.backtest.sweeping.files import write_candles
from tests.streams.engine.candles import walk, with_gaps

_SHARED = (
    "max_drawdown",
    "sharpe",
    "sortino",
    "profit_factor",
    "win_rate",
    "expectancy",
    "net_profit",
    "capital",
)


@pytest.mark.parametrize("plain", [True, False], ids=["compiled", "walked"])
def test_the_figures_are_those_of_the_single_backtest(plain: bool) -> None:
    """16 random bots (8 that Python walks), in one span and in an earlier one, over candles with holes."""
    random = Random(11)
    bars = {"CENTS": with_gaps(walk(800, 3), 0.01, 9), "COARSE": walk(800, 4)}
    end_ms = max(int(one.open_time_ms[-1]) for one in bars.values()) + 60_000
    candles = {name: Candles.of(name, one, ticks_until_ms=end_ms) for name, one in bars.items()}
    start = int(candles["CENTS"].open_ms[120])
    names = sorted(candles)
    bots = [
        bot(random, f"b{k}", random.sample(names, 1 if plain else 2), INSTRUMENTS["COARSE"], 0, plain=plain)
        for k in range(16 if plain else 8)
    ]
    spans = [Span(start, end_ms), Span(start + 60_000_00, int(candles["CENTS"].open_ms[700]))]
    for capital in (None, 5_000.0):
        terms = Terms(INSTRUMENTS, "1m", capital, equity=True)
        found = evaluate(bots, spans, candles, terms, 1, lambda done: None)
        for span, figures in zip(spans, found, strict=True):
            cut = until(candles, span.to_ms)
            for config, ours in zip(bots, figures, strict=True):
                held = msgspec.structs.replace(config, effective_from_ms=span.from_ms)
                theirs, result = single(held, cut, span, capital)
                assert ours.profit == result.profit
                assert (ours.deals, ours.walked) == (len(result.deals), result.walked)
                assert ours.ambiguous_bars == sum(deal.ambiguous_bars for deal in result.deals)
                said = msgspec.to_builtins(ours)
                for name in _SHARED:
                    wanted = theirs[name]
                    if wanted is not None:
                        wanted = pytest.approx(wanted, rel=1e-9, abs=1e-9)
                    assert said[name] == wanted, name
    assert any(ours.walked == "compiled" for ours in found[0]) == plain


def test_what_deals_leave_comes_to_the_same() -> None:
    """A grid whose position is kept at its stop, and a deal whose fees are taken of coarse lots."""
    candles = {"CENTS": Candles.of("CENTS", walk(600, 3))}
    one = candles["CENTS"]
    begin, lowest = Decimal(repr(float(one.close[0]))), Decimal(repr(float(one.close.min())))
    stop = (begin + 3 * lowest) / 4
    common = {"user_id": "u", "pairs": ["CENTS"], "effective_from_ms": int(one.open_ms[0])}
    lattice = {
        "lower": str((stop + begin) / 2), "upper": str(begin * 2 - lowest), "levels": 4, "quantity": "2",
        "quantity_in": "base", "stop_below": str(stop), "stop_action": "keep",
    }  # fmt: skip
    ladder = {"entry": "close > 0.01", "base_order_volume": "777.7", "take_profit": {"percent": "0.3"}}
    bots = [
        msgspec.convert({"type": "bot_config", **settings, **common}, BotConfig)
        for settings in (
            {"bot_id": "g", "kind": "grid", "fee": "0", "grid": lattice},
            {"bot_id": "d", "fee_in": "base", **ladder},
        )
    ]
    span = Span(int(one.open_ms[0]), one.ticks_until_ms)
    (found,) = evaluate(
        bots, [span], candles, Terms(INSTRUMENTS, "1m", 5_000.0, equity=True), 1, lambda done: None
    )
    for config, ours in zip(bots, found, strict=True):
        theirs, result = single(config, candles, span, 5_000.0)
        assert result.left, config.bot_id
        assert ours.net_profit == pytest.approx(theirs["net_profit"], abs=1e-6)
        if not any(deal.closed_at_ms is None for deal in result.deals):
            assert ours.net_profit == pytest.approx(float(result.profit), abs=1e-6)


def single(config, candles: Mapping[str, Candles], span: Span, capital: float | None):
    """What `strikeline backtest` says of one bot."""
    own = {symbol: candles[symbol] for symbol in config.pairs}
    result = run_bot(config, {s: Finder(c) for s, c in own.items()}, Rules(Paper(), INSTRUMENTS))
    summary = {"interval": "1m", "from_ms": span.from_ms}
    told = reported(run_of([result], [config], own, INSTRUMENTS, summary, capital, ()))
    return {**told, "max_drawdown": told["max_drawdown"]["ratio"]}, result


def test_candles_that_were_cut_are_those_of_a_file_that_ends_there(tmp_path: Path) -> None:
    from streams.cli.backtesting.candles import load

    place = str(write_candles(tmp_path, 300))
    whole = load(place, ["CENTS"]).candles
    for row in (1, 57, 299):
        to_ms = int(whole["CENTS"].open_ms[row])
        cut, read = until(whole, to_ms)["CENTS"], load(place, ["CENTS"], to_ms=to_ms).candles["CENTS"]
        assert (cut.runs, cut.ticks_until_ms, cut.open_ms.tolist()) == (
            read.runs,
            read.ticks_until_ms,
            read.open_ms.tolist(),
        )
        assert (cut.columns == read.columns).all()


def test_candles_that_begin_later_are_those_of_a_file_that_does() -> None:
    """Of a market with holes, filled and not, at every eleventh bar."""
    bars = with_gaps(walk(400, 3), 0.1, 9)
    whole = Candles.of("CENTS", bars)
    for row in range(5, 400, 11):
        from_ms = int(bars.open_time_ms[row])
        late = since({"CENTS": whole}, from_ms - 30_000)["CENTS"]
        read = Candles.of("CENTS", BarArrays(bars.open_time_ms[row:], bars.ohlcv[row:]))
        assert late.open_ms.tolist() == read.open_ms.tolist()
        assert (late.runs, late.filled.tolist()) == (read.runs, read.filled.tolist())
        assert (late.columns == read.columns).all()


def test_two_processes_find_what_one_finds() -> None:
    candles = {"CENTS": Candles.of("CENTS", walk(500, 3))}
    start, end_ms = int(candles["CENTS"].open_ms[100]), candles["CENTS"].ticks_until_ms
    random = Random(2)
    bots = [bot(random, f"b{k}", ["CENTS"], INSTRUMENTS["CENTS"], 0) for k in range(9)]
    spans = [Span(start, end_ms), Span(start, end_ms - 9_000_000)]
    terms, told = Terms(INSTRUMENTS, "1m", None, equity=True), list[int]()
    alone = evaluate(bots, spans, candles, terms, 1, lambda done: None)
    assert evaluate(bots, spans, candles, terms, 2, told.append, worth=0) == alone
    assert (told[-1], len(told) > 2) == (18, True)


def test_bars_that_fill_a_hole_are_cut_off_with_the_bar_that_ends_it() -> None:
    whole = Candles.of("CENTS", with_gaps(walk(200, 3), 0.2, 4))
    last_filled = int(whole.filled[-1])
    cut = until({"CENTS": whole}, int(whole.open_ms[last_filled]) + 60_000)["CENTS"]
    assert len(cut) - 1 not in cut.is_filled
    assert len(cut) <= last_filled


def test_the_best_bot_of_a_sweep_has_its_own_backtest_beside_it(tmp_path: Path) -> None:
    import json

    from streams.cli.backtesting.sweeping.run import Asked
    from streams.cli.backtesting.sweeping.run import run as sweep
    from tests.streams.backtest.sweeping.files import write_sweep

    file = write_sweep(tmp_path, "  window: [5, 9]\n  level: {from: 30, to: 40, step: 5}\n")
    base = Settings(
        str(write_candles(tmp_path)), file, jobs=1, instruments=tmp_path / "instruments.yaml", capital=1_000.0
    )
    outcome, summary = sweep(Asked(base, "sharpe"), tmp_path / "out", lambda share, words: None)
    told = json.loads((tmp_path / "out" / "best" / "summary.json").read_text())
    best = outcome.ranked[0].figures
    assert best is not None
    assert best.deals > 5
    assert told["profit"] == str(best.profit).rstrip("0").rstrip(".")
    assert told["metrics"]["sharpe"] == pytest.approx(best.sharpe)
    again = run(
        Settings(base.klines, tmp_path / "out" / "best.yaml", jobs=1, instruments=base.instruments),
        tmp_path / "again",
        lambda done, name: None,
    )
    assert again.summary["profit"] == told["profit"]
    page = (tmp_path / "out" / "best" / "report.html").read_text()
    assert "6 configurations were tried on the same candles" in page
    assert summary["tried"] == 6
