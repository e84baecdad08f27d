"""What users may have, from the operator's file."""

from pathlib import Path

import pytest

from schemas.limits import Limits
from topics.tiers import BadTiers, Tiers, load_tiers

GOOD = """\
default: free
tiers:
  free: {bots: 5, alerts_per_symbol: 20, nodes: 16}
  pro:
    bots: 500
users: {alice: pro}
"""


def load(folder: Path, text: str) -> Tiers:
    path = folder / "limits.yaml"
    path.write_text(text)
    return load_tiers(path)


def test_users_have_their_tiers_and_others_the_default(tmp_path: Path) -> None:
    tiers = load(tmp_path, GOOD)
    assert tiers.of("bob") == Limits(bots=5, alerts_per_symbol=20, nodes=16)
    assert tiers.of("alice") == Limits(bots=500)


def test_without_a_default_there_are_the_limits_that_always_hold(tmp_path: Path) -> None:
    tiers = load(tmp_path, GOOD.replace("default: free\n", ""))
    assert tiers.of("bob") == Tiers().of("bob") == Limits()


@pytest.mark.parametrize(
    "was, now, told",
    [
        ("default: free", "default: fre", "line 1: default: there is no tier 'fre'; there are free, pro"),
        ("alice: pro", "alice: gold", "line 6: users.alice: there is no tier 'gold'"),
        ("alice: pro", "'a b': pro", "line 6: users.a b: "),
        ("bots: 500", "bots: -1", "line 5: tiers.pro.bots: Expected `int` >= 0"),
        ("bots: 500", "bost: 1", "line 4: tiers.pro: Object contains unknown field `bost`"),
        ("users: {alice: pro}", "users: [alice]", "line 6: users: expected names"),
        ("users:", "user:", "line 6: user: unknown field"),
        ("  pro:", "  free:", "line 4: 'free' stands twice"),
        (GOOD, "", "expected names"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, was: str, now: str, told: str) -> None:
    with pytest.raises(BadTiers) as wrong:
        load(tmp_path, GOOD.replace(was, now, 1))
    assert told in str(wrong.value)
