"""legwork calls a real Rasa back: messages that arrive by themselves on a channel that can send, turns from outside.

Part of live.py. The users' side of the `callback` channel is a little server here; the calls are made by `legwork
assistants test`, which takes the same way as what legwork says later by itself. Standard library only.
"""
import concurrent.futures
import http.server
import json
import secrets
import subprocess
import threading

PATIENCE = 30  # seconds until a message has to be there


class Phone:
    """What a user of the callback channel sees: every message that Rasa sends there, in order."""

    def __init__(self):
        self.messages = []
        self.came = threading.Condition()
        phone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with phone.came:
                    phone.messages.append(message)
                    phone.came.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:{}/".format(self.server.server_address[1])

    def to(self, sender):
        with self.came:
            return [message for message in self.messages if message["recipient_id"] == sender]

    def heard(self, sender):
        return [message.get("text") for message in self.to(sender)]

    def await_text(self, sender, text):
        """A complaint when the text does not come."""
        there = lambda: any(m["recipient_id"] == sender and m.get("text") == text for m in self.messages)
        with self.came:
            if self.came.wait_for(there, PATIENCE):
                return []
        return ["{!r} has not come, but {}".format(text, self.heard(sender))]


class Way:
    """The way back: a Rasa whose API asks for proof, a user's phone, and legwork with settings of its own."""

    def __init__(self, start, actions_port, logs, legwork, here):
        # As arguments they may not begin with a hyphen.
        self.token, self.secret = secrets.token_hex(24), secrets.token_hex(32)
        self.logs, self.legwork, self.here = logs, legwork, here
        self.phone = Phone()
        credentials = logs / "credentials-back.yml"
        # JSON is YAML
        credentials.write_text(json.dumps({"rest": None, "callback": {"url": self.phone.url}}), encoding="utf-8")
        self.rasa = start(actions_port, credentials, ["--auth-token", self.token, "--jwt-secret", self.secret])

    def call_back(self, login, *words):
        """What `legwork assistants test` says of the one assistant, and its exit code."""
        config = self.logs / "legwork-back.yml"
        settings = {
            "actions": str(self.here / "actions"), "domain": str(self.here / "assistant/domain.yml"), "connections": {},
            "assistant": dict({"url": "http://127.0.0.1:{}".format(self.rasa.address.port)}, **login),
        }
        config.write_text(json.dumps(settings), encoding="utf-8")
        (self.logs / "token").write_text(self.token, encoding="utf-8")
        (self.logs / "secret").write_text(self.secret, encoding="utf-8")
        command = [self.legwork, "assistants", "test", "--config", config, "--format", "json"] + list(words)
        ran = subprocess.run(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
        )
        for secret in (self.token, self.secret):
            if secret in ran.stdout + ran.stderr:
                return {"outcome": "a secret was shown"}, ran.returncode
        try:
            return json.loads(ran.stdout)[0], ran.returncode
        except ValueError:
            return {"outcome": ran.stdout + ran.stderr}, ran.returncode

    def user_says(self, channel, sender, text):
        body = {"sender": sender, "message": text}
        return self.rasa.demand("POST", "/webhooks/{}/webhook".format(channel), body)

    def tracker(self, sender):
        return json.loads(self.rasa.demand("GET", "/conversations/{}/tracker?token={}".format(sender, self.token)))


TOKEN = {"token": "${file:token}"}
JWT = {"jwt_secret": "${file:secret}"}


def look(results, way):
    """Everything that is demanded of calling back, a check each."""

    def ends(what, login, words, outcome, code):
        told, exit_code = way.call_back(login, *words)
        right = (told["outcome"], exit_code) == (outcome, code)
        results.check("back: " + what, [] if right else ["{} with exit code {}".format(json.dumps(told), exit_code)])
        return told

    told = ends("the way is right, by token", TOKEN, [], "ok", 0)
    results.check("back: the version is told", [] if told.get("found", "").startswith("Rasa 3.6.") else [repr(told)])
    ends("the way is right, by JWT", JWT, [], "ok", 0)
    ends("another token is refused", {"token": "${file:secret}"}, [], "misconfigured", 1)
    ends("another secret is refused", {"jwt_secret": "${file:token}"}, [], "misconfigured", 1)
    ends("no credentials are refused", {}, [], "misconfigured", 1)

    # A sender as messengers have them: what is special in it arrives as it is.
    sender = "whatsapp:+4917012345@a,b/c"
    way.user_says("callback", sender, "hello")
    for login, text in ((TOKEN, "Your ticket is in: T-1."), (JWT, "Your ticket is in: T-2.")):
        ends("it is said, by " + next(iter(login)), login, ["--sender", sender, "--say", text], "ok", 0)
        results.check("back: {!r} arrives by itself".format(text), way.phone.await_text(sender, text))
    bots = [event["text"] for event in way.tracker(sender)["events"] if event["event"] == "bot"]
    right = bots[-2:] == ["Your ticket is in: T-1.", "Your ticket is in: T-2."]
    results.check("back: the conversation has it", [] if right else bots)

    words = ["--sender", sender, "--trigger", "EXTERNAL_order_shipped", "--entity", "order_id=AB-1001"]
    ends("a turn is started from outside", TOKEN, words, "ok", 0)
    shipped = "Good news: your order AB-1001 has been shipped."
    results.check("back: its rule runs", way.phone.await_text(sender, shipped))
    slot = way.tracker(sender)["slots"]["order_id"]
    results.check("back: its entity fills the slot", [] if slot == "AB-1001" else [repr(slot)])
    ends("an unknown intent is told as one", TOKEN, ["--sender", sender, "--trigger", "nonsense"], "not_found", 1)

    # A form that is active stays where it is.
    form = "in-a-form"
    way.user_says("callback", form, "open a ticket")
    ends("it is said while a form is active", TOKEN, ["--sender", form, "--say", "Your order has left."], "ok", 0)
    tracker = way.tracker(form)
    state = (tracker["active_loop"].get("name"), tracker["slots"]["requested_slot"], way.phone.heard(form)[-1])
    wanted = ("ticket_form", "customer_email", "Your order has left.")
    results.check("back: the form goes on as if nothing had been said", [] if state == wanted else [repr(state)])

    # Users of the REST channel hear nothing between their messages.
    way.user_says("rest", "on-rest", "hello")
    ends("what nobody hears is told as such", TOKEN, ["--sender", "on-rest", "--say", "Anybody?"], "unheard", 1)
    ends("a sender that would have to be encoded is refused", TOKEN, ["--sender", "a b", "--say", "Anybody?"], "invalid", 1)

    # A turn that runs: what is said meanwhile waits for it, and comes after all that it says.
    busy = "busy"
    way.user_says("callback", busy, "hello")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        turn = pool.submit(way.user_says, "callback", busy, "track order SL-1001")
        results.check("back: a slow turn runs", way.phone.await_text(busy, "I'm still checking. One moment, please."))
        ends("it waits for a turn that runs", TOKEN, ["--sender", busy, "--say", "And your ticket is in."], "ok", 0)
        turn.result()
    heard = way.phone.heard(busy)
    right = heard[-1] == "And your ticket is in." and len(heard) == 4
    results.check("back: it comes after what the turn says", [] if right else heard)
