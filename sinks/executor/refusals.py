"""Why a config is refused: what the engine finds wrong with it, and what only the executor can know."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig
from schemas.conditions import ConditionError, condition_from_json
from schemas.limits import Limits
from sinks.executor.decision import LATEST_MS, Rules
from sinks.executor.state import Bot
from streams.engine import kinds
from streams.engine.conditions.expression import parse
from streams.engine.conditions.size import nodes_of
from streams.engine.dca import Instrument

# A path repeats the user's own words, a megabyte of them if he likes; an event has to fit its topic.
_FIELD_LENGTH: Final = 200
_REASON_LENGTH: Final = 500


class Refusal(NamedTuple):
    """`field` is a path into the config."""

    field: str
    reason: str


def refusals(
    bot: Bot | None, config: BotConfig, start_ms: int, rules: Rules, bots_of_user: int
) -> list[Refusal]:
    """Everything that is wrong with `config`, in force from `start_ms`, without repeats; empty when it can be
    accepted.
    """
    if bot is not None and bot.user_id != config.user_id:
        # Nothing more: whose bot it is, and what it holds, is nobody else's business.
        return [Refusal("user_id", f"bot_id {config.bot_id} belongs to another user")]
    found = [*_numbering(bot, config), *_timing(start_ms)]
    if config.state != "deleted":
        found += _excess(bot, config, rules.tiers.of(config.user_id), bots_of_user)
        instruments = [rules.instrument(symbol) for symbol in config.pairs] or [Instrument()]
        for instrument in dict.fromkeys(instruments):
            problems = kinds.problems(config, instrument, rules.base_interval)
            found += [
                Refusal(problem.field[:_FIELD_LENGTH], problem.reason[:_REASON_LENGTH])
                for problem in problems
            ]
    return list(dict.fromkeys(found))


def _excess(bot: Bot | None, config: BotConfig, limits: Limits, bots_of_user: int) -> Iterator[Refusal]:
    """More than its user may have."""
    if bot is None and bots_of_user >= limits.bots:
        yield Refusal("bot_id", f"the user already has {bots_of_user} bots, which is the limit")
    conditions = {"entry": config.entry, "safety_condition": config.safety_condition}
    if config.close is not None:
        conditions["close.when"] = config.close.when
    for field, condition in conditions.items():
        size = _nodes(condition)
        if size > limits.nodes:
            yield Refusal(field, f"{size} nodes, the user's limit is {limits.nodes}")


def _nodes(condition: str | dict[str, Any] | None) -> int:
    """0 for what is no condition: the engine says what is wrong with it."""
    if not condition:
        return 0
    try:
        return nodes_of(parse(condition) if isinstance(condition, str) else condition_from_json(condition))
    except ConditionError:
        return 0


def _timing(start_ms: int) -> Iterator[Refusal]:
    if start_ms > LATEST_MS:
        yield Refusal("effective_from_ms", f"{start_ms} is after the year 9000: is it in milliseconds?")


def _numbering(bot: Bot | None, config: BotConfig) -> Iterator[Refusal]:
    if bot is None or not config.revision:
        return
    newest = bot.newest.config
    other = replace(config, effective_from_ms=None) != replace(newest, effective_from_ms=None)
    if config.revision < newest.revision:
        yield Refusal("revision", f"{config.revision} is older than {newest.revision}, which was accepted")
    elif config.revision == newest.revision and config.state == newest.state and other:
        yield Refusal("revision", f"{config.revision} was accepted with other content: count it up")
