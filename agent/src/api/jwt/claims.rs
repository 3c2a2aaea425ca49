//! What a token whose signature is good says, against what it has to say.

use std::time::Duration;

use rackhand_core::{
    model::{Actor, Role},
    units::Timestamp,
};
use serde_json::{Map, Value};

/// So much may the issuer's clock and ours differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// The longest `sub`, as section 2 of `OpenID` Connect Core 1.0 has it; characters.
const LONGEST_SUBJECT: usize = 255;

/// What a token has to say.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Its `iss`.
    pub(super) issuer: String,
    /// Its `aud`, or one of several there.
    pub(super) audience: String,
    /// The claim that says the role.
    pub(super) role_claim: String,
}

impl Wanted {
    /// Who comes with a token of these claims at `now`.
    ///
    /// # Errors
    /// Which claim does not fit.
    pub(super) fn judge(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Actor, String> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err("iss: this JSON Web Token is not of the issuer that is trusted here".to_owned());
        }
        let ours = |value: &Value| value.as_str() == Some(&self.audience);
        let several = |value: &Value| value.as_array().is_some_and(|all| all.iter().any(ours));
        if !claims.get("aud").is_some_and(|aud| ours(aud) || several(aud)) {
            return Err("aud: this JSON Web Token is not for us".to_owned());
        }
        let until = moment(claims, "exp")?.ok_or("exp: this JSON Web Token does not say until when it is good")?;
        let until = until.plus(LEEWAY);
        if until <= now {
            return Err("exp: this JSON Web Token is too old".to_owned());
        }
        if moment(claims, "nbf")?.is_some_and(|from| now.plus(LEEWAY) < from) {
            return Err("nbf: this JSON Web Token is not good yet".to_owned());
        }
        Ok(Actor::program(name(claims)?, self.role(claims)?, Some(until)))
    }

    fn role(&self, claims: &Map<String, Value>) -> Result<Role, String> {
        let role = claims.get(&self.role_claim).and_then(Value::as_str).and_then(|text| text.parse().ok());
        role.filter(|role| *role > Role::Guest)
            .ok_or_else(|| format!("{}: this JSON Web Token names no role: viewer, operator or admin", self.role_claim))
    }
}

/// The subject's name. No token of ours has one with a colon in it.
fn name(claims: &Map<String, Value>) -> Result<String, String> {
    let fits = |sub: &&str| {
        let length = 1..=LONGEST_SUBJECT;
        length.contains(&sub.len()) && sub.trim() == *sub && sub.chars().all(|c| c.is_ascii_graphic() || c == ' ')
    };
    let sub = claims.get("sub").and_then(Value::as_str).filter(fits);
    sub.map(|sub| format!("jwt:{sub}"))
        .ok_or_else(|| format!("sub: 1 to {LONGEST_SUBJECT} visible characters of ASCII are expected"))
}

/// A moment, which is written as seconds since 1970 with or without a fraction.
fn moment(claims: &Map<String, Value>, claim: &str) -> Result<Option<Timestamp>, String> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let since = value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let millis = since.and_then(|since| i64::try_from(since.as_millis()).ok());
    millis
        .map(|millis| Some(Timestamp(millis)))
        .ok_or_else(|| format!("{claim}: a number of seconds since 1970 is expected"))
}
