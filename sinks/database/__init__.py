"""The database, the truth for bots and deals: tables, engine, migrations, loading and saving."""
