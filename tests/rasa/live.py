#!/usr/bin/env python3
"""Starts action servers and real Rasas, holds the scripted conversations with them, and looks at what was said between.

Run by scripts/rasa, which makes the Rasa and builds legwork first. Four ways of calling an action server are tried, each
with a Rasa of its own, side by side: plainly, with compressed bodies, with a token in the query, and with basic
authentication. Every call goes through a pass-through that writes it down, and every answer is checked with Rasa's own
code afterwards. One more Rasa is called back (calling_back.py), and one has systems behind it that go down
(down_and_back.py). Whatever is started here listens on loopback, on a free port, in a process group of its own, and is
ended by its id. Standard library only.
"""
import argparse
import base64
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import calling_back
import down_and_back
import talk
from pass_through import PassThrough

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START = 120  # seconds a process may take until it answers

# What the assistant knows and no action server has: one that no one wrote, and one that the reference fails in.
UNWRITTEN = {"action_not_registered", "action_fail"}
# What only down_and_back.py has.
ELSEWHERE = {"action_call_me_back"}
# What legwork's log may never show of these conversations: messages, slot values, addresses.
PRIVATE = ["@example.org", "@example.invalid", "AB-1001", "being packed", "rained all day", "wet parcel"]

# name; whether the action server wants credentials; whether bodies are compressed; the path and the further keys of the
# endpoint; the ways of reading replies, False being all at once and True streamed
Setup = collections.namedtuple("Setup", "name auth compressed path endpoint streams")


class Results:
    def __init__(self):
        self.passed = self.failed = 0
        self.lock = threading.Lock()

    def add(self, passed, failed):
        with self.lock:
            self.passed += passed
            self.failed += failed

    def check(self, what, found=()):
        """One check: passed when nothing was found."""
        found = list(found)
        self.add(not found, bool(found))
        lines = [("FAILED  " if found else "ok      ") + what]
        lines += ["    " + line for line in found[:10]]
        if len(found) > 10:
            lines.append("    and {} more".format(len(found) - 10))
        # In one write: several Rasas may be talked to at the same time.
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


