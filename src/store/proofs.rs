//! What users proved, and the codes that are under way, in the store: for every process that shares it.
//!
//! Where a code was sent and what was proved is sealed; whom codes were sent to and by whom is counted under digests. Their key
//! is in the store too, and sealed like the rest, so that what one process sent can be tried at another.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::StoreError;
use super::db::{Arg, Row};
use super::durable::Store;
use super::verifications::{Attempt, By, Challenge, HOUR, Proved, Sending, VerificationStore, Who};

/// The name of the key of digests.
const DIGESTS: &str = "digests";

/// Counts a code, unless there were too many or the last one is too new. Of two at the same time one is too early.
const COUNT: &str = "insert into legwork_sent (subject, number, at) \
     select $1, coalesce(max(number), 0) + 1, $2 from legwork_sent where subject = $1 \
     having count(case when at > $3 then 1 end) < $4 and coalesce(max(at), $5) <= $5 on conflict do nothing";

const PUT: &str = "insert into legwork_proofs (caller, sender, proved, proved_until, code, code_until, attempts) \
     values ($1, $2, null, 0, $3, $4, $5) on conflict (caller, sender) do update set code = excluded.code, \
     code_until = excluded.code_until, attempts = excluded.attempts";

const PROVE: &str = "insert into legwork_proofs (caller, sender, proved, proved_until, code, code_until, attempts) \
     values ($1, $2, $3, $4, null, 0, 0) on conflict (caller, sender) do update set proved = excluded.proved, \
     proved_until = excluded.proved_until, code = null, code_until = 0, attempts = 0";

const TRY: &str = "update legwork_proofs set attempts = attempts - 1 where caller = $1 and sender = $2 \
     and code is not null and code_until > $3 and attempts > 0 returning code, code_until, attempts";

/// A code under way, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Code {
    address: String,
    digest: Vec<u8>,
    salt: [u8; 16],
}

/// What is known of a conversation's user, as a search meets it.
pub struct MetProof {
    /// Who called.
    pub caller: String,
    /// The conversation.
    pub sender: String,
    /// What was proved, and the address that a code went to; or why that does not open.
    pub known: Result<Vec<String>, StoreError>,
    /// Until when something of it counts.
    pub until: i64,
}

/// What was proved, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Proof {
    email: Option<String>,
    phone: Option<String>,
    customer: Option<String>,
    by: String,
    at: Option<i64>,
}

impl Store {
    async fn keep_proof(&self, who: &Who, proved: Proved, until: DateTime<Utc>) -> Result<(), StoreError> {
        let Proved { email, phone, customer, by, at } = proved;
        let at = at.map(|at| at.timestamp_millis());
        let proof = Proof { email, phone, customer, by: by.name().to_owned(), at };
        let sealed = self.sealed(who, "proved", &proof)?;
        let [caller, sender] = names(who);
        self.db.run(PROVE, &[caller, sender, Arg::Bytes(Some(&sealed)), time(until)]).await.map(|_| ())
    }

    async fn read_proof(&self, who: &Who, now: DateTime<Utc>) -> Result<Option<Proved>, StoreError> {
        let query = "select proved from legwork_proofs where caller = $1 and sender = $2 and proved_until > $3";
        let [caller, sender] = names(who);
        let row = self.db.row(query, &[caller, sender, time(now)]).await?;
        let Some(sealed) = row.map(|row| row.maybe_bytes(0)).transpose()?.flatten() else { return Ok(None) };
        let Proof { email, phone, customer, by, at } = self.opened(who, "proved", &sealed)?;
        let by = By::parse(&by).ok_or_else(other_version)?;
        let at = at.and_then(DateTime::from_timestamp_millis);
        Ok(Some(Proved { email, phone, customer, by, at }))
    }

