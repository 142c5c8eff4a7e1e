"""The systems behind a real Rasa go down and come back: what its users hear meanwhile and afterwards, and what was done.

Part of live.py. The shop and the helpdesk are two little servers here, and legwork answers with backends/ in place of some
of the assistant's actions. What they were told to do is counted where it is done. Standard library only.
"""
import concurrent.futures
import contextlib
import http.server
import json
import re
import secrets
import shutil
import socket
import threading
import time
import urllib.parse

import calling_back
import talk

PATIENCE = 30  # seconds until something has to have happened
SETTLED = 2  # seconds in which what must not come would have come

TROUBLE = {
    "text": "I'm having trouble accessing that right now. Please try again in a few minutes.",
    "buttons": [
        {"title": "Try again", "payload": '/order_status{"order_id":"AB-1001"}'},
        {"title": "Talk to a person", "payload": "/request_human"},
        {"title": "Leave a message", "payload": "/open_ticket"},
    ],
}
NOTED_TICKET = "/^The helpdesk is not there right now. It is noted, reference (?P<reference>[0-9A-Z]{8})\\.$/"
NOTED_CALL = "/^I can't do that .* noted it .* your reference is (?P<reference>[0-9A-Z]{8})\\.$/"
DONE_CALL = "Good news: what I had noted under {} is done now."
GREETING = [{"text": "Hello! I can look up an order or open a ticket."}]
CHECKING = {"text": "I'm still checking. One moment, please."}
# What legwork's log may never show of these conversations.
PRIVATE = ["@example.org", "AB-1001", "wet parcel", "rained all day", "call me back"]


class Backend:
    """A business system on a port of its own, and how it behaves:

    `well`, `busy` (503, nothing is done), `loses` (does it and breaks off), `holds` (does it and answers when it is well
    again), `closed` (nobody listens).
    """

    def __init__(self):
        self.changed = threading.Condition()
        self.asked = 0
        self.server = None
        self.kept = socket.socket()
        self.kept.bind(("127.0.0.1", 0))
        self.port = self.kept.getsockname()[1]
        self.mood = "closed"
        self.becomes("well")

    @property
    def url(self):
        return "http://127.0.0.1:{}".format(self.port)

    def becomes(self, mood):
        was = self.mood
        with self.changed:
            self.mood = mood
            self.changed.notify_all()
        if mood == "closed" and was != "closed":
            self.server.shutdown()
            self.server.server_close()
            # The port stays taken, and whoever connects to it is refused.
            self.kept = socket.socket()
            self.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.kept.bind(("127.0.0.1", self.port))
        elif mood != "closed" and was == "closed":
            self.kept.close()
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler())
            threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def handler(backend):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.do_POST()

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
                with backend.changed:
                    backend.asked += 1
                    mood = backend.mood
                    status, answer = (503, {}) if mood == "busy" else backend.does(self.path, self.headers, body)
                    backend.changed.notify_all()
                    backend.changed.wait_for(lambda: mood != "holds" or backend.mood == "well", 2 * PATIENCE)
                if mood == "loses":
                    return
                payload = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                # Whoever asked may be gone by now.
                with contextlib.suppress(OSError):
                    self.wfile.write(payload)

            def log_message(self, *_):
                pass

        return Handler

    def await_that(self, what, holds):
        """A complaint when `holds` does not come to hold."""
        with self.changed:
            return [] if self.changed.wait_for(holds, PATIENCE) else ["{}: not after {} s".format(what, PATIENCE)]


class Shop(Backend):
    def does(self, path, _headers, _body):
        return (200, {"status": "shipped"}) if path == "/orders/AB-1001" else (404, {})


class Helpdesk(Backend):
    """Opens tickets: one for each key, as the connector's file says of it."""

    def __init__(self):
        self.tickets = []
        self.requests = []
        super().__init__()

    def does(self, _path, headers, body):
        key = headers["Idempotency-Key"]
        self.requests.append((key, body["email"]))
        known = [number for number, (other, _) in enumerate(self.tickets, 1) if key and other == key]
        if not known:
            self.tickets.append((key, body["email"]))
            known = [len(self.tickets)]
        return 201, {"number": "T-{}".format(known[0])}

    def of(self, email):
        return [number for number, (_, whose) in enumerate(self.tickets, 1) if whose == email]

    def await_ticket(self, email):
        return self.await_that("a ticket of " + email, lambda: self.of(email))


