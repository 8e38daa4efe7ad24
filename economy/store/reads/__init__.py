"""Queries: consistent snapshots of the store that never go through the journal."""

from economy.store.reads.reads import StoreReads

__all__ = ["StoreReads"]
