#!/usr/bin/env python3
"""Holds the scripted conversations with a running Rasa and says where the replies are not the expected ones.

    talk.py [--rasa URL] [--stream] [--only TEXT] [FILE]      the conversations of FILE (default: conversations.json)
    talk.py [--rasa URL] [--stream] --say "hello" --say …     one conversation by hand: prints what comes

Each turn's replies are compared whole (text, buttons, custom, image), and so are the slots that Rasa's tracker holds
after it. In expected texts `…` stands for anything, `/…/` is a regular expression, and what it captured under a name is
demanded again by `<name>`. Standard library only.
"""
import argparse
import http.client
import json
import pathlib
import re
import sys
import time
import urllib.parse
import uuid

PATIENCE = 60  # seconds for one turn


class Rasa:
    """A running Rasa: the REST channel and the HTTP API."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)

    def request(self, method, path, body=None, timeout=PATIENCE):
        """The status and the undecoded body; a refused or lost connection is an OSError."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=timeout)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def demand(self, method, path, body=None):
        status, answer = self.request(method, path, body)
        if status != 200:
            raise Trouble("{} {} answered {}: {}".format(method, path, status, answer[:300].decode("utf-8", "replace")))
        return answer

    def say(self, sender, text, stream):
        """One user message; the bot's messages in the order they came, and when each of them came."""
        body = {"sender": sender, "message": text}
        if not stream:
            messages = json.loads(self.demand("POST", "/webhooks/rest/webhook", body))
            return messages, [time.monotonic()] * len(messages)
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=PATIENCE)
        try:
            path = "/webhooks/rest/webhook?stream=true"
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise Trouble("POST {} answered {}".format(path, response.status))
            messages, times = [], []
            # Each message is a line of its own.
            for line in response:
                if line.strip():
                    messages.append(json.loads(line))
                    times.append(time.monotonic())
            return messages, times
        finally:
            connection.close()

    def trigger(self, sender, intent):
        return self.command(sender, "trigger_intent", intent)

    def execute(self, sender, action):
        return self.command(sender, "execute", {"name": action})

    def command(self, sender, name, body):
        path = "/conversations/{}/{}?output_channel=latest".format(urllib.parse.quote(sender), name)
        return json.loads(self.demand("POST", path, body))["messages"]

    def tracker(self, sender, verbosity="AFTER_RESTART"):
        path = "/conversations/{}/tracker?include_events={}".format(urllib.parse.quote(sender), verbosity)
        return json.loads(self.demand("GET", path))


class Trouble(Exception):
    """Rasa itself answered in a way that no conversation expects."""


class Differences(Exception):
    """What a turn should have brought and what it did: (what, expected, came)."""

    def __init__(self, turn, found):
        super().__init__("{} differences".format(len(found)))
        self.turn = turn
        self.found = found


def differs(expected, came, memory):
    """Whether `came` is not what `expected` describes; named groups of its patterns go into `memory`."""
    if isinstance(expected, dict) and isinstance(came, dict):
        return expected.keys() != came.keys() or any(differs(expected[key], came[key], memory) for key in expected)
    if isinstance(expected, list) and isinstance(came, list):
        return len(expected) != len(came) or any(differs(e, c, memory) for e, c in zip(expected, came))
    if isinstance(expected, str) and isinstance(came, str):
        return not text_matches(expected, came, memory)
    return type(expected) is not type(came) or expected != came


def text_matches(expected, came, memory):
    for name, value in memory.items():
        expected = expected.replace("<{}>".format(name), value)
    if len(expected) > 2 and expected.startswith("/") and expected.endswith("/"):
        match = re.search(expected[1:-1], came, re.DOTALL)
        if match:
            memory.update(match.groupdict())
        return match is not None
    if "…" in expected:
        return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), came, re.DOTALL) is not None
    return expected == came


def as_message(message):
    return {"text": message} if isinstance(message, str) else message


def actions_of_turn(tracker):
    """The names of what ran since the user's last message, without the waiting for the next one."""
    ran = []
    for event in tracker["events"]:
        if event["event"] == "user":
            ran = []
        elif event["event"] == "action" and event["name"] != "action_listen":
            ran.append(event["name"])
    return ran