class Down:
    """A Rasa, legwork with settings of its own, and both systems behind it."""

    def __init__(self, start_rasa, processes, options, here, free_port):
        self.processes, self.options = processes, options
        self.folder = processes.logs / "down"
        self.folder.mkdir()
        self.port, self.starts = free_port(), 0
        self.shop, self.helpdesk = Shop(), Helpdesk()
        self.secret = secrets.token_urlsafe(24)
        self.way = calling_back.Way(
            lambda port, credentials, flags: start_rasa(port, {"token": self.secret}, credentials, flags),
            self.port, self.folder, options.legwork, here)
        self.phone, self.rasa = self.way.phone, self.way.rasa
        for source in (here / "actions", here / "backends/actions"):
            for file in source.rglob("*.yml"):
                target = self.folder / "actions" / file.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file), str(target))
        shutil.copytree(str(here / "backends/connectors"), str(self.folder / "connectors"))
        (self.folder / "token").write_text(self.way.token, encoding="utf-8")
        (self.folder / "actions-token").write_text(self.secret, encoding="utf-8")
        # JSON is YAML
        settings = json.dumps(self.settings(here / "assistant/domain.yml"))
        (self.folder / "legwork.yml").write_text(settings, encoding="utf-8")
        self.serve()

    def settings(self, domain):
        def connection(name, backend):
            return {"connector": name, "address": backend.url, "allow_private": ["127.0.0.1"], "breaker": {"rest": "1s"}}

        return {
            "server": {"auth": [{"name": "shop-assistant", "token": "${file:actions-token}"}]},
            "assistant": {"url": "http://127.0.0.1:{}".format(self.rasa.address.port), "token": "${file:token}"},
            "domain": str(domain),
            "connections": {
                "shop": dict(connection("shop", self.shop), timeout="30s"),
                "helpdesk": connection("helpdesk", self.helpdesk),
            },
            "stores": {"main": "sqlite://legwork.db"},
            # Quickly, and as often as a slow machine may need.
            "outbox": {"first_wait": "1s", "longest_wait": "2s", "attempts": 1000},
            "messages": {"human_intent": "request_human", "ticket_intent": "open_ticket"},
        }

    def serve(self):
        self.starts += 1
        command = [self.options.legwork, "serve", "--config", self.folder / "legwork.yml"]
        command += ["--host", "127.0.0.1", "-p", self.port]
        self.processes.start("actions-down-{}".format(self.starts), command, self.port, "/health")

    def killed_and_started_again(self):
        self.processes.kill("actions-down-{}".format(self.starts))
        yield
        self.serve()
        self.processes.await_ready()

    def say(self, channel, sender, text):
        """One user message; what is said to it."""
        before = len(self.phone.to(sender))
        answered = self.way.user_says(channel, sender, text)
        came = json.loads(answered) if channel == "rest" else self.phone.to(sender)[before:]
        return [{key: value for key, value in message.items() if key != "recipient_id"} for message in came]

    def await_kept(self, sender, text):
        """A complaint when a conversation does not end with that message; Rasa keeps one after it has sent it."""
        until, bots = time.monotonic() + PATIENCE, []
        while bots[-1:] != [text]:
            if time.monotonic() > until:
                return ["{!r} is not the last of {}".format(text, bots)]
            time.sleep(0.1)
            bots = [event["text"] for event in self.way.tracker(sender)["events"] if event["event"] == "bot"]
        return []

    def ran(self, sender):
        return talk.actions_of_turn(self.way.tracker(sender))


class Demands:
    """Says what is demanded, one check each, under the name of what is looked at."""

    def __init__(self, results, down):
        self.results, self.down = results, down

    def same(self, what, expected, came):
        found = ["expected {}".format(expected), "came {}".format(came)] if talk.differs(expected, came, {}) else []
        self.check(what, found)

    def check(self, what, found):
        self.results.check("down: " + what, found)

    def turn(self, what, channel, sender, text, expected, ran):
        """One turn: its messages, and the actions that ran in it, so that a fallback would be seen. Returns the messages,
        and the reference that is quoted in them."""
        came = self.down.say(channel, sender, text)
        wanted, actions = [talk.as_message(message) for message in expected], self.down.ran(sender)
        found, memory = [], {}
        if talk.differs(wanted, came, memory):
            found += ["expected {}".format(wanted), "came {}".format(came)]
        if actions != ran:
            found += ["ran {} instead of {}".format(actions, ran)]
        self.check(what, found)
        return came, memory.get("reference", "none")

    def next_rule(self, channel, sender):
        what = "the next rule works ({}, {})".format(sender, channel)
        self.turn(what, channel, sender, "hello", GREETING, ["utter_greet"])

    def noted(self, what, channel, sender):
        """A call is asked for while the helpdesk is not there; the reference that the user is given."""
        text = "call me back at {}@example.org".format(sender)
        return self.turn(what, channel, sender, text, [NOTED_CALL], ["action_call_me_back"])[1]

    def arrives(self, what, sender, text):
        began = time.monotonic()
        found = self.down.phone.await_text(sender, text)
        self.check("{} ({:.1f} s)".format(what, time.monotonic() - began), found)

    def done_once(self, sender):
        helpdesk, email = self.down.helpdesk, sender + "@example.org"
        with helpdesk.changed:
            keys = {key for key, whose in helpdesk.requests if whose == email}
            tickets = helpdesk.of(email)
        found = [] if (len(keys), len(tickets)) == (1, 1) else ["{} tickets under {} keys".format(len(tickets), len(keys))]
        self.check("it was done once ({})".format(sender), found)