    pub(super) async fn begin_code(
        &self,
        who: &Who,
        challenge: Challenge,
        sending: Sending,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let key = self.digest_key().await?;
        let Challenge { address, digest, salt, until, attempts } = challenge;
        let by = subject(&key, &json!(["sender", who.caller.as_str(), who.sender]));
        let to = subject(&key, &json!(["address", address]));
        let sealed = self.sealed(who, "code", &Code { address, digest, salt })?;
        let [caller, sender] = names(who);
        let wait = chrono::Duration::from_std(sending.resend_after).unwrap_or(HOUR);
        let (at, since, last) = (time(now), time(now - HOUR), time(now - wait));
        let most = Arg::Number(i64::from(sending.per_hour));
        let (by, to) = ([Arg::Text(&by), at, since, most, last], [Arg::Text(&to), at, since, most, last]);
        let put = [caller, sender, Arg::Bytes(Some(&sealed)), time(until), Arg::Number(i64::from(attempts))];
        self.db.run_all(&[(COUNT.into(), &by), (COUNT.into(), &to), (PUT.into(), &put)]).await
    }

    async fn try_code(&self, who: &Who, now: DateTime<Utc>) -> Result<Attempt, StoreError> {
        let [caller, sender] = names(who);
        let args = [caller, sender, time(now)];
        let Some(row) = self.db.row(TRY, &args).await? else {
            let query =
                "select 1 from legwork_proofs where caller = $1 and sender = $2 and code is not null and code_until > $3";
            let exhausted = self.db.row(query, &args).await?.is_some();
            return Ok(if exhausted { Attempt::Exhausted } else { Attempt::Nothing });
        };
        let Code { address, digest, salt } = self.opened(who, "code", &row.bytes(0)?)?;
        let until = DateTime::from_timestamp_millis(row.number(1)?).ok_or_else(other_version)?;
        let attempts = u32::try_from(row.number(2)?).unwrap_or_default();
        Ok(Attempt::Try(Challenge { address, digest, salt, until, attempts }))
    }

