"""The console door: a room in a terminal to speak with the bot in, and transcripts that a program plays.

`transcript.run_script` plays a file; `repl.run_interactive` talks. Both speak through `courier.Courier`.
"""