def look(results, down):
    """Everything that is demanded of a shop and a helpdesk that go down, a check each."""
    demands = Demands(results, down)
    shop_down(demands, down)
    ticket_noted(demands, down)
    answer_lost(demands, down)
    killed(demands, down)
    turn_running(demands, down)
    at_the_end(demands, down)


def shop_down(demands, down):
    for channel in ("callback", "rest"):
        sender = "shop-" + channel
        for mood in ("closed", "busy"):
            down.shop.becomes(mood)
            what = "the shop is {}: an honest message, with what helps ({})".format(mood, channel)
            said, _ = demands.turn(what, channel, sender, "track order AB-1001", [TROUBLE], ["action_fetch_order"])
            slots = down.way.tracker(sender)["slots"]
            demands.same("slots are kept", ["AB-1001", None], [slots["order_id"], slots["order_status"]])
            demands.next_rule(channel, sender)
        again = next((button["payload"] for message in said for button in message.get("buttons", [])), "no button")
        demands.turn("the button while it is down ({})".format(channel), channel, sender, again, [TROUBLE],
                     ["action_fetch_order"])
        down.shop.becomes("well")
        shipped = ["Order AB-1001 is shipped."]
        # Its breaker may want its rest.
        until = time.monotonic() + PATIENCE
        said = []
        while said != [{"text": text} for text in shipped] and time.monotonic() < until:
            said = down.say(channel, sender + "-first", "track order AB-1001")
        what = "the button once it is back ({})".format(channel)
        demands.turn(what, channel, sender, again, shipped, ["action_fetch_order"])
        demands.same("its answer is in the slot", "shipped", down.way.tracker(sender)["slots"]["order_status"])
        demands.next_rule(channel, sender)


def ticket_noted(demands, down):
    sender, helpdesk = "ticket", down.helpdesk
    helpdesk.becomes("closed")

    def form(what, address, said, ran):
        down.say("callback", sender, "open a ticket")
        if address:
            down.say("callback", sender, "ticket@example.org")
        down.say("callback", sender, "wet parcel")
        return demands.turn(what, "callback", sender, "It rained all day.", said, ran)[1]

    ran = ["ticket_form", "action_create_ticket"]
    reference = form("the ticket form's last action: noted, with a reference", True, [NOTED_TICKET], ran)
    tracker = down.way.tracker(sender)
    demands.same("the form is closed", [{}, None], [tracker["active_loop"], tracker["slots"]["requested_slot"]])
    demands.next_rule("callback", sender)
    again = form("the same wish is noted", False, [NOTED_TICKET], ran)
    demands.same("it has the same reference", reference, again)
    rest = demands.noted("noted on a channel that only answers", "rest", "rest")
    helpdesk.becomes("busy")
    asked = helpdesk.asked
    demands.check("it is tried meanwhile", helpdesk.await_that("a request", lambda: helpdesk.asked > asked))
    demands.same("nothing was done yet", [], helpdesk.tickets)
    slots = down.way.tracker(sender)["slots"]
    helpdesk.becomes("well")
    demands.check("the ticket is opened", helpdesk.await_ticket("ticket@example.org"))
    ticket = "Your ticket is in: T-{}.".format(*helpdesk.of("ticket@example.org"))
    demands.arrives("it says so by itself", sender, ticket)
    demands.check("the conversation has it", down.await_kept(sender, ticket))
    demands.same("all slots are as before", slots, down.way.tracker(sender)["slots"])
    demands.next_rule("callback", sender)
    # Within two minutes, and of the same words, it is no other wish.
    number = ticket.split()[-1].rstrip(".")
    opened = {"text": "Ticket {} is open. We will write to ticket@example.org.".format(number),
              "buttons": [{"title": "Talk to a person", "payload": "/request_human"}]}
    form("the same wish once more is the ticket that is there", False, [opened], ran + ["utter_ticket_created"])
    demands.check("what was noted on REST is done", helpdesk.await_ticket("rest@example.org"))
    demands.check("each has a reference of its own", [rest] if rest == reference else [])


