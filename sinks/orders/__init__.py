"""Orders that happen later: intents in the database, a gateway that brings them to a venue, reports that come back.

    trigger ──executor──▶ deal + intent (one transaction) ──gateway──▶ venue
       bots.orders.v1 ◀──relay── outbox + phase (one transaction) ◀──answer, trades──┘
       └──executor──▶ deal, fills, ledger, next intents (one transaction)

`exchange` is the port of a venue, `gateway` one owned partition's way to it, `reports` what a report does to a bot.
"""
