"""Errors of the sinks, named for what happens next.

Exception
├── Stop              the process ends with the message; nothing more is applied
│   ├── UnknownTopic      the topic is not the one whose offsets the database holds
│   ├── BeyondEnd         the database is ahead of the topic
│   ├── RecordsLost       the topic no longer has records that were never applied
│   ├── WrongDatabase     the database belongs to another namespace or partition count, or is not migrated
│   ├── BadInstruments    the instruments file cannot be used
│   ├── BadBalances       the balances file cannot be used
│   └── BadVenue          the venue, its keys or its switches do not go together
└── Fenced            another executor owns the partition: give it up, go on with the others
"""


class Stop(Exception):
    """The process must end and say why: going on would be a guess."""


class UnknownTopic(Stop):
    """The topic is not the one that the stored offsets belong to: it was deleted and created again."""

    def __init__(self, topic: str, stored: str, found: str) -> None:
        super().__init__(
            f"{topic} has id {found}, but the database holds offsets of the topic with id {stored}: it was "
            "created anew. Use a fresh database or namespace, or delete the rows of this topic in `offsets`."
        )


class BeyondEnd(Stop):
    """The stored offset lies behind the topic's end: records were lost, or it is another's database."""

    def __init__(self, topic: str, partition: int, stored: int, end: int) -> None:
        super().__init__(
            f"{topic}[{partition}] ends at offset {end}, but the database has applied all before {stored}: "
            "the broker lost records or this is not its database."
        )


class RecordsLost(Stop):
    """Records that were never applied are gone from the topic."""

    def __init__(self, topic: str, partition: int, stored: int, begin: int) -> None:
        super().__init__(
            f"{topic}[{partition}] begins at offset {begin}, but the next record to apply was {stored}: "
            "retention removed records that were never applied. Start once with lost_records=rearm to go on"
            " from the first record there is: every armed group is then armed anew, its triggers come again."
        )


class WrongDatabase(Stop):
    """The database was made for another deployment, or its schema is not the one this version needs."""


class BadInstruments(Stop):
    """The instruments file cannot be read or holds a value that is no tick, lot or notional."""


class BadBalances(Stop):
    """The balances file cannot be read or holds a value that is no amount."""


class BadVenue(Stop):
    """The venue cannot be traded on with these settings; nothing was sent."""


class Fenced(Exception):
    """Another executor claimed the partition: the transaction left nothing, give the partition up."""

    def __init__(self, partition: int, mine: int, found: int) -> None:
        super().__init__(f"partition {partition}: my epoch is {mine}, the database has {found}")
        self.partition = partition
