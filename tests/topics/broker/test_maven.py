"""Where the jars are kept, and what is said when they cannot be fetched."""

from pathlib import Path

import pytest

from topics.broker.errors import JarsMissing
from topics.broker.maven import KAFKA_VERSION, cache_folder, jars, java


def test_the_cache_follows_the_users_wish() -> None:
    assert cache_folder({"STRIKELINE_KAFKA_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/strikeline")
    assert cache_folder({}) == Path.home() / ".cache" / "strikeline"


def test_jars_that_are_there_are_not_fetched_again(tmp_path: Path) -> None:
    there = tmp_path / f"kafka-{KAFKA_VERSION}"
    there.mkdir()
    assert jars(tmp_path) == there


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(JarsMissing, match="mvn"):
        jars(tmp_path / "cache")
    with pytest.raises(JarsMissing, match="java"):
        java()


def test_a_failing_maven_leaves_no_half_filled_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "mvn"
    fake.write_text("#!/bin/sh\necho no network\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(JarsMissing, match="no network"):
        jars(tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["lock"]
