"""Why a config is refused: what the engine finds wrong with it, and what only the executor can know."""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from schemas.bots import BotConfig
from sinks.executor.decision import Rules
from sinks.executor.state import Bot
from streams.engine import dca
from streams.engine.dca import Instrument


class Refusal(NamedTuple):
    """`field` is a path into the config."""

    field: str
    reason: str


def refusals(bot: Bot | None, config: BotConfig, rules: Rules, bots_of_user: int) -> list[Refusal]:
    """Everything that is wrong with `config`, without repeats; empty when it can be accepted."""
    if bot is not None and bot.user_id != config.user_id:
        # Nothing more: whose bot it is, and what it holds, is nobody else's business.
        return [Refusal("user_id", f"bot_id {config.bot_id} belongs to another user")]
    found = list(_numbering(bot, config))
    if config.state != "deleted":
        if bot is None and bots_of_user >= rules.max_bots_per_user:
            found.append(Refusal("bot_id", f"the user already has {bots_of_user} bots, which is the limit"))
        instruments = [rules.instrument(symbol) for symbol in config.pairs] or [Instrument()]
        for instrument in dict.fromkeys(instruments):
            found += [Refusal(problem.field, problem.reason) for problem in dca.problems(config, instrument)]
    return list(dict.fromkeys(found))


def _numbering(bot: Bot | None, config: BotConfig) -> Iterator[Refusal]:
    if bot is None or not config.revision:
        return
    newest = bot.newest.config
    other = replace(config, effective_from_ms=None) != replace(newest, effective_from_ms=None)
    if config.revision < newest.revision:
        yield Refusal("revision", f"{config.revision} is older than {newest.revision}, which was accepted")
    elif config.revision == newest.revision and config.state == newest.state and other:
        yield Refusal("revision", f"{config.revision} was accepted with other content: count it up")
