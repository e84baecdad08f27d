"""What a user may have on one symbol: counted, and refused with the field and the limit."""

import pytest
from hypothesis import given, settings

from schemas.alerts import AlertCommand
from schemas.conditions import Condition, _Budget, _condition, condition_to_json
from schemas.limits import Limits
from streams.engine.conditions.expression import parse
from streams.engine.conditions.size import nodes_of
from streams.engine.symbol import SymbolEngine
from tests.schemas.strategies import conditions
from tests.streams.engine.desk import SYMBOL, Desk, alert, at

FEW = Limits(alerts_per_symbol=2, nodes=7)


class Office(Desk):
    """A desk that holds users to FEW."""

    generation = 0

    def ask(self, name: str, text: str = "close > 1000", **more: str) -> str:
        """Hand in an alert; what came of it."""
        self.generation += 1
        command: AlertCommand = alert(text, alert_id=name, **more)
        said = self.hear(self.engine.on_alert(command, self.generation, at(0), FEW))
        return f"{said[0].field}: {said[0].reason}" if said[0].event == "rejected" else str(said[0].event)


def test_alerts_on_a_symbol_are_counted_by_user() -> None:
    office = Office()
    assert [office.ask("one"), office.ask("two"), office.ask("bobs", user_id="bob")] == ["armed"] * 3
    assert office.ask("three") == "alert_id: the user already has 2 alerts on this symbol, which is the limit"
    assert office.ask("two") == "armed", "an alert that is changed is no further one"
    assert office.ask("two", state="deleted") == "removed"
    assert office.ask("three") == "armed"


def test_what_is_over_counts_no_more() -> None:
    office = Office()
    office.ask("once", "close > 5")
    office.ask("expires", expires_at_ms=at(2))  # type: ignore[arg-type]
    office.close(9, 9, 9)
    assert [office.ask("one"), office.ask("two")] == ["armed"] * 2
    assert office.ask("three").startswith("alert_id")


def test_what_is_refused_for_another_reason_does_not_count() -> None:
    office = Office()
    assert office.ask("bad", "rsii(14) < 30").startswith("condition")
    assert [office.ask("one"), office.ask("two")] == ["armed"] * 2


def test_a_restart_counts_what_there_is() -> None:
    office = Office()
    office.ask("one")
    office.ask("two")
    office.close(1)
    rows = [row.body for row in office.engine.dirty_groups()]
    office.engine = SymbolEngine.restore(SYMBOL, office.market, rows, pos=office.pos)
    office.generation = 10
    assert office.ask("three").startswith("alert_id")


def test_conditions_and_messages_have_a_size() -> None:
    office = Office()
    assert office.ask("one", "close > 1000 and open > 1000") == "armed"
    assert (
        office.ask("one", "close > 1 and open > 1 and low > 1")
        == "condition: 10 nodes, the user's limit is 7"
    )
    long = "{{close - open}} {{close - low}} {{high}} {{low}}"
    assert office.ask("one", message=long) == "message: 8 nodes, the user's limit is 7"


def test_without_limits_there_are_none() -> None:
    desk = Desk()
    for number in range(2_000):
        desk.watch(alert("close > 1000", alert_id=f"a{number}"), generation=number)
    assert len(desk.events("armed")) == 2_000


@pytest.mark.parametrize("text, size", [("close > 1", 3), ("not holds(rsi(14) < 30, 3)", 5), ("at(5)", 1)])
def test_a_size_is_what_one_counts(text: str, size: int) -> None:
    assert nodes_of(parse(text)) == size


@settings(max_examples=200, deadline=None)
@given(conditions)
def test_a_size_is_what_the_schema_counts(condition: Condition) -> None:
    """200 trees."""
    budget = _Budget()
    _condition(condition_to_json(condition), "", 1, budget)
    assert nodes_of(condition) == budget.nodes