class Conversation:
    """One scripted conversation, under senders of its own."""

    def __init__(self, rasa, script, slots, stream, timed):
        self.rasa = rasa
        self.timed = timed
        self.script = script
        self.stream = stream
        self.run = uuid.uuid4().hex[:8]
        self.initial = slots
        self.slots = {}
        self.memory = {}

    def sender(self, turn):
        stem = turn.get("sender") or self.script.get("sender") or re.sub(r"[^a-z0-9]+", "-", self.script["name"].lower())
        return "{}-{}".format(stem, self.run)

    def hold(self):
        """Returns the number of turns; raises Differences at the first turn that is not as expected."""
        for number, turn in enumerate(self.script["turns"], 1):
            for _ in range(turn.get("times", 1)):
                found = self.turn(turn)
                if found:
                    raise Differences("turn {}, {}".format(number, spoken(turn)), found)
        return len(self.script["turns"])

    def turn(self, turn):
        sender = self.sender(turn)
        came, times = self.speak(sender, turn)
        found = []
        apart = times[-1] - times[0] if times else 0
        if self.stream and self.timed and apart < turn.get("apart", 0):
            found.append(("seconds between first and last message", turn["apart"], apart))
        recipients = {message.pop("recipient_id", None) for message in came}
        if recipients - {sender}:
            found.append(("recipients", sender, sorted(map(str, recipients))))
        expected = [as_message(message) for message in turn["bot"]]
        if differs(expected, came, self.memory):
            found.append(("replies", expected, came))
        tracker = self.rasa.tracker(sender, "AFTER_RESTART" if "ran" in turn else "NONE")
        slots = self.slots.setdefault(sender, dict(self.initial, **self.script.get("slots", {})))
        slots.update(turn.get("slots", {}))
        for name in sorted(tracker["slots"].keys() | slots.keys()):
            wanted, held = slots.get(name), tracker["slots"].get(name)
            if differs(wanted, held, self.memory):
                found.append(("slot " + name, wanted, held))
        if "ran" in turn and turn["ran"] != actions_of_turn(tracker):
            found.append(("actions", turn["ran"], actions_of_turn(tracker)))
        if "history" in turn:
            history = actions_of_turn(self.rasa.tracker(sender, "APPLIED"))
            if turn["history"] != history:
                found.append(("history", turn["history"], history))
        loop = (tracker.get("active_loop") or {}).get("name")
        if turn.get("loop") != loop:
            found.append(("active loop", turn.get("loop"), loop))
        return found

    def speak(self, sender, turn):
        if "trigger" in turn:
            return self.rasa.trigger(sender, turn["trigger"]), []
        if "execute" in turn:
            return self.rasa.execute(sender, turn["execute"]), []
        return self.rasa.say(sender, turn["user"], self.stream)


def spoken(turn):
    return next("{} {}".format(key, json.dumps(turn[key], ensure_ascii=False))
                for key in ("user", "trigger", "execute") if key in turn)


def show(value):
    """A value as JSON; the items of a list under one another, so that expected and came can be compared by eye."""
    items = value if isinstance(value, list) and value else [value]
    return ("\n" + " " * 16).join(json.dumps(item, ensure_ascii=False) for item in items)


def hold_all(rasa, file, stream, label, only=None, server="legwork"):
    """Holds every conversation of a file. Prints a line each, and the differences. Returns (passed, failed)."""
    book = json.loads(pathlib.Path(file).read_text(encoding="utf-8"))
    passed = failed = 0
    for script in book["conversations"]:
        if (only and only not in script["name"]) or script.get("only", server) != server:
            continue
        began = time.monotonic()
        try:
            turns = Conversation(rasa, script, book["slots"], stream, server == "legwork").hold()
        except (Differences, Trouble, OSError, ValueError) as error:
            failed += 1
            report = "FAILED  {}: {}\n{}".format(label, script["name"], explain(error))
        else:
            passed += 1
            report = "ok      {}: {} ({} turns, {:.1f} s)".format(label, script["name"], turns, time.monotonic() - began)
        # In one write: several Rasas may be talked to at the same time.
        sys.stdout.write(report + "\n")
        sys.stdout.flush()
    return passed, failed


def explain(error):
    if not isinstance(error, Differences):
        return "    {}: {}".format(type(error).__name__, error)
    lines = ["  " + error.turn]
    for what, expected, came in error.found:
        lines += ["    " + what, "      expected  " + show(expected), "      came      " + show(came)]
    return "\n".join(lines)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rasa", default="http://localhost:5005", metavar="URL")
    parser.add_argument("--stream", action="store_true")
    parser.add_argument("--only", metavar="TEXT", help="conversations whose name has TEXT in it")
    parser.add_argument("--say", action="append", metavar="TEXT", help="talk by hand instead")
    parser.add_argument("file", nargs="?", default=here / "conversations.json")
    options = parser.parse_args()
    rasa = Rasa(options.rasa)
    if options.say:
        sender = "by-hand-" + uuid.uuid4().hex[:8]
        for text in options.say:
            print("> " + text)
            for message in rasa.say(sender, text, options.stream)[0]:
                message.pop("recipient_id", None)
                print("  " + json.dumps(message, ensure_ascii=False))
        tracker = rasa.tracker(sender)
        print("slots  " + json.dumps({k: v for k, v in tracker["slots"].items() if v is not None}, ensure_ascii=False))
        print("loop   {}, ran {}".format(json.dumps(tracker.get("active_loop")), actions_of_turn(tracker)))
        return 0
    passed, failed = hold_all(rasa, options.file, options.stream, "stream" if options.stream else "plain", options.only)
    print("{} passed, {} failed".format(passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
