"""What `bots.positions.v1` shows of a bot."""

from msgspec.structs import replace

from schemas.positions import Position
from sinks.executor.draft import Draft, Told
from sinks.executor.state import Bot
from streams.engine import kinds


def position(bot: Bot) -> Position:
    """Where the bot stands."""
    deals = sorted(
        (held.deal for held in bot.deals.values() if held.open),
        key=lambda deal: (deal.opened_at_ms, deal.deal_id),
    )
    return Position(
        bot_id=bot.bot_id,
        user_id=bot.user_id,
        state=bot.newest.config.state,
        revision=bot.newest.config.revision,
        as_of_ms=bot.as_of_ms,
        open_deals=[kinds.open_deal_view(deal) for deal in deals],
        closed_deals=bot.closed_deals,
        realized_profit=bot.realized_profit,
    )


def snapshot(draft: Draft) -> None:
    """Count one change of the bot and tell where it stands now."""
    draft.bot = replace(draft.bot, version=draft.bot.version + 1, as_of_ms=draft.at_ms)
    message = position(draft.bot)
    event_id = f"{draft.bot.bot_id}:position:{draft.bot.version}"
    draft.told.append(Told("positions", message, event_id, draft.at_ms))
