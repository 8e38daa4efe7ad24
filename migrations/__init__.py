"""How the tables came to be: alembic's environment and its versions."""
