"""The containers as their files tell: pinned, on loopback, watched, without root, with known commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from topics.broker.maven import KAFKA_VERSION

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("strikeline:")]
ONE_SHOT = ["topics", "migrations"]
SUBCOMMANDS = {"topics", "feed", "worker", "executor", "notifier"}
PINNED = re.compile(r"[^:]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_the_broker_is_the_version_that_is_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in ONE_SHOT])
def test_what_keeps_running_is_watched_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ONE_SHOT)
def test_what_runs_once_is_awaited_by_those_who_need_it(name: str) -> None:
    waiting = [
        service["depends_on"][name] for service in SERVICES.values() if name in service.get("depends_on", {})
    ]
    assert waiting
    assert all(wait == {"condition": "service_completed_successfully"} for wait in waiting)


@pytest.mark.parametrize("name", OURS)
def test_every_dependency_exists_and_has_a_condition(name: str) -> None:
    for other, wait in SERVICES[name]["depends_on"].items():
        known = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert other in SERVICES
        assert wait == {"condition": known}


@pytest.mark.parametrize("name", OURS)
def test_a_command_is_one_of_strikelines(name: str) -> None:
    assert SERVICES[name]["command"][0] in SUBCOMMANDS
    check = SERVICES[name].get("healthcheck", {"test": ["CMD", "strikeline", "topics", "check"]})["test"]
    assert check[1] == "strikeline"
    assert check[2] in SUBCOMMANDS


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_more_rights_than_they_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_the_feed_is_a_simulated_market_unless_another_is_named() -> None:
    service = SERVICES["feed"]
    assert service["command"] == ["feed", "${STRIKELINE_FEED:-simulate}"]
    assert service["environment"].items() >= SERVICES["worker"]["environment"].items()
    assert service["environment"]["STRIKELINE_BINANCE_SYMBOLS"] == "${STRIKELINE_BINANCE_SYMBOLS:-}"


def test_the_notifier_starts_only_where_somebody_asks_for_it_and_reads_a_secret() -> None:
    service = SERVICES["notifier"]
    (secret,) = service["secrets"]
    assert service["profiles"] == ["notifier"]
    assert service["command"] == ["notifier", "--config", f"/run/secrets/{secret}"]
    assert set(COMPOSE["secrets"]) == {secret}


def test_every_named_volume_is_declared_and_used() -> None:
    used = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_the_image_runs_as_a_user_without_rights() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["strikeline"]
    assert DOCKERFILE.index("USER strikeline") < DOCKERFILE.index("ENTRYPOINT")


def test_the_image_installs_what_the_lock_says() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert "--no-build-isolation --no-deps" in DOCKERFILE


def test_the_base_image_is_pinned_and_used_by_every_stage() -> None:
    base = re.search(r"^ARG PYTHON=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert PINNED.fullmatch(base[1])
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON}"}
