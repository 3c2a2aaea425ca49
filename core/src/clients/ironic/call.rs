//! One call of Ironic: its address, its version, its login, and what the answer is.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response, Url, header};
use serde_json::Value;

use super::{
    auth::Auth,
    error::{self, IronicError, Service},
    keystone::{Token, Tokens},
    oddities::can_be_a_name,
    version::{self, Minor},
};
use crate::{
    clients::{
        calls::Call,
        http::{self, BODY_LIMIT},
    },
    clock::SharedClock,
    secret::Secret,
    units::Timestamp,
};

/// The longest wait that is believed.
const WAIT_MOST: Duration = Duration::from_mins(10);

/// What is asked.
#[derive(Debug)]
pub(super) struct Request {
    method: Method,
    /// Below `/v1`, piece by piece, not encoded.
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    version: Minor,
    /// When it is given up.
    until: Option<Timestamp>,
}

impl Request {
    pub(super) fn new(method: Method, path: &[&str]) -> Self {
        let path = path.iter().map(|&piece| piece.to_owned()).collect();
        Self { method, path, query: Vec::new(), body: None, version: Minor::USUAL, until: None }
    }

    pub(super) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    #[must_use]
    pub(super) fn query(mut self, pairs: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.query = pairs.into_iter().collect();
        self
    }

    #[must_use]
    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    #[must_use]
    pub(super) fn version(mut self, version: Minor) -> Self {
        self.version = version;
        self
    }

    #[must_use]
    pub(super) fn until(mut self, until: Option<Timestamp>) -> Self {
        self.until = until;
        self
    }
}

/// How we are known, ready for use.
#[derive(Debug)]
enum Login {
    None,
    Basic { username: String, password: Secret },
    Keystone(Box<Tokens>),
}

/// Whoever calls Ironic.
#[derive(Debug)]
pub(super) struct Caller {
    http: Client,
    url: Option<Url>,
    login: Login,
    clock: SharedClock,
    /// The newest version that Ironic speaks; 0 until it was asked.
    newest: AtomicU32,
}

impl Caller {
    pub(super) fn new(http: Client, url: Option<&str>, auth: Auth, clock: SharedClock) -> Result<Self, IronicError> {
        const SETTING: &str = "ironic.url";
        let url = url.map(|url| address(url, "v1").ok_or(IronicError::BadUrl { setting: SETTING })).transpose()?;
        let login = match auth {
            Auth::Keystone(account) => Login::Keystone(Box::new(Tokens::new(http.clone(), account, clock.clone())?)),
            _ if url.is_none() => return Err(IronicError::BadUrl { setting: SETTING }),
            Auth::None => Login::None,
            Auth::Basic { username, password } => Login::Basic { username, password },
        };
        Ok(Self { http, url, login, clock, newest: AtomicU32::new(0) })
    }

