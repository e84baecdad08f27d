"""Balances of users: what a deal holds, who is refused, which safety orders are passed over. On both databases."""

from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, text

from schemas.bots import BotConfig, Grid
from sinks.database.tables import metadata
from sinks.inprocess import ExecutorWorker
from sinks.queries import list_balances
from tests.sinks.bots import MINUTE, T0, TOPICS, bar, golden
from tests.sinks.loop import RULES, Loop, names, rows

RESERVED = metadata.tables["deals"].columns.keys().index("reserved")
GOLDEN = [
    ("15", "100"),
    ("30", "99"),
    ("45", "97.5"),
    ("67.5", "95.25"),
    ("101.25", "91.875"),
    ("151.875", "86.8125"),
]
"""Volume and price of the base order and of five safety orders, entered at 100."""


def cost(volume: str, price: str) -> Decimal:
    """Quantity up to 1e-8, and 0.1 % for the fee, up to 1e-8."""
    step = Decimal("1e-8")
    quantity = (Decimal(volume) / Decimal(price)).quantize(step, ROUND_CEILING)
    return (quantity * Decimal(price) * Decimal("1.001")).quantize(step, ROUND_CEILING)


LADDER = sum((cost(*order) for order in GOLDEN), Decimal(0))


class Banked(Loop):
    """A loop whose users have balances."""

    balances: dict[str, dict[str, Decimal]]

    def __init__(self, engine: Engine, **amounts: str) -> None:
        self.balances = {user: {"USDT": Decimal(amount)} for user, amount in amounts.items()}
        super().__init__(engine)

    def start(self, **options: Any) -> ExecutorWorker:
        """A worker that knows them."""
        return ExecutorWorker(self.bus, self.engine, TOPICS, RULES, balances=self.balances, **options)

    def play(self, *closes: float) -> None:
        """One bar per close, each opening where the one before closed."""
        for number, close in enumerate(closes):
            self.feed("BTCUSDT", bar(number, close, opened=closes[max(number - 1, 0)]))
            self.run()

    def free(self, user: str = "alice") -> Decimal:
        """What the user has left."""
        [row] = list_balances(self.engine, user_id=user)
        return Decimal(row.free)

    def refusals(self) -> list[str]:
        """Reasons of refused entries."""
        return [event.reason for event in self.events if event.event == "entry_refused"]

    def levels(self) -> list[str]:
        """Levels of all fills in order."""
        return [
            row[1] for row in sorted(rows(self.engine, "fills")["fills"], key=lambda row: (row[5], row[3]))
        ]


def test_a_deal_holds_its_ladder_and_gives_it_back(engine: Engine) -> None:
    loop = Banked(engine, alice="1000")
    loop.put(golden())
    loop.play(105.0, 100.0)
    [row] = list_balances(engine)
    assert (Decimal(row.held), Decimal(row.reserved)) == (LADDER, LADDER - Decimal("15.015"))
    loop.play(105.0, 100.0, 102.5)
    [deal] = rows(engine, "deals")["deals"]
    assert deal[4] == "closed"
    [row] = list_balances(engine)
    assert (row.held, row.reserved, row.realized) == ("0", "0", deal[13])
    assert loop.free() == 1000 + Decimal(deal[13])


def test_an_entry_is_refused_with_numbers_and_the_signal_has_to_come_again(engine: Engine) -> None:
    loop = Banked(engine, alice="411")
    loop.put(golden())
    loop.play(105.0, 100.0)
    assert loop.refusals() == [f"the deal needs {LADDER} USDT, 411 is free (reserve: ladder)"]
    assert loop.free() == 411
    assert rows(engine, "deals")["deals"] == []


@pytest.mark.parametrize(
    "reserve, needs",
    [("next_order", str((Decimal("15.015") + cost("30", "99")).normalize())), ("none", "15.015")],
)
def test_other_policies_open_with_less(engine: Engine, reserve: str, needs: str) -> None:
    loop = Banked(engine, alice=needs, bob=str(Decimal(needs) - Decimal("0.001")))
    loop.put(golden(reserve=reserve), golden("poor", user_id="bob", reserve=reserve))
    loop.play(105.0, 100.0)
    assert [deal[1] for deal in rows(engine, "deals")["deals"]] == ["dip"]
    assert [reason.partition("USDT")[0] for reason in loop.refusals()] == [f"the deal needs {needs} "]
    assert loop.free("alice") == 0


