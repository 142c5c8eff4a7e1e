//! The shape of `legwork.yml`: the server, the connections, and the project's own words.

use serde_json::{Value, json};

use super::action::Turn;
use super::connection::Connection;
use super::message::Say;
use super::shape::{Definitions, Shape, described, entries, shape, unknown_key};
use super::values::{Choices, Flag, Map, Several, Text, Whole};
use super::yaml::{Kind, Node};
use crate::diag::Diagnostics;

shape! {
    /// The settings of a project. Every key has a default.
    Settings as "legwork.yml" {
        /// The folder of the actions; `actions` when left out.
        actions: Option<Text>,
        /// The assistant's domain, a file or a folder; `domain.yml` when left out.
        domain: Option<Text>,
        /// The folder of the project's own connectors; `connectors` when left out.
        connectors: Option<Text>,
        /// The HTTP server.
        server: Option<Server>,
        /// The business systems: name → connector, and this company's address and credentials.
        connections: Option<Map<Connection>>,
        /// How long a turn may take.
        turn: Option<Turn>,
        /// How long answers are kept.
        cache: Option<Cache>,
        /// What legwork says by itself, in the assistant's own words: locale → name → message; and the intents of its buttons.
        /// Where a message says nothing, or fails, legwork's own is said.
        messages: Option<Messages>,
        /// Another way to get in touch, such as a phone number: a sentence, or locale → sentence. It is said with messages after
        /// which a user may want it.
        contact: Option<Contact>,
        /// The project's own formats.
        formats: Map<Format>,
        /// Words for codes: locale → code → word.
        labels: Map<Map<Text>>,
        /// Word lists for the filters `keywords` and `severity`: name → locale → words.
        words: Map<Node>,
        /// The language of answers: `en`, `de`, …, or an expression in `{{ }}`.
        locale: Option<Text>,
        /// The time zone of dates and times: `Europe/Berlin`; UTC when left out.
        timezone: Option<Text>,
        /// The region that phone numbers and dates without one belong to: `US`, `DE`.
        region: Option<Text>,
        /// The currency of amounts without one: `EUR`.
        currency: Option<Text>,
        /// What holds for every test that does not say otherwise.
        tests: Option<Tests>,
        /// Where durable state is kept.
        stores: Option<Stores>,
        /// Writes that are made later, since their system was down.
        outbox: Option<Outbox>,
        /// How users prove who they are; what they proved is `verified` in expressions.
        verify: Option<Verify>,
        /// The way back to the assistant that calls, for what its users are told later.
        assistant: Option<Assistant>,
        /// The same where several call: the name of an entry of `server.auth` → the way back to it.
        assistants: Map<Assistant>,
        /// The action server that is asked for actions which the project does not have.
        fallback: Option<Fallback>,
    }

    /// An action server behind this one, such as the `rasa-sdk` where a team's actions were before.
    Fallback as "`fallback`" {
        /// Its webhook, such as `http://localhost:5056/webhook`, or a reference to that; https beyond this machine.
        url: Text,
        /// The host of `url`, where it may have a private address and be talked to without TLS. This machine always may.
        allow_private: Vec<Text>,
    }

    /// The way back to an assistant: its own HTTP API, which `rasa run --enable-api` opens.
    Assistant as "an assistant" {
        /// Where it listens, such as `http://localhost:5005`, or a reference to that; https beyond this machine.
        url: Text,
        /// Its `--auth-token`, a reference such as `${RASA_TOKEN}`.
        token: Option<Text>,
        /// Its `--jwt-secret`, a reference; for HS256.
        jwt_secret: Option<Text>,
        /// The channel that messages go to, by its name in the assistant's credentials.yml; `latest`, the one that the user
        /// last wrote on, when left out.
        output_channel: Option<Text>,
        /// How long a call may take, with its wait for a turn that runs in that conversation; 60s when left out.
        timeout: Option<Text>,
        /// The host of `url`, where it may have a private address and be talked to without TLS. This machine always may.
        allow_private: Vec<Text>,
        /// A PEM file with the only authorities that are trusted, in place of the machine's.
        authorities: Option<Text>,
    }

    /// Writes that are made later.
    Outbox as "`outbox`" {
        /// How often a write is tried before somebody has to look at it; 200 when left out, up to 1,000.
        attempts: Option<Whole>,
        /// The time before the first of these tries, which doubles with each of them; `5s` when left out.
        first_wait: Option<Text>,
        /// The longest time between two of them; `10m` when left out.
        longest_wait: Option<Text>,
        /// How long it is tried at all; `24h` when left out.
        give_up_after: Option<Text>,
        /// How long the same wish in another message is a repeat of a write that is done; `2m` when left out.
        repeat_within: Option<Text>,
    }

    /// How users prove who they are.
    Verify as "`verify`" {
        /// By a signed token that the channel sends with their messages.
        metadata: Option<SignedMetadata>,
        /// By a one-time code that is sent to them.
        code: Option<OneTimeCode>,
    }

    /// A signed token in the metadata of messages.
    SignedMetadata as "`verify.metadata`" {
        /// The key of the metadata that holds the token.
        key: Text,
        /// The token is `v1.PAYLOAD.SIGNATURE`, signed with HMAC-SHA256 and this secret, a reference such as `${SECRET}`.
        hmac: Option<Text>,
        /// The token is a JWT.
        jwt: Option<Jwt>,
        /// Which claim of the token says what: `email`, `phone` and `customer` → the claim's name; of the same name when left
        /// out.
        claims: Map<Text>,
        /// The claim that says which conversation the token is for; `sender` when left out. It has to be there.
        sender: Option<Text>,
    }

    /// How a JWT is signed, and for whom it is.
    Jwt as "`jwt`" {
        /// The secret that it is signed with, a reference; for HS256.
        secret: Option<Text>,
        /// The public key of who signs it, as PEM, a reference such as `${file:login.pem}`; for RS256 and ES256.
        public_key: Option<Text>,
        /// The algorithms that are taken: HS256, RS256, ES256.
        algorithms: Vec<Text>,
        /// Who has to have issued it: its `iss`.
        issuer: Option<Text>,
        /// Whom it has to be for: its `aud`, or one of them.
        audience: Option<Text>,
    }

    /// One-time codes.
    OneTimeCode as "`verify.code`" {
        /// The operation that sends it, one that writes: `connection.operation`.
        call: Text,
        /// Its inputs; `{{ address }}` is where to, `{{ code }}` the code.
        with: Map<Node>,
        /// What it is sent to: `email` (the default) or `phone`.
        to: Option<Text>,
        /// How many digits it has, 4 to 12; 6 when left out.
        length: Option<Whole>,
        /// How long it can be used; 10m when left out.
        valid: Option<Text>,
        /// How often a wrong one may be tried; 5 when left out.
        attempts: Option<Whole>,
        /// After which time another may be sent; 30s when left out.
        resend_after: Option<Text>,
        /// How many may be sent in an hour, by one sender and to one address; 5 when left out.
        per_hour: Option<Whole>,
        /// How long the user stays verified; 30m when left out.
        lasts: Option<Text>,
    }

    /// Where durable state is kept.
    Stores as "`stores`" {
        /// The database: `sqlite://legwork.db`, a file in the project's folder, which is the one when left out; or a reference such
        /// as `${LEGWORK_DATABASE}` to the address of a PostgreSQL server, which several replicas share.
        main: Option<Text>,
        /// A second level behind the cache of each replica, which they share: a reference such as `${LEGWORK_REDIS}` to the address
        /// of a Redis, `rediss://user:password@host:6379/0`.
        cache: Option<Text>,
        /// What secrets in it are sealed with, a reference such as `${LEGWORK_STORE_KEY}`. A list, the newest first, while a
        /// key is being replaced. Without it nothing is kept that would have to be sealed.
        key: Option<Keys>,
        /// How long what is not needed for ever is kept.
        keep: Option<Retention>,
    }

    /// How long things are kept.
    Retention as "`stores.keep`" {
        /// The result of a slow turn, which waits in memory for the assistant's second call; `2m` when left out.
        running: Option<Text>,
        /// What is known of writes that are settled, and the answers of their turns; `24h` when left out.
        ledger: Option<Text>,
        /// Writes that were to be made later and cannot be, which somebody has to look at; `30d` when left out.
        dead: Option<Text>,
    }

    /// What tests have in common.
    Tests as "`tests`" {
        /// The time at which they happen, as `2026-03-04T10:00:00Z`: what is right today stays right.
        now: Option<Text>,
        /// The files and folders with stories, rules and end-to-end test cases that `legwork test` plays; `data` and `tests` when
        /// left out, as far as they are there.
        stories: Option<Several<Text>>,
    }

    /// The HTTP server.
    Server as "`server`" {
        /// `development` (the default), `test` or `production`, which needs `auth`.
        profile: Option<Text>,
        /// The address to listen on; loopback without `auth`, every address with it.
        host: Option<Text>,
        /// The port to listen on; 5055 when left out.
        port: Option<Whole>,
        /// Who may call: each entry has a name and one proof. Several may be right at once, for rotation.
        auth: Vec<Auth>,
        /// The web origins that may call from a browser.
        cors: Vec<Text>,
        /// The largest body, inflated: `20MiB`.
        body_limit: Option<Text>,
        /// How deep a body's JSON may nest; 200 when left out.
        depth_limit: Option<Whole>,
        /// How many turns may run at the same time; 12000 when left out, or as many as the process can open files for. Further
        /// ones are answered at once with the message for `rate_limited`.
        turns: Option<Whole>,
    }

    /// Somebody who may call.
    Auth as "an entry of `server.auth`" {
        /// The caller's name, in logs and metrics; work of one caller is never shared with another.
        name: Text,
        /// `Authorization: Bearer …`.
        bearer: Option<Text>,
        /// A header of another name.
        header: Option<Header>,
        /// HTTP Basic.
        basic: Option<Basic>,
        /// The query parameter `token`, as the assistant's `token:` sends it.
        token: Option<Text>,
        /// The name of the query parameter, when it is not `token`.
        token_name: Option<Text>,
    }

    /// A header and its secret value.
    Header as "`header`" {
        /// The header's name.
        name: Text,
        /// Its value, a reference such as `${SECRET}`.
        value: Text,
    }

    /// A user and a password.
    Basic as "`basic`" {
        /// The user.
        user: Text,
        /// The password, a reference such as `${SECRET}`.
        password: Text,
    }

    /// How long answers are kept.
    Cache as "`cache`" {
        /// Customer profiles.
        profiles: Option<Keep>,
        /// How much memory kept answers may take: `64MiB`; 32MiB when left out.
        size: Option<Text>,
        /// An answer that is as good as new, but older than this, is told with its age; 10 minutes when left out.
        say_age_after: Option<Text>,
    }

    /// How long an answer is kept.
    Keep as "a cache time" {
        /// How long it is as good as new.
        fresh: Option<Text>,
        /// How long it may stand in, its age said, when the system is down.
        stale: Option<Text>,
    }

    /// A format of the project's own: a text that matches `pattern` becomes its capture, or one of the values of `enum`.
    Format as "a format" {
        /// What it is.
        description: Option<Text>,
        /// A regular expression for the whole value, with at most one capture: the part that is kept.
        pattern: Option<Text>,
        /// Instead of a pattern: the values, as a list, or each with the other ways in which people say it.
        r#enum: Option<Choices>,
        /// Writes it in capitals.
        upper: Option<Flag>,
        /// Writes it small.
        lower: Option<Flag>,
        /// Characters that are taken out first, such as blanks and dashes.
        strip: Option<Text>,
        /// Fills it up on the left: `{ width: 6, with: "0" }`.
        pad: Option<Pad>,
        /// What people write → what it becomes; null for what is refused. `check` runs them.
        examples: Map<Node>,
    }

    /// Filling up on the left.
    Pad as "`pad`" {
        /// To how many characters.
        width: Whole,
        /// With which character.
        with: Text,
    }
}