    /// Asks, and answers Ironic's JSON; null where it has nothing to say.
    pub(super) async fn call(&self, request: Request) -> Result<Value, IronicError> {
        if let Some(name) = request.path.iter().find(|piece| !can_be_a_name(piece)) {
            return Err(IronicError::NotFound { message: format!("Node {name:?} could not be found.") });
        }
        self.newest(request.version, request.until).await?;
        let (status, body) = self.told(&request, true).await?;
        if (200..300).contains(&status) && body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| IronicError::misses(Service::Ironic, "JSON"))
    }

    /// The newest version that Ironic speaks. It is asked when that is not known, and again while it is not enough.
    pub(super) async fn newest(&self, needs: Minor, until: Option<Timestamp>) -> Result<Minor, IronicError> {
        let known = Minor(self.newest.load(Ordering::Relaxed));
        if known >= needs {
            return Ok(known);
        }
        let no_ironic = || IronicError::misses(Service::Ironic, "a version of its interface: is it an Ironic?");
        match self.told(&Request::get(&[]).until(until), false).await {
            Err(IronicError::NotFound { .. }) => return Err(no_ironic()),
            told => told?,
        };
        match Minor(self.newest.load(Ordering::Relaxed)) {
            Minor(0) => Err(no_ironic()),
            speaks if speaks < needs => Err(IronicError::TooOld { speaks: speaks.0, needs: needs.0 }),
            speaks => Ok(speaks),
        }
    }

    /// Sends the request and tells what became of it. Puts down the version that the answer names.
    async fn told(&self, request: &Request, versioned: bool) -> Result<(u16, bytes::Bytes), IronicError> {
        let started = self.clock.now();
        let call = Call::of("ironic");
        let told = tokio::select! {
            biased;
            told = self.exchange(request, versioned) => told,
            () = self.given_up(request.until) => Err(IronicError::Timeout { service: Service::Ironic }),
        };
        let told = call.ended(told);
        let elapsed_ms = self.clock.now().since(started).as_millis();
        let (method, path) = (&request.method, || format!("/v1/{}", request.path.join("/")));
        match &told {
            Ok(_) => tracing::debug!(system = "ironic", %method, path = path(), elapsed_ms, "call answered"),
            Err(error) => tracing::info!(system = "ironic", %method, path = path(), elapsed_ms, %error, "call failed"),
        }
        told
    }

    /// The present moment.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn given_up(&self, until: Option<Timestamp>) {
        match until {
            Some(until) => self.clock.sleep(until.since(self.clock.now())).await,
            None => std::future::pending().await,
        }
    }

    async fn exchange(&self, request: &Request, versioned: bool) -> Result<(u16, bytes::Bytes), IronicError> {
        let missing = || IronicError::BadUrl { setting: "ironic.url" };
        match &self.login {
            Login::None => {
                let url = self.url.as_ref().ok_or_else(missing)?;
                let response = self.send(url, request, versioned, |call| call).await?;
                self.judge(response, request).await
            }
            Login::Basic { username, password } => {
                let login = |call: RequestBuilder| call.basic_auth(username, Some(password.expose()));
                let url = self.url.as_ref().ok_or_else(missing)?;
                let response = self.send(url, request, versioned, login).await?;
                self.judge(response, request).await.map_err(|error| error.without(password))
            }
            Login::Keystone(tokens) => {
                let token = tokens.token().await?;
                let response = self.send_with(tokens, &token, request, versioned).await?;
                if response.status() != 401 {
                    return self.judge(response, request).await.map_err(|error| error.without(&token.value));
                }
                let token = tokens.renewed(&token).await?;
                let response = self.send_with(tokens, &token, request, versioned).await?;
                self.judge(response, request).await.map_err(|error| error.without(&token.value))
            }
        }
    }

    async fn send_with(
        &self,
        tokens: &Tokens,
        token: &Token,
        request: &Request,
        versioned: bool,
    ) -> Result<Response, IronicError> {
        let url = self.url.as_ref().or(token.endpoint.as_ref()).ok_or_else(|| tokens.no_endpoint())?;
        self.send(url, request, versioned, |call| call.header("X-Auth-Token", token.value.expose())).await
    }

    async fn send(
        &self,
        base: &Url,
        request: &Request,
        versioned: bool,
        login: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, IronicError> {
        let mut url = base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(&request.path);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let mut call = login(self.http.request(request.method.clone(), url)).header(header::ACCEPT, "application/json");
        if versioned {
            call = call.header(version::HEADER, request.version.header());
        }
        if let Some(body) = &request.body {
            call = call.json(body);
        }
        call.send().await.map_err(|error| IronicError::unanswered(Service::Ironic, error))
    }

    async fn judge(&self, response: Response, request: &Request) -> Result<(u16, bytes::Bytes), IronicError> {
        let status = response.status().as_u16();
        let retry_after = retry_after(&response);
        if let Some(Minor(newest)) = version::newest(response.headers()) {
            self.newest.store(newest, Ordering::Relaxed);
            if status == 406 && newest < request.version.0 {
                return Err(IronicError::TooOld { speaks: newest, needs: request.version.0 });
            }
        }
        let body = http::body(response, BODY_LIMIT).await.map_err(|error| IronicError::cut(Service::Ironic, error))?;
        if (200..300).contains(&status) { Ok((status, body)) } else { Err(error::refusal(status, retry_after, &body)) }
    }
}

/// A service's address without `version` at its end; none when it is no address for us.
pub(super) fn address(text: &str, version: &str) -> Option<Url> {
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix(version).filter(|rest| rest.ends_with('/')).unwrap_or(text);
    let url = Url::parse(text.trim_end_matches('/')).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    (matches!(url.scheme(), "http" | "https") && plain && url.fragment().is_none()).then_some(url)
}

/// When to come again; a date is not read, since no part of OpenStack sends one.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(WAIT_MOST))
}