class Processes:
    """What this run started; leaving the block ends all of it."""

    def __init__(self, logs):
        self.logs = logs
        self.running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for _, process in self.running:
            self.signal(process, signal.SIGTERM)
        for _, process in self.running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                pass
            # The group may outlive its leader.
            self.signal(process, signal.SIGKILL)
            process.wait()

    @staticmethod
    def signal(process, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)

    def start(self, name, command, port, ready, cwd=ROOT, **environment):
        """Starts a process in the background; `await_ready` waits for all of them."""
        with open(self.logs / (name + ".log"), "wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command], cwd=str(cwd), env=dict(os.environ, **environment), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )
        process.name, process.port, process.ready = name, port, ready
        self.running.append((name, process))

    def kill(self, name):
        """Ends a process at once, as a failing machine would."""
        gone = [process for other, process in self.running if other == name]
        self.running = [(other, process) for other, process in self.running if other != name]
        for process in gone:
            self.signal(process, signal.SIGKILL)
            process.wait()

    def await_ready(self):
        until = time.monotonic() + START
        for name, process in self.running:
            while not answers(process.port, process.ready):
                if process.poll() is not None:
                    raise SystemExit("{} ended with {} before it answered, its log:\n{}".format(
                        name, process.returncode, self.tail(name)))
                if time.monotonic() > until:
                    raise SystemExit("{} does not answer after {} s, its log:\n{}".format(name, START, self.tail(name)))
                time.sleep(0.1)

    def tail(self, name):
        return "\n".join("    " + line for line in self.log(name).splitlines()[-25:])

    def log(self, name):
        return (self.logs / (name + ".log")).read_text(encoding="utf-8", errors="replace")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(port, method, path, body=None, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, dict({"Content-Type": "application/json"}, **dict(headers)))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(port, path):
    try:
        return call(port, "GET", path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def basic(user, password):
    # Rasa's HTTP client sends the credentials in latin-1.
    return "Basic " + base64.b64encode("{}:{}".format(user, password).encode("latin-1")).decode()


def setups(token, password):
    return [
        Setup("plain", False, False, "/webhook", {}, (False, True)),
        Setup("deflate", False, True, "/webhook", {}, (True,)),
        Setup("token", True, False, "/webhook/", {"token": token}, (False,)),
        Setup("basic", True, False, "/webhook", {"basic_auth": {"username": "rasa", "password": password}}, (True,)),
    ]


# The Rasa that is called back; its calls to the action server are like those of "plain".
BACK = Setup("back", False, False, "/webhook", {}, ())
# The Rasa whose systems go down; the token of its endpoint is made by down_and_back.py.
DOWN = Setup("down", True, False, "/webhook", {}, ())


def start_action_servers(processes, options, environment):
    """The ports of the open server and of the one that wants credentials."""
    ports = []
    for name, config in (("actions", "legwork.yml"), ("actions-auth", "legwork.auth.yml")):
        port = free_port()
        if options.reference:
            # rasa-sdk knows no authentication: what its Rasas send is looked at, and one server is enough.
            if ports:
                return ports * 2
            command = [options.target / "venv/bin/python", "-m", "rasa_sdk", "--actions", "actions", "-p", port]
            processes.start(name, command, port, "/health", HERE / "reference", SANIC_HOST="127.0.0.1")
        else:
            command = [options.legwork, "serve", "--config", HERE / config, "--host", "127.0.0.1", "-p", port]
            processes.start(name, command, port, "/health", **environment)
        ports.append(port)
    return ports


def start_rasa(processes, options, setup, actions_port, credentials="credentials.yml", flags=()):
    port = free_port()
    endpoints = processes.logs / "endpoints-{}.yml".format(setup.name)
    url = "http://127.0.0.1:{}{}".format(actions_port, setup.path)
    # JSON is YAML
    endpoints.write_text(json.dumps({"action_endpoint": dict(setup.endpoint, url=url)}), encoding="utf-8")
    command = [
        options.target / "venv/bin/rasa", "run", "--enable-api", "--interface", "127.0.0.1", "--port", port,
        "--model", "models/shop.tar.gz", "--credentials", credentials, "--endpoints", endpoints, *flags,
    ]
    # The version is told to everybody, the status is not.
    processes.start(
        "rasa-" + setup.name, command, port, "/version" if flags else "/status", options.target / "assistant",
        COMPRESS_ACTION_SERVER_REQUEST=str(setup.compressed), RASA_TELEMETRY_ENABLED="false", PYTHONWARNINGS="ignore",
        SQLALCHEMY_SILENCE_UBER_WARNING="1",
    )
    return talk.Rasa("http://127.0.0.1:{}".format(port))


def calls_as_configured(setup, record, token, password):
    """What a Rasa of this setup must have sent; a complaint for each thing that it did not."""
    request = record["request"]
    headers = {name.lower(): value for name, value in request["headers"]}
    target = request["line"].split()[1]
    wanted_target = setup.path + ("?token=" + token if setup.name == "token" else "")
    if target != wanted_target:
        yield "{}: the target is not as configured".format(request["action"])
    if headers.get("content-encoding") != ("deflate" if setup.compressed else None):
        yield "{}: content-encoding {}".format(request["action"], headers.get("content-encoding"))
    if headers.get("authorization") != (basic("rasa", password) if setup.name == "basic" else None):
        yield "{}: authorization {}".format(request["action"], "missing" if setup.name == "basic" else "unexpected")


def status_expected(setup, record, reference):
    action = record["request"]["action"]
    if action == "action_reject_always":
        # One that declines after it was slow has been answered before.
        message = record["request"]["body"]["tracker"]["latest_message"]
        return 200 if message.get("text") == "probe reject" else 400
    if action == "action_fail" and reference:
        # Asked in a compressed body the reference fails in its own report of the failure.
        return 400 if setup.compressed else 500
    return 404 if action in UNWRITTEN else 200


def look_at_calls(results, setup, link, options, token, password):
    """The calls that one Rasa made, and the answers it got."""
    link.settle()
    results.check("{}: all of the calls could be read back".format(setup.name), link.troubles)
    calls = collections.Counter(record["request"]["action"] for record in link.records)
    domain = declared_actions()
    results.check(
        "{}: {} calls, every action of the assistant among them".format(setup.name, len(link.records)),
        ["never called: " + name for name in sorted(domain - set(calls))],
    )
    results.check(
        "{}: every call was sent as configured".format(setup.name),
        [line for record in link.records for line in calls_as_configured(setup, record, token, password)],
    )
    wrong = []
    for record in link.records:
        expected = status_expected(setup, record, options.reference)
        if record["response"]["status"] != expected:
            wrong.append("{}: {} instead of {}: {}".format(
                record["request"]["action"], record["response"]["status"], expected,
                json.dumps(record["response"]["body"], ensure_ascii=False)[:300]))
    results.check("{}: every answer has the status that Rasa expects".format(setup.name), wrong)
    command = [options.target / "venv/bin/python", HERE / "check_answers.py", link.folder]
    if options.reference:
        command += ["--skip", "action_fail"]
    checker = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True
    )
    results.check(
        "{}: Rasa's own code accepts every answer".format(setup.name),
        checker.stdout.splitlines() if checker.returncode else [],
    )


def declared_actions():
    """The names under `actions:` of the domain, which lists one a line."""
    text = (HERE / "assistant/domain.yml").read_text(encoding="utf-8")
    block = re.search(r"^actions:\n((?:[ -].*\n)+)", text, re.MULTILINE).group(1)
    return set(re.findall(r"^ *- (\w+)", block, re.MULTILINE)) - ELSEWHERE


def look_at_doors(results, ports, options, token, password):
    """What can be asked of an action server without a Rasa."""
    wanted = declared_actions() - UNWRITTEN
    status, answer = call(ports[0], "GET", "/health")
    results.check("GET /health says ok", [] if (status, json.loads(answer)) == (200, {"status": "ok"}) else [repr(answer)])
    status, answer = call(ports[0], "GET", "/actions")
    listed = {entry["name"] for entry in json.loads(answer)} if status == 200 else set()
    results.check("GET /actions lists the actions", ["missing: " + name for name in sorted(wanted - listed)])
    if options.reference:
        return
    tracker = {"sender_id": "x", "slots": {}, "events": [], "latest_message": {}}
    body = json.dumps({"next_action": "action_fetch_order", "sender_id": "x", "tracker": tracker})
    tries = [
        ("no credentials", "/webhook", {}, 401),
        ("another token", "/webhook?token=" + token[::-1], {}, 401),
        ("the basic password as the token", "/webhook?token=" + password.encode("ascii", "ignore").decode(), {}, 401),
        ("another password", "/webhook", {"Authorization": basic("rasa", "not " + password)}, 401),
        ("another user", "/webhook", {"Authorization": basic("rasa2", password)}, 401),
        ("the token", "/webhook?token=" + token, {}, 200),
        ("user and password", "/webhook", {"Authorization": basic("rasa", password)}, 200),
    ]
    for what, path, headers, expected in tries:
        status, answer = call(ports[1], "POST", path, body, headers)
        complaint = "answered {} instead of {}: {!r}".format(status, expected, answer[:200])
        results.check("auth: {} gets {}".format(what, expected), [] if status == expected else [complaint])
    status, _ = call(ports[1], "GET", "/health")
    results.check("auth: /health needs no credentials", [] if status == 200 else ["answered {}".format(status)])
    status, _ = call(ports[1], "GET", "/actions")
    results.check("auth: /actions does", [] if status == 401 else ["answered {}".format(status)])


def look_at_logs(results, processes, token, password):
    """legwork's logs show no credentials and nothing of what people said."""
    for name in ("actions", "actions-auth"):
        log = processes.log(name)
        results.check("the log of {} holds no credentials".format(name), [
            "it shows the " + what for what, secret in (("token", token), ("password", password)) if secret in log])
        results.check("the log of {} holds nothing that people said".format(name), [
            "it shows {!r}".format(text) for text in PRIVATE if text in log])


def hold(setup, rasa, options):
    passed = failed = 0
    for stream in setup.streams:
        label = setup.name + (", streamed" if stream else "")
        server = "reference" if options.reference else "legwork"
        well, badly = talk.hold_all(rasa, options.conversations, stream, label, options.only, server)
        passed, failed = passed + well, failed + badly
    return passed, failed


def run(options, logs, results):
    token = secrets.token_urlsafe(24)
    password = secrets.token_urlsafe(24) + "é"
    with Processes(logs) as processes:
        ports = start_action_servers(processes, options, {"RASA_TOKEN": token, "RASA_PASSWORD": password})
        stations = []
        for setup in setups(token, password):
            if options.setup and setup.name not in options.setup:
                continue
            link = PassThrough(ports[setup.auth], logs / ("calls-" + setup.name))
            stations.append((setup, link, start_rasa(processes, options, setup, link.port)))
        way = down = None

        def wanted(setup):
            return not options.reference and (setup.name in options.setup if options.setup else not options.only)

        if wanted(BACK):
            way = calling_back.Way(
                lambda port, credentials, flags: start_rasa(processes, options, BACK, port, credentials, flags),
                ports[0], logs, options.legwork, HERE)
        if wanted(DOWN):
            down = down_and_back.Down(
                lambda port, endpoint, credentials, flags: start_rasa(
                    processes, options, DOWN._replace(endpoint=endpoint), port, credentials, flags),
                processes, options, HERE, free_port)
        began = time.monotonic()
        processes.await_ready()
        rasas = len(stations) + bool(way) + bool(down)
        print("{} and {} Rasas answer after {:.1f} s".format(
            "the reference" if options.reference else "legwork", rasas, time.monotonic() - began))
        look_at_doors(results, ports, options, token, password)
        beside = [(look, at) for look, at in ((calling_back.look, way), (down_and_back.look, down)) if at]
        with concurrent.futures.ThreadPoolExecutor(len(stations) + len(beside) or 1) as pool:
            try:
                looking = [pool.submit(look, results, at) for look, at in beside]
                for passed, failed in pool.map(lambda station: hold(station[0], station[2], options), stations):
                    results.add(passed, failed)
                for look in looking:
                    look.result()
            except BaseException:
                # The conversations would go on to their ends otherwise; without a Rasa they stop at once.
                processes.end()
                raise
        if not options.only:
            for setup, link, _ in stations:
                look_at_calls(results, setup, link, options, token, password)
        if not options.reference:
            look_at_logs(results, processes, token, password)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=pathlib.Path, default=ROOT / "target/rasa", help="what setup.sh made")
    parser.add_argument("--reference", action="store_true", help="rasa-sdk with reference/actions.py instead of legwork")
    parser.add_argument("--legwork", type=pathlib.Path, default=ROOT / "target/debug/legwork", help="the binary to run")
    parser.add_argument("--conversations", type=pathlib.Path, default=HERE / "conversations.json")
    parser.add_argument("--only", metavar="TEXT", help="conversations whose name has TEXT in it")
    names = [setup.name for setup in setups("", "")] + [BACK.name, DOWN.name]
    parser.add_argument(
        "--setup", action="append", choices=names,
        help="only this way of calling, calling back, or systems that go down; may be repeated")
    options = parser.parse_args()
    options.target, options.legwork = options.target.resolve(), options.legwork.resolve()
    logs = options.target / "logs" / ("reference" if options.reference else "legwork")
    shutil.rmtree(str(logs), ignore_errors=True)
    logs.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    results, stopped = Results(), None
    try:
        run(options, logs, results)
    except (SystemExit, KeyboardInterrupt) as error:
        stopped = error
        print(getattr(error, "code", "interrupted"))
    failed = results.failed or stopped or not results.passed
    if failed:
        print("logs and every call: {}".format(logs))
    print("{} passed, {} failed".format(results.passed, results.failed + bool(stopped)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