    /// What is known of users after that caller and conversation, in their order, as many at most.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn proofs_after(&self, caller: &str, sender: &str, most: i64) -> Result<Vec<MetProof>, StoreError> {
        let query = "select caller, sender, proved, code, case when proved_until > code_until then proved_until \
                     else code_until end from legwork_proofs where caller > $1 or (caller = $1 and sender > $2) \
                     order by caller, sender limit $3";
        let rows = self.db.rows(query, &[Arg::Text(caller), Arg::Text(sender), Arg::Number(most)]).await?;
        rows.iter().map(|row| self.met_proof(row)).collect()
    }

    fn met_proof(&self, row: &Row) -> Result<MetProof, StoreError> {
        let (caller, sender) = (row.text(0)?, row.text(1)?);
        let (proved, code) = (row.maybe_bytes(2)?, row.maybe_bytes(3)?);
        let known = || {
            let mut known = Vec::new();
            let place = |part| place_of(&caller, &sender, part);
            if let Some(sealed) = proved {
                let Proof { email, phone, customer, .. } = self.opened_at(&place("proved"), &sealed)?;
                known.extend([email, phone, customer].into_iter().flatten());
            }
            if let Some(sealed) = code {
                let Code { address, .. } = self.opened_at(&place("code"), &sealed)?;
                known.push(address);
            }
            Ok(known)
        };
        let known = known();
        Ok(MetProof { caller, sender, known, until: row.number(4)? })
    }

    /// Forgets what is known of a conversation's user. How often codes were sent stays known: forgetting would lift a limit.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn forget_proof(&self, caller: &str, sender: &str) -> Result<bool, StoreError> {
        let delete = "delete from legwork_proofs where caller = $1 and sender = $2";
        Ok(self.db.run(delete, &[Arg::Text(caller), Arg::Text(sender)]).await? > 0)
    }

    /// Forgets codes that are too old to be used or counted, and what was proved until now.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub async fn forget_proofs(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let over =
            "delete from legwork_proofs where (proved is null or proved_until <= $1) and (code is null or code_until <= $1)";
        let over = self.db.run(over, &[time(now)]).await?;
        let sent = self.db.run("delete from legwork_sent where at <= $1", &[time(now - HOUR)]).await?;
        Ok(over + sent)
    }

    /// The key of digests; made by whoever needs it first.
    async fn digest_key(&self) -> Result<hmac::Key, StoreError> {
        self.digests.get_or_try_init(|| self.read_digest_key()).await.cloned()
    }

    async fn read_digest_key(&self) -> Result<hmac::Key, StoreError> {
        let mut fresh = [0; 32];
        let drawn = SystemRandom::new().fill(&mut fresh);
        drawn.map_err(|_| StoreError::Unavailable("the system gives no random numbers".to_owned()))?;
        let place = "secret/digests";
        let insert = "insert into legwork_secrets (name, sealed) values ($1, $2) on conflict do nothing";
        self.db.run(insert, &[Arg::Text(DIGESTS), Arg::Bytes(Some(&self.seal(place, &fresh)?))]).await?;
        let found = self.db.row("select sealed from legwork_secrets where name = $1", &[Arg::Text(DIGESTS)]).await?;
        let kept = found.ok_or_else(|| StoreError::Unavailable("a key is gone from the store".to_owned()))?.bytes(0)?;
        let key = self.unseal(place, &kept)?;
        if !self.is_sealed_by_the_newest(&kept) {
            // The older one may be taken out of the settings one day.
            let update = "update legwork_secrets set sealed = $2 where name = $1 and sealed = $3";
            let again = self.seal(place, &key)?;
            self.db.run(update, &[Arg::Text(DIGESTS), Arg::Bytes(Some(&again)), Arg::Bytes(Some(&kept))]).await?;
        }
        Ok(hmac::Key::new(HMAC_SHA256, &key))
    }

    fn sealed(&self, who: &Who, part: &str, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
        self.seal(&place(who, part), &serde_json::to_vec(value).unwrap_or_default())
    }

    fn opened<T: for<'de> Deserialize<'de>>(&self, who: &Who, part: &str, sealed: &[u8]) -> Result<T, StoreError> {
        self.opened_at(&place(who, part), sealed)
    }

    fn opened_at<T: for<'de> Deserialize<'de>>(&self, place: &str, sealed: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(&self.unseal(place, sealed)?).map_err(|_| other_version())
    }
}

impl VerificationStore for Store {
    fn key(&self) -> BoxFuture<'_, Result<hmac::Key, StoreError>> {
        self.digest_key().boxed()
    }

    fn proved<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Option<Proved>, StoreError>> {
        self.read_proof(who, now).boxed()
    }

    fn prove<'a>(
        &'a self,
        who: &'a Who,
        proved: Proved,
        _now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        self.keep_proof(who, proved, until).boxed()
    }

    fn begin<'a>(
        &'a self,
        who: &'a Who,
        challenge: Challenge,
        sending: Sending,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.begin_code(who, challenge, sending, now).boxed()
    }

    fn attempt<'a>(&'a self, who: &'a Who, now: DateTime<Utc>) -> BoxFuture<'a, Result<Attempt, StoreError>> {
        self.try_code(who, now).boxed()
    }
}

fn names(who: &Who) -> [Arg<'_>; 2] {
    [Arg::Text(who.caller.as_str()), Arg::Text(&who.sender)]
}

fn time<'a>(at: DateTime<Utc>) -> Arg<'a> {
    Arg::Number(at.timestamp_millis())
}

/// What is counted, so that it tells nothing of whom.
fn subject(key: &hmac::Key, what: &serde_json::Value) -> String {
    let digest = hmac::sign(key, json!(["sent", what]).to_string().as_bytes());
    digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What a part of a conversation's proof is sealed for.
fn place(who: &Who, part: &str) -> String {
    place_of(who.caller.as_str(), &who.sender, part)
}

fn place_of(caller: &str, sender: &str, part: &str) -> String {
    json!(["proof", caller, sender, part]).to_string()
}

fn other_version() -> StoreError {
    StoreError::Misconfigured("the store holds a verification of another version of legwork".to_owned())
}
