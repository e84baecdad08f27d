"""One venue at a time: open deals are where they were opened."""

from sqlalchemy import Connection, func, select, update

from sinks.database.tables import deals, deployment
from sinks.errors import BadVenue


def settle_venue(connection: Connection, venue: str) -> None:
    """Make `venue` the database's. Raises BadVenue while deals are open on another: nobody there would close them."""
    stored = connection.scalar(select(deployment.c.venue))
    if stored == venue:
        return
    count = connection.scalar(select(func.count()).select_from(deals).where(deals.c.state == "open"))
    if count:
        raise BadVenue(
            f"the database has {count} open deals on {stored}, the venue is to be {venue}: close them first, or use a"
            " database and a namespace of their own"
        )
    connection.execute(update(deployment).values(venue=venue))
