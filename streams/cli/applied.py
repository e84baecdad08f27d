"""Sending configs, and showing what became of them."""

from collections.abc import Mapping
from typing import Any

from schemas.bots import BotConfig
from streams.cli.applying import Answer, await_answers, ends, send
from streams.cli.context import Place
from streams.cli.difference import differences
from streams.cli.errors import Problem
from streams.cli.output import print_json, print_table
from streams.cli.times import show_time


def sent(here: Place, todo: list[BotConfig], wait: float) -> dict[str, Answer]:
    """Send `todo`; the executor's answers within `wait` seconds, `sent` where there is none."""
    since = ends(here.cluster, here.topics.events.name) if wait else {}
    if todo:
        send(here.cluster, here.topics, todo)
    names = [bot.bot_id for bot in todo]
    if wait and todo:
        return await_answers(here.cluster, here.topics, names, since, wait)
    return {name: Answer() for name in names}


def show_changes(todo: list[BotConfig], before: Mapping[str, BotConfig]) -> None:
    """What each config changes, before it is sent."""
    for bot in todo:
        was = before.get(bot.bot_id)
        if was is None:
            print(f"{bot.bot_id}: new")
            continue
        print(f"{bot.bot_id}:")
        for change in differences(was, bot):
            print(f"  {change}")
        print("  deals that are open keep what they were opened with")


def show_applied(
    told: list[BotConfig],
    same: list[BotConfig],
    answers: dict[str, Answer],
    json: bool,
    before: Mapping[str, BotConfig] | None = None,
) -> None:
    """One row per config: sent with its answer, or unchanged; in JSON with what it changed of the one `before`."""
    rows: list[dict[str, Any]] = []
    for bot in (*told, *same):
        answer = answers.get(bot.bot_id)
        rows.append(
            {
                "bot_id": bot.bot_id,
                "revision": bot.revision,
                "state": bot.state,
                "pairs": bot.pairs,
                "effective_from_ms": bot.effective_from_ms,
                "answer": answer.event if answer else "unchanged",
                "field": answer.field if answer else None,
                "reason": answer.reason if answer else "",
                "changes": _changes(bot, (before or {}).get(bot.bot_id)),
            }
        )
    if json:
        print_json(rows)
        return
    print_table(
        ("bot", "revision", "state", "pairs", "in force from", "answer"),
        [
            (
                r["bot_id"],
                r["revision"],
                r["state"],
                ", ".join(r["pairs"]),
                _from(r["effective_from_ms"]),
                _answer(r),
            )
            for r in rows
        ],
        right=("revision",),
    )


def _changes(bot: BotConfig, was: BotConfig | None) -> list[dict[str, Any]] | None:
    """None for a bot that was not there."""
    return None if was is None else [change._asdict() for change in differences(was, bot)]


def _from(time_ms: int | None) -> str:
    return "its first candle" if time_ms == 0 else show_time(time_ms)


def _answer(row: dict[str, Any]) -> str:
    return f"{row['answer']}: {row['field'] or ''} {row['reason']}" if row["reason"] else str(row["answer"])


def judge(answers: dict[str, Answer], wait: float) -> None:
    """Raises Problem for a refusal, and for silence where an answer was waited for."""
    rejected = [name for name, answer in answers.items() if answer.event == "rejected"]
    if rejected:
        raise Problem(f"rejected: {', '.join(rejected)}")
    silent = [name for name, answer in answers.items() if answer.event == "sent"]
    if wait and silent:
        raise Problem(f"no answer from the executor in {wait:g} s: {', '.join(silent)}")