/// What legwork says by itself: locale → name → message, beside the intents that its buttons have.
#[derive(Debug, Clone)]
pub struct Messages {
    /// The intent of the button to a person.
    pub human_intent: Option<Text>,
    /// The intent of the button that takes a message, which becomes a ticket.
    pub ticket_intent: Option<Text>,
    /// The words, by locale.
    pub locales: Map<Map<Say>>,
}

/// The keys of `messages` that are no locales, with what they are.
const INTENTS: [(&str, &str); 2] = [
    ("human_intent", "The intent of the button to a person, such as `talk_to_human`. Without it there is no such button."),
    (
        "ticket_intent",
        "The intent of the button that takes a message, which becomes a ticket, such as `open_ticket`. Without it there is no \
         such button.",
    ),
];

impl Shape for Messages {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let mut messages = Self { human_intent: None, ticket_intent: None, locales: Map::default() };
        let entries = entries(node, "`messages`", out)?;
        for (key, value) in entries {
            match key.name.as_str() {
                "human_intent" => messages.human_intent = Text::read(value, out),
                "ticket_intent" => messages.ticket_intent = Text::read(value, out),
                // A locale has messages below it.
                _ if value.scalar_text().is_some() => {
                    unknown_key(key, node, "`messages`", &INTENTS.map(|(name, _)| name), out);
                }
                _ => messages.locales.0.extend(Map::read(value, out).map(|own| (Text::of_key(key), own))),
            }
        }
        Some(messages)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let intents = INTENTS.map(|(name, doc)| (name.to_owned(), described(Text::schema(definitions), doc)));
        let properties: serde_json::Map<String, Value> = intents.into_iter().collect();
        let locale = Map::<Say>::schema(definitions);
        json!({ "type": "object", "properties": properties, "additionalProperties": locale })
    }
}

/// Another way to get in touch: one sentence for all, or one by locale.
#[derive(Debug, Clone)]
pub struct Contact(pub Map<Text>);

impl Shape for Contact {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        if node.scalar_text().is_none() {
            return Map::read(node, out).map(Self);
        }
        let text = Text::read(node, out)?;
        Some(Self(Map(vec![(Text { span: text.span.clone(), value: "en".to_owned() }, text)])))
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "string" }, Map::<Text>::schema(definitions)] })
    }
}

/// What secrets are sealed with: one reference, or several, the newest first.
#[derive(Debug, Clone)]
pub struct Keys(pub Vec<Text>);

impl Shape for Keys {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => Vec::read(node, out).map(Self),
            _ => Text::read(node, out).map(|key| Self(vec![key])),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
    }
}
