"""`strikeline alerts`: users' own alerts onto their topic, and how they stand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.context import Context, Place, place
from streams.cli.errors import Problem
from streams.cli.output import JsonFlag, print_json, print_table
from streams.cli.times import parse_time, show_time

if TYPE_CHECKING:
    from schemas.alerts import AlertCommand
    from streams.cli.alertrows import Standing
    from streams.cli.applying import Answer

app = typer.Typer(
    help="Users' own alerts, which notify: apply their files, list, show, delete.", no_args_is_help=True
)

AlertFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="YAML: one alert, several documents, or a list.")
]
AlertName = Annotated[str, typer.Argument(metavar="ID")]
OnSymbol = Annotated[str | None, typer.Option(help="Only on this symbol.")]
Wait = Annotated[
    float,
    typer.Option(min=0.0, help="Seconds to wait for the evaluator's answer; 0 sends and ends."),
]


@app.command()
def apply(
    ctx: Context,
    file: AlertFile,
    wait: Wait = 0.0,
    effective_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="In force from then on, not from the newest candle.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Send alerts that have not changed, too: those that fired arm anew."),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Check a file's alerts and put them on the topic; nothing is sent when anything is wrong (exit code 2).

    One that now names another symbol is deleted on the old one first.
    """
    from msgspec.structs import replace

    from streams.cli.alertfile import read_alerts
    from streams.cli.alerting import changes
    from streams.cli.alertrows import standing

    start = parse_time(effective_from, "--effective-from") if effective_from else None
    wanted = read_alerts(file)
    here = place(ctx)
    if start is not None:
        wanted = [replace(alert, effective_from_ms=start) for alert in wanted]
    found = changes(wanted, standing(here.cluster, here.topics), force=force)
    _send(here, found.todo, found.same, wait, json)


