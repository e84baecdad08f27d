"""How Kafka's programs are called, and how a broker's class archive is kept for the next start."""

from pathlib import Path

import pytest

from topics.broker.folder import Folder
from topics.broker.jvm import Jvm
from topics.broker.maven import KAFKA_VERSION


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    jars = tmp_path / "cache" / f"kafka-{KAFKA_VERSION}"
    jars.mkdir(parents=True)
    for name in ("b.jar", "a.jar"):
        (jars / name).touch()
    java = tmp_path / "java"
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("STRIKELINE_KAFKA_CACHE", str(tmp_path / "cache"))
    folder = Folder(tmp_path / "broker")
    folder.path.mkdir()
    return folder


def test_the_class_path_has_one_order(folder: Folder) -> None:
    command = Jvm(folder, "512m").broker()
    names = [Path(jar).name for jar in command[command.index("-cp") + 1].split(":")]
    assert names == ["a.jar", "b.jar"]


def test_the_command_line_names_the_folder_it_serves(folder: Folder) -> None:
    assert Jvm(folder, "512m").broker()[-2:] == ["kafka.Kafka", str(folder.properties)]
    assert "-Xmx300m" in Jvm(folder, "300m").broker()


def test_the_first_broker_writes_the_archive_that_later_ones_read(folder: Folder) -> None:
    written = folder.path / "classes.jsa"
    assert f"-XX:ArchiveClassesAtExit={written}" in Jvm(folder, "512m").broker()
    written.write_text("classes")
    Jvm(folder, "512m").keep_archive()
    (shared,) = [option for option in Jvm(folder, "512m").broker() if "SharedArchiveFile" in option]
    assert Path(shared.partition("=")[2]).read_text() == "classes"
    assert not written.exists()


def test_what_a_killed_broker_left_of_an_archive_is_removed(folder: Folder) -> None:
    half = folder.path / "classes.jsa"
    half.write_text("half")
    Jvm(folder, "512m").broker()
    assert not half.exists()


def test_without_a_new_archive_nothing_is_kept(folder: Folder) -> None:
    Jvm(folder, "512m").keep_archive()
    assert not list(folder.path.iterdir())
