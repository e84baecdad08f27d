"""Logs of the processes as JSON, one object a line, for collectors."""

import json
import logging
import sys
import time


class JsonLines(logging.Formatter):
    """`at` (UTC), `level`, `logger`, `message`, and the traceback of an exception as `error`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told = {
            "at": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["error"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def log_as_json(level: str) -> None:
    """From now on, whatever a process sets up by `logging.basicConfig` stays as it is here."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = JsonLines()
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level)
