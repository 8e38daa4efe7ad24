"""Discord's own description of what it takes, held against every request body that it is sent.

`openapi.json` is the part of it that a bot like ours needs: the request bodies of eight calls and what they are made
of, from github.com/discord/discord-api-spec (MIT licence, copyright Discord Inc.).
"""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

_SPEC = json.loads((Path(__file__).parent / "openapi.json").read_text())


@cache
def _validator(request: str) -> Draft202012Validator:
    return Draft202012Validator({**_SPEC["requests"][request], "$defs": _SPEC["$defs"]})


def known(request: str) -> bool:
    """Whether the description has this request, such as `POST /channels/{channel_id}/messages`."""
    return request in _SPEC["requests"]


def problem(request: str, body: Any) -> str | None:
    """What is wrong with a body; None if nothing is."""
    error = best_match(_validator(request).iter_errors(_habits_aside(body)))
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


def _habits_aside(body: Any) -> Any:
    """Without what discord.py always does, and Discord has always taken: numbers where ids are meant, and `tts` in
    edits."""
    if not isinstance(body, dict):
        return body
    body = copy.deepcopy(body)
    if "recipient_id" in body:
        body["recipient_id"] = str(body["recipient_id"])
    for name, value in (body.get("message_reference") or {}).items():
        body["message_reference"][name] = str(value) if name.endswith("_id") else value
    for part in (body, body.get("data")):
        if isinstance(part, dict):
            part.pop("tts", None)
            allowed = part.get("allowed_mentions")
            if isinstance(allowed, dict) and "users" in allowed:
                allowed["users"] = [str(user) for user in allowed["users"]]
            for attachment in part.get("attachments") or ():
                attachment["id"] = str(attachment["id"])
    return body
