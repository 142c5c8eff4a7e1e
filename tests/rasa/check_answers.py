#!/usr/bin/env python3
"""Checks answers of an action server with the code of the Rasa that would receive them.

    check_answers.py [--skip ACTION] FOLDER_OR_FILE…

Needs the Python of the virtual environment that setup.sh makes. A file holds one answer: a bare body, or a record of a
call with its `response`, as pass_through.py and the recordings have it. Prints a line for every answer that Rasa would
refuse or that would break its turn, and exits 1 if there is one or if no answer was found. The check itself is tried on
bad answers first.
"""
import argparse
import json
import pathlib
import sys

import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import deserialise_events

SPECIFICATION = RemoteAction.action_response_format_spec()
# What an answer that is no event list may say: rejection, absence, refused callers, limits, malformed input, a bug.
FAILURES = {401, 403, 404, 413, 415, 422, 429, 500, 503}

SLOT = {"event": "slot", "name": "order_id", "value": None}
# Answers that a real Rasa did refuse, or that broke its turn: a check that takes one of them is worth nothing.
BAD_ANSWERS = [
    (200, None),
    (200, []),
    (200, {"events": None}),
    (200, {"responses": None}),
    (200, {"events": {}}),
    (200, {"responses": ["plain"]}),
    (200, {"events": [{"event": "no_such_event"}]}),
    (200, {"events": [SLOT, {"event": "slot", "name": "order_id"}]}),
    (200, {"events": [{"event": "slot", "value": 1}]}),
    (200, {"events": [{"name": "order_id", "value": 1}]}),
    (200, {"events": [dict(SLOT, timestamp="now")]}),
    (200, {"events": [{"event": "session_ended"}]}),
    (400, {"error": "not now"}),
    (400, None),
    (449, {"error": "no domain", "action_name": "action_fetch_order"}),
    (500, None),
    (204, None),
]


def trouble_with(status, body, headers):
    """Why the client would not take this answer, or None."""
    content_type = dict((name.lower(), value) for name, value in headers).get("content-type", "application/json")
    if content_type.split(";")[0].strip() != "application/json":
        return "content type {}".format(content_type)
    if status == 400:
        # The client reads the name out of every 400 and breaks its turn without it.
        named = isinstance(body, dict) and isinstance(body.get("action_name"), str)
        return None if named else "a 400 without action_name"
    if status in FAILURES:
        return None if isinstance(body, dict) and isinstance(body.get("error"), str) else "a failure without error text"
    if status != 200:
        return "status {}".format(status)
    try:
        jsonschema.validate(body, SPECIFICATION)
    except jsonschema.ValidationError as error:
        place = "/".join(map(str, error.absolute_path)) or "the answer"
        return "{}: {}".format(place, error.message.splitlines()[0][:200])
    events = body.get("events", [])
    try:
        made = deserialise_events(events)
    except Exception as error:  # whatever it is, it would end the turn
        return "its events cannot be read: {!r}".format(error)
    # An event that the schema lets through and Rasa does not know is dropped silently.
    return None if len(made) == len(events) else "{} of {} events are unknown to Rasa".format(len(events) - len(made), len(events))


def answer_in(record):
    """(status, body, headers) of a file's content, or None when the call got no answer."""
    if not (isinstance(record, dict) and "request" in record and "response" in record):
        return 200, record, []
    response = record["response"]
    if record.get("injected") or "status" not in response:
        return None
    body = response["body"]
    # The recordings hold {"json": …} or {"text": …}.
    return response["status"], body["json"] if set(body) == {"json"} else body, response["headers"]


def files_in(names):
    for path in map(pathlib.Path, names):
        yield from sorted(path.glob("*.json")) if path.is_dir() else [path]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--skip", metavar="ACTION", help="leave the answers to calls of this action out")
    parser.add_argument("names", nargs="+", metavar="FOLDER_OR_FILE")
    options = parser.parse_args()
    for status, body in BAD_ANSWERS:
        if trouble_with(status, body, []) is None:
            sys.exit("the check is broken: it takes {} {}".format(status, json.dumps(body)))
    checked = refused = 0
    for file in files_in(options.names):
        record = json.loads(file.read_text(encoding="utf-8"))
        answer = answer_in(record)
        if answer is None or (options.skip and record["request"]["action"] == options.skip):
            continue
        checked += 1
        trouble = trouble_with(*answer)
        if trouble:
            refused += 1
            print("{}: {}".format(file, trouble))
    print("{} answers checked, {} refused".format(checked, refused))
    return 1 if refused or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
