"""The conversation: what may be asked of Florin, and what is answered; and the wiring of all that runs."""
