"""Where the economy is kept: the only code that knows SQL."""
