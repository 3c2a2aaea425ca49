//! Keystone: gives out tokens for a login, with a catalogue of where each service is. A token lasts an hour mostly, and
//! may be taken back at any time.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::{
    auth::{Credential, Keystone, Scope},
    call::{address, retry_after},
    error::{IronicError, Service},
};
use crate::{
    clients::{
        calls::Call,
        excerpt::bounded,
        http::{self, BODY_LIMIT},
    },
    clock::SharedClock,
    secret::Secret,
    units::Timestamp,
};

/// A token is renewed so long before its end, so that no call arrives with one that has just ended.
const MARGIN: Duration = Duration::from_mins(2);
/// The life of a token that does not tell it.
const LIFE_UNSAID: Duration = Duration::from_mins(5);
/// How long one waits for another who asks for a token.
const PATIENCE: Duration = Duration::from_secs(30);
/// The names that Ironic has in a catalogue.
const TYPES: [&str; 2] = ["baremetal", "bare-metal"];

/// A token, and where it leads.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) value: Secret,
    /// Ironic's address.
    pub(super) endpoint: Option<Url>,
    /// When it is renewed, by our clock.
    renew_at: Timestamp,
}

/// The tokens of one account: one at a time, got by whoever needs it first.
#[derive(Debug)]
pub(super) struct Tokens {
    http: Client,
    url: Url,
    account: Keystone,
    clock: SharedClock,
    current: RwLock<Option<Arc<Token>>>,
    /// Held by the one who asks for a token; the others wait and use it.
    asking: tokio::sync::Mutex<()>,
}

impl Tokens {
    pub(super) fn new(http: Client, account: Keystone, clock: SharedClock) -> Result<Self, IronicError> {
        let bad = IronicError::BadUrl { setting: "ironic.keystone_url" };
        let mut url = address(&account.auth_url, "v3").ok_or(bad)?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v3", "auth", "tokens"]);
        }
        Ok(Self { http, url, account, clock, current: RwLock::default(), asking: tokio::sync::Mutex::default() })
    }

    /// The present token, or a new one.
    pub(super) async fn token(&self) -> Result<Arc<Token>, IronicError> {
        match self.fresh() {
            Some(token) => Ok(token),
            None => self.other_than(None).await,
        }
    }

    /// Another token than `refused`.
    pub(super) async fn renewed(&self, refused: &Arc<Token>) -> Result<Arc<Token>, IronicError> {
        self.other_than(Some(refused)).await
    }

    fn fresh(&self) -> Option<Arc<Token>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().filter(|token| self.clock.now() < token.renew_at).cloned()
    }

    async fn other_than(&self, refused: Option<&Arc<Token>>) -> Result<Arc<Token>, IronicError> {
        let asking = tokio::time::timeout(PATIENCE, self.asking.lock()).await;
        let _asking = asking.map_err(|_| IronicError::Timeout { service: Service::Keystone })?;
        let usable = |token: &Arc<Token>| refused.is_none_or(|refused| !Arc::ptr_eq(token, refused));
        if let Some(token) = self.fresh().filter(usable) {
            return Ok(token);
        }
        let got = Call::of("keystone").ended(self.ask().await).map_err(|error| error.without(self.secret()));
        let got = got.inspect_err(|error| tracing::info!(system = "keystone", %error, "no token"))?;
        let token = Arc::new(got);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    async fn ask(&self) -> Result<Token, IronicError> {
        let service = Service::Keystone;
        let asked_at = self.clock.now();
        let response = self.http.post(self.url.clone()).json(&login(&self.account.credential)).send().await;
        let response = response.map_err(|error| IronicError::unanswered(service, error))?;
        let (status, wait) = (response.status().as_u16(), retry_after(&response));
        let value = response.headers().get("X-Subject-Token").and_then(|value| value.to_str().ok()).map(Secret::new);
        let body = http::body(response, BODY_LIMIT).await.map_err(|error| IronicError::cut(service, error))?;
        let answer = serde_json::from_slice::<Value>(&body).unwrap_or_default();
        if !(200..300).contains(&status) {
            return Err(refusal(status, wait, &answer));
        }
        let told = answer["token"].as_object().and(value);
        let value = told.ok_or_else(|| IronicError::misses(service, "a token"))?;
        let life = life(&answer["token"]).unwrap_or(LIFE_UNSAID);
        let renew_at = asked_at.plus(life.saturating_sub(MARGIN).max(life / 2));
        Ok(Token { value, endpoint: self.endpoint(&answer["token"]["catalog"]), renew_at })
    }

    /// Where the catalogue says that Ironic is.
    pub(super) fn endpoint(&self, catalogue: &Value) -> Option<Url> {
        let services = catalogue.as_array().into_iter().flatten();
        let ironics = services.filter(|service| service["type"].as_str().is_some_and(|name| TYPES.contains(&name)));
        let interface = self.account.interface.to_string();
        let mut endpoints = ironics.flat_map(|service| service["endpoints"].as_array().into_iter().flatten());
        let meant = endpoints.find(|endpoint| {
            let in_region = |region: &str| endpoint["region_id"] == region || endpoint["region"] == region;
            endpoint["interface"] == interface.as_str() && self.account.region.as_deref().is_none_or(in_region)
        });
        address(meant?["url"].as_str()?, "v1")
    }

    /// Why there is no address of Ironic.
    pub(super) fn no_endpoint(&self) -> IronicError {
        IronicError::NoEndpoint { interface: self.account.interface.to_string(), region: self.account.region.clone() }
    }

    fn secret(&self) -> &Secret {
        match &self.account.credential {
            Credential::Password { password: secret, .. } | Credential::Application { secret, .. } => secret,
        }
    }
}

/// What `POST /v3/auth/tokens` takes.
fn login(credential: &Credential) -> Value {
    match credential {
        Credential::Password { username, user_domain, password, scope } => {
            let user = json!({ "name": username, "domain": { "name": user_domain }, "password": password.expose() });
            let scope = match scope {
                Scope::System => json!({ "system": { "all": true } }),
                Scope::Project { name, domain } => json!({ "project": { "name": name, "domain": { "name": domain } } }),
            };
            let identity = json!({ "methods": ["password"], "password": { "user": user } });
            json!({ "auth": { "identity": identity, "scope": scope } })
        }
        Credential::Application { id, secret } => {
            let application = json!({ "id": id, "secret": secret.expose() });
            let identity = json!({ "methods": ["application_credential"], "application_credential": application });
            json!({ "auth": { "identity": identity } })
        }
    }
}

/// How long a token lasts, by Keystone's own clock, so that ours may be wrong.
fn life(token: &Value) -> Option<Duration> {
    let moment = |key: &str| token[key].as_str()?.parse::<jiff::Timestamp>().ok();
    Duration::try_from(moment("expires_at")?.duration_since(moment("issued_at")?)).ok()
}

fn refusal(status: u16, retry_after: Option<Duration>, answer: &Value) -> IronicError {
    let service = Service::Keystone;
    let said = answer["error"]["message"].as_str().map(bounded);
    match status {
        429 | 503 => {
            IronicError::Busy { service, retry_after, message: said.unwrap_or_else(|| format!("HTTP {status}")) }
        }
        400..=499 => {
            IronicError::Unauthenticated { service, message: said.unwrap_or_else(|| format!("HTTP {status}")) }
        }
        _ => IronicError::Unavailable { service, status: Some(status), message: said, sent: true, source: None },
    }
}
