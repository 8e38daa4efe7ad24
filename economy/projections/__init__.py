"""What follows from the entries and is not needed to decide the next order: what an entry adds to it. Pure."""