def answer_lost(demands, down):
    sender, helpdesk = "lost", down.helpdesk
    helpdesk.becomes("loses")
    reference = demands.noted("the helpdesk does it and breaks off: noted", "callback", sender)
    demands.same("it was done by then", 1, len(helpdesk.of("lost@example.org")))
    helpdesk.becomes("well")
    demands.arrives("it says by itself that it is done", sender, DONE_CALL.format(reference))
    demands.next_rule("callback", sender)


def killed(demands, down):
    """One write is at the helpdesk and not answered when the server is killed, another waits in the queue."""
    helpdesk = down.helpdesk
    helpdesk.becomes("closed")
    torn = demands.noted("noted before the server is killed", "callback", "torn")
    helpdesk.becomes("holds")
    demands.check("it is on its way", helpdesk.await_ticket("torn@example.org"))
    helpdesk.becomes("closed")
    queued = demands.noted("another is noted", "callback", "queued")
    for _ in down.killed_and_started_again():
        helpdesk.becomes("well")
    demands.arrives("what was queued arrives after a restart", "queued", DONE_CALL.format(queued))
    demands.next_rule("callback", "queued")
    demands.arrives("what was on its way arrives, too", "torn", DONE_CALL.format(torn))
    demands.next_rule("callback", "torn")


def turn_running(demands, down):
    sender, helpdesk = "busy", down.helpdesk
    helpdesk.becomes("closed")
    first = demands.noted("noted before a slow turn", "callback", sender)
    down.shop.becomes("holds")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        turn = pool.submit(down.say, "callback", sender, "track order AB-1001")
        demands.check("a slow turn runs", down.phone.await_text(sender, CHECKING["text"]))
        helpdesk.becomes("well")
        demands.check("what was noted is done meanwhile", helpdesk.await_ticket("busy@example.org"))
        # Nobody else waits for that turn.
        helpdesk.becomes("closed")
        beside = demands.noted("noted in another conversation", "callback", "beside")
        helpdesk.becomes("well")
        demands.arrives("which is told of it", "beside", DONE_CALL.format(beside))
        time.sleep(SETTLED)
        demands.same("nothing comes in the middle of the turn", CHECKING["text"], down.phone.heard(sender)[-1])
        down.shop.becomes("well")
        turn.result()
    demands.arrives("it comes by itself", sender, DONE_CALL.format(first))
    came = ["Order AB-1001 is shipped.", DONE_CALL.format(first)]
    demands.same("it comes after what the turn says", came, down.phone.heard(sender)[-2:])
    demands.same("the slow turn set its slot", "shipped", down.way.tracker(sender)["slots"]["order_status"])
    demands.next_rule("callback", sender)


def at_the_end(demands, down):
    called_back = ["ticket", "lost", "torn", "queued", "busy", "beside"]
    for sender in called_back + ["rest"]:
        demands.done_once(sender)
    promised = re.compile("Good news: what I had noted|Your ticket is in")
    for sender in called_back:
        told = [text for text in down.phone.heard(sender) if promised.match(text or "")]
        demands.check("it was told once ({})".format(sender), [] if len(told) == 1 else told or ["never"])
    bots = [event["text"] for event in down.way.tracker("rest")["events"] if event["event"] == "bot"]
    demands.check("nothing is said where nobody hears", [text for text in bots if promised.match(text or "")])
    demands.next_rule("rest", "rest")
    fallen = [sender for sender in called_back + ["rest", "shop-callback", "shop-rest"]
              for event in down.way.tracker(sender)["events"] if event.get("name") == "action_default_fallback"]
    demands.check("no fallback anywhere", fallen)
    for start in range(1, down.starts + 1):
        log = down.processes.log("actions-down-{}".format(start))
        shown = [text for text in PRIVATE + [down.secret, down.way.token, urllib.parse.quote(down.secret)] if text in log]
        demands.check("its log holds no credentials and nothing that people said ({})".format(start), shown)
