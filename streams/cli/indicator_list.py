"""What there is to say of every indicator, as data."""

from typing import Any

from streams.engine import indicators


def described() -> list[dict[str, Any]]:
    """One object per indicator, sorted by name; `ready` and `state_bytes` are those of the default parameters.

    `ready` is the least it can be where `tells_reach` says that it depends on the bars (sessions, Supertrend).
    """
    return [_described(indicators.lookup(name)) for name in indicators.names()]


def _described(definition: indicators.Definition) -> dict[str, Any]:
    plan = definition.plan({p.name: p.default for p in definition.params}, definition.auto or "first")
    return {
        "name": definition.name,
        "params": [
            {"name": p.name, "default": p.default, "low": p.low, "high": p.high, "whole": p.whole}
            for p in definition.params
        ],
        "outputs": [
            {"name": name, "ready": ready} for name, ready in zip(definition.outputs, plan.ready, strict=True)
        ],
        "auto_seed": definition.auto,
        "functions": dict(definition.functions),
        "never_forgets": definition.never_forgets,
        "tells_reach": plan.tells_reach,
        "state_bytes": 8 * (max(plan.floats, 1) + max(plan.ints, 1)),
    }