@app.command("list")
def list_(
    ctx: Context,
    user: Annotated[str | None, typer.Option(help="Only this user's.")] = None,
    symbol: OnSymbol = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that fired once, expired or were deleted.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Alerts as the evaluator's table has them."""
    from streams.cli.alertrows import standing

    here = place(ctx)
    found = [
        one
        for one in standing(here.cluster, here.topics)
        if user in (None, one.user_id)
        and symbol in (None, one.symbol)
        and (every or one.state in {"sent", "active", "deleting"})
    ]
    if json:
        print_json(found)
        return
    print_table(
        ("alert", "user", "symbol", "state", "condition", "frequency", "sees bars from", "fires", "last fired",
         "expires"),
        [
            (a.alert_id, a.user_id, a.symbol, a.state, a.condition, _frequency(a.command), _from(a.armed_from_ms),
             a.fires, show_time(a.last_fired_ms), show_time(a.command.expires_at_ms))
            for a in found
        ],
        right=("fires",),
    )  # fmt: skip


@app.command()
def show(ctx: Context, alert_id: AlertName, symbol: OnSymbol = None, json: JsonFlag = False) -> None:
    """One alert: its command, how it stands, its last events and fires."""
    from schemas.events import BotEvent
    from schemas.triggers import Fired
    from streams.cli.reading import decoded, everything

    here = place(ctx)
    alert = _one(here, alert_id, symbol, living=False)
    told: dict[str, list[BotEvent | Fired]] = {"events": [], "fired": []}
    for name, spec, key in (
        ("events", here.topics.events, alert_id),
        ("fired", here.topics.fired, alert.user_id),
    ):
        for record in everything(here.cluster, spec.name):
            message = t.message if record.key == key.encode() and (t := decoded(record, spec)) else None
            if (
                isinstance(message, BotEvent | Fired)
                and message.alert_id == alert_id
                and message.symbol == alert.symbol
            ):
                told[name].append(message)
    if json:
        print_json({"alert": alert, **told})
        return
    print_json(alert)
    events = [one for one in told["events"] if isinstance(one, BotEvent)]
    fired = [one for one in told["fired"] if isinstance(one, Fired)]
    print_table(
        ("at", "event", "reason"),
        [
            (show_time(e.at_ms), e.event, f"{e.field}: {e.reason}" if e.field else e.reason)
            for e in events[-15:]
        ],
    )
    print_table(
        ("fired on the bar that closed", "close", "values"),
        [
            (
                show_time(f.bar.close_time_ms),
                f"{f.bar.close:g}",
                ", ".join(f"{k} {v:g}" for k, v in f.values.items()),
            )
            for f in fired[-10:]
        ],
    )


@app.command()
def delete(
    ctx: Context, alert_id: AlertName, symbol: OnSymbol = None, wait: Wait = 0.0, json: JsonFlag = False
) -> None:
    """Delete an alert: it fires no more."""
    from streams.cli.alerting import deletion

    here = place(ctx)
    _send(here, [deletion(_one(here, alert_id, symbol, living=True))], [], wait, json)


def _one(here: Place, alert_id: str, symbol: str | None, *, living: bool) -> "Standing":
    """The alert of that name. Raises Problem where there is none, or several and no symbol tells which."""
    from streams.cli.alertrows import LIVING, standing

    named = [
        one
        for one in standing(here.cluster, here.topics)
        if one.alert_id == alert_id and symbol in (None, one.symbol)
    ]
    found = [one for one in named if one.state in LIVING] or ([] if living else named)
    if not found:
        was = f", it is {named[-1].state}" if named else ""
        raise Problem(f"no alert {alert_id}{f' on {symbol}' if symbol else ''}{was}")
    if len(found) > 1:
        raise Problem(
            f"alert {alert_id} is on {', '.join(one.symbol for one in found)}: say which with --symbol"
        )
    return found[0]


def _send(
    here: Place, todo: "list[AlertCommand]", same: "list[AlertCommand]", wait: float, json: bool
) -> None:
    from streams.cli.alerting import await_answers, dated, send
    from streams.cli.applying import Answer, ends, newest_times

    newest = newest_times(here.cluster, here.topics, {one.symbol for one in todo})
    todo = [dated(one, newest) for one in todo]
    since = ends(here.cluster, here.topics.events.name) if wait else {}
    if todo:
        send(here.cluster, here.topics, todo)
    answers = {(one.alert_id, one.symbol): Answer() for one in todo}
    if wait and todo:
        answers = await_answers(here.cluster, here.topics, todo, since, wait)
    _tell(
        [(one, answers[one.alert_id, one.symbol]) for one in todo]
        + [(one, Answer("unchanged")) for one in same],
        json,
    )
    refused = [name for (name, _), answer in answers.items() if answer.event == "rejected"]
    silent = [name for (name, _), answer in answers.items() if answer.event == "sent"]
    if refused:
        raise Problem(f"rejected: {', '.join(refused)}")
    if wait and silent:
        raise Problem(f"no answer from the evaluator in {wait:g} s: {', '.join(silent)}")


def _tell(rows: "list[tuple[AlertCommand, Answer]]", json: bool) -> None:
    if json:
        print_json(
            [
                {
                    "alert_id": one.alert_id, "user_id": one.user_id, "symbol": one.symbol, "state": one.state,
                    "effective_from_ms": one.effective_from_ms, "answer": answer.event, "field": answer.field,
                    "reason": answer.reason,
                }
                for one, answer in rows
            ]
        )  # fmt: skip
        return
    print_table(
        ("alert", "user", "symbol", "state", "in force from", "answer"),
        [
            (one.alert_id, one.user_id, one.symbol, one.state, _from(one.effective_from_ms), _answer(answer))
            for one, answer in rows
        ],
    )


def _frequency(command: "AlertCommand") -> str:
    return f"{command.frequency}, on tick" if command.on == "tick" else command.frequency


def _answer(answer: "Answer") -> str:
    field = f"{answer.field}: " if answer.field else ""
    return f"{answer.event}: {field}{answer.reason}" if answer.reason else answer.event


def _from(time_ms: int | None) -> str:
    return "its first candle" if time_ms == 0 else show_time(time_ms)
