"""Every fail-point is known to the run, and the scenario that is written is the one that is read."""

from pathlib import Path

from tests.chaos import scenario
from tests.chaos.points import executor_points, worker_points


def test_fail_points_are_found_in_both_rooms() -> None:
    assert {"checkpoint.frozen", "checkpoint.groups_row", "checkpoint.acked", "recovery.partition"} <= {
        *worker_points()
    }
    assert {"executor.fetched", "executor.committed", "relay.sent", "relay.committed"} <= {*executor_points()}


def test_a_scenario_comes_back_as_it_was_written_and_from_its_seed(tmp_path: Path) -> None:
    made = scenario.make(5, symbols=3, segment_minutes=20, segments=3)
    klines, rest = scenario.write(made, tmp_path)
    assert scenario.read(rest) == made == scenario.make(5, symbols=3, segment_minutes=20, segments=3)
    assert made != scenario.make(6, symbols=3, segment_minutes=20, segments=3)
    fed = [kline for segment in range(3) for kline in made.klines(klines, segment).klines()]
    assert len(fed) == len({(k.symbol, k.open_time_ms) for k in fed}) > 150


def test_changes_count_from_inside_their_segment() -> None:
    made = scenario.make(5, symbols=4, segment_minutes=30, segments=20)
    changes = [(segment, config) for segment, configs in enumerate(made.changes) for config in configs]
    assert {config.state for _, config in changes} == {"active", "paused", "deleted"}
    for segment, config in changes:
        assert made.start_of(segment) <= (config.effective_from_ms or 0) < made.start_of(segment + 1)
