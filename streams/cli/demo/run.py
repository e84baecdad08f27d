"""One demo from beginning to end: the broker that can be had, the run, the report."""

import time
from pathlib import Path

from streams.cli.context import Place
from streams.cli.demo.found import averaged_with_profit, deals_of, fills_of, fired_of, grids_of, profit_of
from streams.cli.demo.inprocess import Ran, run_in_process
from streams.cli.demo.interrupts import Interrupts
from streams.cli.demo.kafka import KafkaDemo, choose_broker, fresh_folder
from streams.cli.demo.plan import Plan
from streams.cli.demo.report import Report, print_report
from streams.cli.demo.view import View, open_view
from streams.cli.errors import Unreachable
from streams.cli.health import dead_letters
from streams.cli.output import print_json
from streams.cli.stack import StackFile, write_stack
from topics.broker.errors import BrokerError, NoBroker


def run_demo(place: Place, plan: Plan, *, json: bool, in_process: bool) -> None:
    """Run and print. Raises what commands raise; KeyboardInterrupt after everything was ended."""
    folder = fresh_folder(place.folder)
    with Interrupts().installed() as interrupts, open_view(plan.title, quiet=json) as view:
        if in_process:
            report = _in_process(plan, folder, view, "asked for")
        else:
            report = _on_kafka(place, plan, folder, view, interrupts)
    if json:
        print_json(report)
    else:
        print_report(report)


def _on_kafka(place: Place, plan: Plan, folder: Path, view: View, interrupts: Interrupts) -> Report:
    began = time.monotonic()
    view.say("looking for a broker, or starting Apache Kafka on this machine (the first time fetches 44 MB)")
    try:
        broker = choose_broker(folder, place.asked_bootstrap)
    except NoBroker as none:
        return _in_process(plan, folder, view, str(none))
    except BrokerError as error:
        raise Unreachable(str(error)) from None
    with broker:
        view.say(f"Kafka at {broker.bootstrap}")
        run = KafkaDemo(plan, folder, broker, view, interrupts)
        with run.processes():
            last = run.run()
            present = run.cluster.names()
            dead = dead_letters(run.cluster, run.topics, present)
            fired = fired_of(run.cluster, run.topics)
    notes = [f"database: {run.stack.database}", f"logs: {folder / 'logs'}"]
    if run.stack.own_broker:
        notes.append(
            f"topics: strikeline --dir {folder} up --no-feed, then strikeline --dir {folder} triggers tail"
        )
    else:
        notes.append(f"topics: namespace {run.stack.namespace} on {broker.bootstrap}")
    ran = Ran(last, fired, sum(dead.values()))
    return _report("kafka", broker.bootstrap, plan, run.stack.database, ran, began, notes)


def _in_process(plan: Plan, folder: Path, view: View, why: str) -> Report:
    began = time.monotonic()
    view.say(f"everything runs in this process, on the in-process bus, not on Kafka ({why})")
    database = f"sqlite:///{folder / 'strikeline.db'}"
    write_stack(folder, StackFile("", database, "", 1, keep_history=True, own_broker=False))
    ran = run_in_process(plan, database, view)
    notes = ["not on Kafka: the topics were in memory and are gone", f"database: {database}"]
    return _report("in-process", "none", plan, database, ran, began, notes)


def _report(
    mode: str, broker: str, plan: Plan, database: str, ran: Ran, began: float, notes: list[str]
) -> Report:
    found = deals_of(database)
    return Report(
        mode=mode,
        broker=broker,
        simulated=plan.simulated,
        klines=plan.klines,
        triggers=ran.last.triggers,
        deals=found,
        grids=grids_of(database),
        fills=fills_of(database),
        fired=ran.fired,
        profit=profit_of(found),
        averaged_with_profit=averaged_with_profit(found),
        dead_letters=ran.dead_letters,
        database=database,
        seconds=round(time.monotonic() - began, 1),
        notes=notes,
    )