def test_a_safety_order_that_cannot_be_paid_is_passed_over_and_the_ladder_goes_on(engine: Engine) -> None:
    """60 pays the base order (15) and order 1 (30), not order 2 (45); given more, alice buys order 3."""
    loop = Banked(engine, alice="60")
    loop.put(golden(reserve="none"))
    loop.play(105.0, 100.0, 99.0, 97.5)
    assert loop.levels() == ["base", "dca_1"]
    skipped = [event for event in loop.events if event.event == "ignored"]
    assert [event.detail["level"] for event in skipped] == ["dca_2"]
    assert skipped[0].reason.startswith("it cannot be paid: it needs 45.045")
    assert "14.95" in skipped[0].reason
    assert loop.free() >= 0
    loop.balances["alice"]["USDT"] = Decimal(500)
    loop.worker.crash()
    loop.worker = loop.start()
    loop.feed("BTCUSDT", bar(4, 95.0, opened=97.5))
    loop.run()
    assert loop.levels() == ["base", "dca_1", "dca_3"]


def test_one_bar_that_meets_several_orders_buys_what_can_be_paid(engine: Engine) -> None:
    loop = Banked(engine, alice="130")
    loop.put(golden(reserve="none"))
    loop.play(105.0, 100.0, 90.0)
    assert loop.levels() == ["base", "dca_1", "dca_2"]
    assert [e.detail["level"] for e in loop.events if "cannot be paid" in e.reason] == ["dca_3", "dca_4"]
    assert loop.free() >= 0


def test_next_order_sets_aside_what_is_free_and_no_more(engine: Engine) -> None:
    loop = Banked(engine, alice="60")
    loop.put(golden(reserve="next_order"))
    loop.play(105.0, 100.0, 99.0)
    [row] = list_balances(engine)
    assert row.free == "0"
    assert Decimal(row.reserved) < 45
    loop.play(105.0, 100.0, 99.0, 97.5)
    assert loop.levels() == ["base", "dca_1"]


def test_a_users_bots_share_and_another_users_do_not(engine: Engine) -> None:
    loop = Banked(engine, alice="500", bob="500")
    loop.put(
        *(golden(f"a{n}") for n in range(4)), golden("bobs", user_id="bob"), golden("free", user_id="carol")
    )
    loop.play(105.0, 100.0)
    owners = [deal[1] for deal in rows(engine, "deals")["deals"]]
    assert len([bot for bot in owners if bot.startswith("a")]) == 1
    assert {"bobs", "free"} < set(owners)
    assert len(loop.refusals()) == 3
    assert loop.free("alice") == loop.free("bob")


def test_realized_losses_are_gone(engine: Engine) -> None:
    loop = Banked(engine, alice="411.1")
    loop.put(golden())
    loop.play(105.0, 100.0, 79.0, 105.0, 105.0, 100.0)
    assert names(loop).count("deal_opened") == 1
    assert loop.free() < Decimal("411.1")
    assert len(loop.refusals()) == 1


def test_shorts_hold_their_collateral(engine: Engine) -> None:
    loop = Banked(engine, alice="1000")
    loop.put(golden(side="short", entry="close > 99", max_safety_orders=1))
    loop.play(95.0, 100.0)
    [row] = list_balances(engine)
    assert Decimal(row.held) - Decimal(row.reserved) == Decimal("15.015")
    loop.play(95.0, 100.0, 97.0)
    [deal] = rows(engine, "deals")["deals"]
    assert (deal[4], Decimal(deal[13]) > 0) == ("closed", True)
    assert loop.free() == 1000 + Decimal(deal[13])


def test_a_balance_that_comes_later_counts_what_open_deals_hold(engine: Engine) -> None:
    loop = Banked(engine)
    loop.put(golden())
    loop.play(105.0, 100.0)
    assert list_balances(engine) == []
    loop.balances["alice"] = {"USDT": Decimal(1000)}
    loop.worker.crash()
    loop.worker = loop.start()
    loop.run()
    [row] = list_balances(engine)
    assert Decimal(row.held) == Decimal("15.015") + Decimal(row.reserved)
    loop.feed("BTCUSDT", bar(2, 102.5, opened=100.0))
    loop.run()
    [row] = list_balances(engine)
    assert (row.held, row.realized) == ("0", rows(engine, "deals")["deals"][0][13])
    loop.balances.clear()
    loop.worker.crash()
    loop.worker = loop.start()
    loop.run()
    assert list_balances(engine) == []


