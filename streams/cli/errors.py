"""How a command ends.

CliError
├── Invalid        2: what was asked for, or a file that was given, is wrong: correct it
├── Unreachable    3: broker, topic or database is not there: start it, or name another
└── Problem        1: everything was reachable, and something is wrong with it: look at it
"""

from enum import IntEnum
from typing import ClassVar, Final


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    PROBLEM = 1
    USAGE = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


EXIT_CODES: Final = (
    "Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or invalid input, "
    "3 broker, topic or database cannot be reached, 130 interrupted."
)


class CliError(Exception):
    """Ends the command with one line on standard error."""

    code: ClassVar[Exit] = Exit.PROBLEM


class Problem(CliError):
    """Something is wrong with what was looked at."""


class Invalid(CliError):
    """The input cannot be used."""

    code = Exit.USAGE


class Unreachable(CliError):
    """A server, a topic or a database that is needed does not answer or does not exist."""

    code = Exit.UNREACHABLE
