"""What a broker's folder remembers."""

from pathlib import Path

from topics.broker.folder import Folder, new_cluster_id


def test_ports_are_kept_for_the_next_start(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    chosen = folder.ports(None)
    folder.write(chosen, {})
    assert Folder(tmp_path).ports(None) == chosen
    assert Folder(tmp_path).ports(chosen[0]) == chosen


def test_another_port_that_is_wanted_replaces_the_kept_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write((20_001, 20_002), {})
    assert folder.ports(9092)[0] == 9092


def test_the_log_tail_is_the_end_of_the_log(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.log_tail() == ""
    folder.log.write_text("one\ntwo\nthree\n")
    assert folder.log_tail(2) == "two\nthree"


def test_a_cluster_id_is_what_kafka_accepts() -> None:
    for _ in range(200):
        made = new_cluster_id()
        assert len(made) == 22
        assert not made.startswith("-")
