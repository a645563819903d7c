"""The only SQL and the only writer: models, sessions, migrations, pages, the change feed, the journal."""
