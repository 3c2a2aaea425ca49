//! Somebody else's proof of who asks: JSON Web Tokens (RFC 7519), signed (RFC 7515) by an issuer that the configuration
//! trusts.
//!
//! A token has to fit what is configured in each point: the way of signing, the key, the issuer, the audience. It is
//! asked for none of them (RFC 8725). Its role is what the issuer wrote into it, until it expires: no table of ours knows
//! its holder. Encrypted tokens and tokens without a signature are none.

mod claims;
mod key;

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rackhand_core::{
    config::{ApiJwt, JwtAlgorithm},
    model::Actor,
    units::Timestamp,
};
use serde_json::{Map, Value};

pub use key::KeyError;

use claims::Wanted;
use key::Keys;

/// The longest token; bytes.
const LONGEST: usize = 8 * 1024;

/// Whose tokens are trusted.
#[derive(Debug)]
pub struct Jwt {
    algorithm: JwtAlgorithm,
    keys: Keys,
    wanted: Wanted,
}

impl Jwt {
    /// Reads the key.
    ///
    /// # Errors
    /// The key is none, or not for these tokens.
    pub fn open(settings: &ApiJwt) -> Result<Self, KeyError> {
        let path = settings.key_file.as_deref().ok_or(KeyError::Unsaid)?;
        let wanted = Wanted {
            issuer: settings.issuer.clone().unwrap_or_default(),
            audience: settings.audience.clone().unwrap_or_default(),
            role_claim: settings.role_claim.clone(),
        };
        Ok(Self { algorithm: settings.algorithm, keys: Keys::read(path, settings.algorithm)?, wanted })
    }

    /// Who comes with this token at `now`.
    ///
    /// # Errors
    /// What is wrong with the token, for whoever made it.
    pub(super) fn actor(&self, token: &str, now: Timestamp) -> Result<Actor, String> {
        if token.len() > LONGEST {
            return Err(format!("no token of more than {LONGEST} bytes is read"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("this is no JSON Web Token")?;
        let (header, claims) = signed.split_once('.').ok_or("this is no JSON Web Token")?;
        let header = object(header).ok_or("the header of this JSON Web Token cannot be read")?;
        if header.get("alg").and_then(Value::as_str) != Some(&self.algorithm.to_string()) {
            return Err(format!("alg: this JSON Web Token is not signed by {}", self.algorithm));
        }
        // What must be understood and is not (RFC 7515, section 4.1.11).
        if header.contains_key("crit") {
            return Err("crit: this JSON Web Token needs an extension that is not known here".to_owned());
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        if !self.keys.made(signed.as_bytes(), &signature) {
            return Err("this JSON Web Token is not signed with a key that is trusted here".to_owned());
        }
        let claims = object(claims).ok_or("the claims of this JSON Web Token cannot be read")?;
        self.wanted.judge(&claims, now)
    }
}

impl fmt::Display for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "of {} for {}, signed by {}", self.wanted.issuer, self.wanted.audience, self.algorithm)
    }
}

/// A part of a token: an object of JSON.
fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
