"""One executor process, started by the tests with its settings in the environment."""

from sinks.config import ExecutorSettings
from sinks.process import run_executor

if __name__ == "__main__":
    run_executor(ExecutorSettings())