def test_who_has_balances_is_refused_what_cannot_be_reckoned(engine: Engine) -> None:
    loop = Banked(engine, alice="1000")
    loop.put(golden(pairs=["GOLD"]))
    for number, close in enumerate([105.0, 100.0]):
        loop.feed("GOLD", bar(number, close))
        loop.run()
    assert loop.refusals() == ["what GOLD is paid in is not known, and the user has balances"]


def test_held_is_what_open_deals_hold_whatever_happened(engine: Engine) -> None:
    """The books of balances agree with those of deals at the end of a busy hour, kept row by row."""
    loop = Banked(engine, alice="900", bob="450")
    policies = ["ladder", "next_order", "none"]
    loop.put(
        *(
            golden(
                f"b{n}",
                user_id="alice" if n % 2 else "bob",
                reserve=policies[n % 3],
                effective_from_ms=T0 + n * MINUTE,
            )
            for n in range(8)
        )
    )
    loop.play(105, 100, 99, 97, 101.5, 103, 100, 96, 90, 95, 102, 105, 100.5, 99, 78, 100, 104, 99, 97.4, 98)
    with engine.connect() as connection:
        total = connection.execute(text("SELECT count(*) FROM deals")).scalar()
    assert total is not None
    assert total > 5
    for row in list_balances(engine):
        mine = [d for d in rows(engine, "deals", "bots")["deals"] if owner(engine, d[1]) == row.user_id]
        closed = sum((Decimal(d[13]) for d in mine if d[4] == "closed"), Decimal(0))
        open_ones = [d for d in mine if d[4] == "open"]
        held = sum((Decimal(d[RESERVED]) - Decimal(d[13]) for d in open_ones), Decimal(0))
        assert Decimal(row.realized) == closed
        assert (
            Decimal(row.held) == held
        )  # nothing was sold in part: what was spent is the profit so far, negative
        assert Decimal(row.free) >= 0


def owner(engine: Engine, bot_id: str) -> str:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT user_id FROM bots WHERE bot_id = :bot"), {"bot": bot_id})
        return str(found.scalar())


def grid_bot(**changes: Any) -> BotConfig:
    """Five levels from 90 to 110, 10 USDT each, a fee of 0.1 %."""
    config = BotConfig(
        bot_id="net",
        user_id="alice",
        kind="grid",
        pairs=["BTCUSDT"],
        grid=Grid(lower="90", upper="110", levels=5, quantity="10"),
        slippage="0",
        effective_from_ms=T0,
    )
    return replace(config, **changes)


def test_a_grid_holds_the_most_it_ever_needs_until_it_ends(engine: Engine) -> None:
    loop = Banked(engine, alice="100")
    loop.put(grid_bot())
    loop.play(100.0, 94.0, 101.0, 89.0, 106.0, 95.0)
    [row] = list_balances(engine)
    fills = rows(engine, "fills")["fills"]
    out = sum(
        ((Decimal(f[9]) if f[6] == "buy" else -Decimal(f[9])) + Decimal(f[10]) for f in fills), Decimal(0)
    )
    assert len(fills) > 5
    assert out <= Decimal(row.held)
    assert row.held == row.reserved
    assert Decimal("40.04") < Decimal(row.held) < Decimal(42)
    loop.put(grid_bot(state="deleted", on_delete="close", effective_from_ms=bar(6, 1.0).open_time_ms))
    loop.feed("BTCUSDT", bar(6, 95.0), bar(7, 95.0))
    loop.run()
    [deal] = rows(engine, "deals")["deals"]
    [row] = list_balances(engine)
    assert (deal[4], row.held, row.realized) == ("closed", "0", deal[13])


def test_a_grid_that_cannot_be_paid_is_refused(engine: Engine) -> None:
    loop = Banked(engine, alice="40")
    loop.put(grid_bot())
    loop.play(100.0, 94.0)
    assert rows(engine, "deals")["deals"] == []
    assert loop.refusals()[0].startswith("the deal needs 4")


def test_a_position_that_a_grid_leaves_is_no_money_any_more(engine: Engine) -> None:
    loop = Banked(engine, alice="100")
    loop.put(grid_bot())
    loop.play(100.0, 94.0)
    loop.put(grid_bot(state="deleted", on_delete="keep", effective_from_ms=bar(2, 1.0).open_time_ms))
    loop.feed("BTCUSDT", bar(2, 94.0), bar(3, 94.0))
    loop.run()
    paid = sum((Decimal(fill[9]) + Decimal(fill[10]) for fill in rows(engine, "fills")["fills"]), Decimal(0))
    assert paid > 25
    assert loop.free() == 100 - paid
