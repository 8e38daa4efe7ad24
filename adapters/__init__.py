"""The doors: each translates between one platform and the conversation, and decides nothing."""
