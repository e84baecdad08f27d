"""What happened to a bot, in sentences: the events of `bots.events.v1` for people."""

from schemas.events import BotEvent

_EXITS = {
    "take_profit": "its take profit",
    "stop_loss": "its stop",
    "stop_below": "its stop below the range",
    "stop_above": "its stop above the range",
    "break_even": "its stop at break even",
    "close": "the bot's deletion",
    "condition": "its close rule",
    "timeout": "its timeout",
    "order_cancelled": "the base order, which got nothing",
    "order_rejected": "the base order, which the venue refused",
}


def sentence(event: BotEvent) -> str:
    """One line that says what happened and why."""
    said, level = event.detail, str(event.detail.get("level", ""))
    match event.event:
        case "deal_opened":
            return f"a {said.get('side')} deal is opened"
        case "order_accepted":
            at = f" at {said['price']}" if said.get("price") else " at the market"
            return f"{_order(level)}: to {said.get('side')} {said.get('quantity')}{at}"
        case "filled":
            done = "bought" if said.get("side") == "buy" else "sold"
            fee = f"{said['fee_base']} of them" if said.get("fee_base") else said.get("fee")
            return f"{_order(level)}: {done} {said.get('quantity')} at {said.get('price')}, fee {fee}"
        case "order_cancelled" | "order_rejected":
            return f"{_order(level)} was {event.event.removeprefix('order_')}: {event.reason}"
        case "merged":
            return f"{_order(level)} is {event.reason.replace(str(said.get('into')), _order(str(said.get('into'))))}"
        case "closed":
            return f"the deal was closed by {_EXITS.get(event.reason, event.reason)}, profit {said.get('profit')}"
        case "dust":
            return f"{said.get('quantity')} left are too little to be sold, and were booked off"
        case "round_trip":
            return f"{_order(level)}: {event.reason}"
        case "kept":
            return f"{said.get('quantity')} stay with the user, at {said.get('price')}"
        case "ignored" if level:
            return f"{_order(level)} fired, and nothing was done: {event.reason}"
    return f"{event.field}: {event.reason}" if event.field else event.reason


def _order(level: str) -> str:
    """dca_2 is safety order 2."""
    kind, _, number = level.partition("_")
    names = {
        "base": "base order",
        "dca": "safety order",
        "tp": "target",
        "sl": "stop",
        "grid": "level",
        "stop": "stop",
        "close": "exit",
        "exit": "close rule",
    }
    name = names.get(kind, level)
    return f"{name} {number}" if number else name
