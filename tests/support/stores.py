"""Opening stores in tests, whose servers need not survive a power loss and so are quicker."""

from functools import partial

from economy.store import engine, schema

open_store = partial(engine.open_store, allow_loss=True)
upgrade = partial(schema.upgrade, allow_loss=True)
downgrade = partial(schema.downgrade, allow_loss=True)
