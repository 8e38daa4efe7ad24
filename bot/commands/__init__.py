"""What may be asked, one topic a file: its commands as typed functions, and how its receipts read."""
