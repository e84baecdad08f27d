"""The notifier's process: read the file, check the topics, then consume until told to stop."""

import asyncio
import logging
import os
import signal
import sys

from sinks.notifier.config import NotifierSettings
from sinks.notifier.directory import Directory, load_directory
from sinks.notifier.guard import Guard
from sinks.notifier.kafka import KafkaNotifier
from sinks.notifier.metrics import Metrics
from sinks.notifier.session import guarded_sessions
from topics.admin import TopicAdmin
from topics.producer import KafkaPublisher

_log = logging.getLogger("strikeline.notifier")


def run_notifier(settings: NotifierSettings) -> None:
    """Run one notifier until SIGTERM or SIGINT. Raises BadDirectory, TopicsDiffer, AdminFailed, DeliveryFailed."""
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    directory = load_directory(settings.notifier_config, settings.notifier_deadline)
    if settings.notifier_config.stat().st_mode & 0o004:
        _log.warning("%s holds secrets and everybody on this machine can read it", settings.notifier_config)
    topics = settings.topics
    TopicAdmin(settings.kafka).require([topics.fired, topics.dlq(topics.fired.name), topics.events])
    metrics = Metrics()
    if settings.metrics_port:
        metrics.serve(settings.metrics_port)
    with Guard(allow_private=settings.notifier_allow_private).enforced(), guarded_sessions():
        asyncio.run(_run(settings, directory, metrics))


async def _run(settings: NotifierSettings, directory: Directory, metrics: Metrics) -> None:
    publisher = KafkaPublisher(settings.kafka)
    running = KafkaNotifier(settings, directory, publisher, metrics)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.stop)
    _log.info("notifier %s begins: %s users", os.getpid(), len(directory))
    await running.run()
    _log.info("notifier ended in order")
