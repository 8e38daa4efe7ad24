"""Florin's economy: values, rules and the journal that carries them out.

This package is the whole truth about money and knows nothing of any platform. Doors speak to
`economy.service.Economy` and to the names re-exported there; the rest is private to the package.
"""
