//! Who asks: a program with a token, of ours or of an issuer that is trusted, or (in labs, at a loopback address) anybody.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use rackhand_core::{
    config::{self, ApiAuth, ApiJwt},
    model::{Actor, Role},
    secret::Secret,
};

use super::{
    Api, Problem,
    jwt::{Jwt, KeyError},
};

/// No token of ours is longer, nor a name and a token as Basic writes them.
const LONGEST_TOKEN: usize = 200;

/// How callers prove who they are.
#[derive(Clone, Debug)]
pub enum Auth {
    /// By a token of ours.
    Token,
    /// By a token of ours, which may come as name and password.
    Basic,
    /// By a JSON Web Token.
    Jwt(Arc<Jwt>),
    /// Not at all.
    None,
}

impl Auth {
    /// As the settings have it.
    ///
    /// # Errors
    /// A key that they name is none.
    pub fn configured(api: &config::Api, jwt: &ApiJwt) -> Result<Self, KeyError> {
        Ok(match api.auth {
            ApiAuth::Token => Self::Token,
            ApiAuth::Basic => Self::Basic,
            ApiAuth::Jwt => Self::Jwt(Arc::new(Jwt::open(jwt)?)),
            ApiAuth::None => Self::None,
        })
    }
}

/// Who asks; among the extensions of every request that was let in.
#[derive(Clone, Debug)]
pub struct Caller(pub Actor);

/// Lets in whoever is known and not too fast.
pub(super) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let actor = actor(&api, request.headers()).await.map_err(|problem| challenge(&api.auth, problem))?;
    api.limiter.take(&actor)?;
    request.extensions_mut().insert(Caller(actor));
    Ok(next.run(request).await)
}

async fn actor(api: &Api, headers: &HeaderMap) -> Result<Actor, Problem> {
    if matches!(api.auth, Auth::None) {
        return local(headers);
    }
    let expected = || Problem::unknown_caller("one header `Authorization: Bearer …` is expected, with a token");
    let (scheme, given) = credentials(headers).ok_or_else(expected)?;
    let is = |word: &str| scheme.eq_ignore_ascii_case(word);
    match &api.auth {
        Auth::Token | Auth::Basic if is("Bearer") => bearer(api, given).await,
        Auth::Basic if is("Basic") => basic(api, headers, given).await,
        Auth::Jwt(jwt) if is("Bearer") => {
            jwt.actor(given, api.ops.clock.now()).map_err(|why| Problem::unknown_caller(&why))
        }
        _ => Err(expected()),
    }
}

/// The scheme of the one header `Authorization`, and what is after it.
fn credentials(headers: &HeaderMap) -> Option<(&str, &str)> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, given) = value.to_str().ok()?.split_once(' ')?;
    Some((scheme, given.trim()))
}

/// Tells whoever is not known how else they may come.
fn challenge(auth: &Auth, problem: Problem) -> Problem {
    if !matches!(auth, Auth::Basic) || problem.status != StatusCode::UNAUTHORIZED {
        return problem;
    }
    let realm = HeaderValue::from_static("Basic realm=\"rackhand\", charset=\"UTF-8\"");
    problem.with(header::WWW_AUTHENTICATE, realm)
}

async fn bearer(api: &Api, token: &str) -> Result<Actor, Problem> {
    let unknown = || Problem::unknown_caller("this token is unknown, revoked or too old");
    if token.len() > LONGEST_TOKEN {
        return Err(unknown());
    }
    api.ops.bearer(&Secret::new(token)).await?.ok_or_else(unknown)
}

/// A token's name and its secret (RFC 7617). A browser remembers them and sends them along for whichever page asks it
/// to, so that pages from elsewhere are refused.
async fn basic(api: &Api, headers: &HeaderMap, given: &str) -> Result<Actor, Problem> {
    let elsewhere = match headers.get("sec-fetch-site") {
        Some(site) => site != "same-origin" && site != "none",
        None => headers.contains_key(header::ORIGIN),
    };
    if elsewhere {
        let detail = "a page from elsewhere cannot use the name and password that this browser knows";
        return Err(Problem::new(StatusCode::FORBIDDEN, "strange-origin", detail));
    }
    let unknown = || Problem::unknown_caller("no token has this name and this secret, or it is revoked or too old");
    let text = Some(given).filter(|given| given.len() <= LONGEST_TOKEN);
    let text = text.and_then(|given| String::from_utf8(BASE64_STANDARD.decode(given).ok()?).ok());
    let text = text.map(Secret::new).ok_or_else(unknown)?;
    let (name, secret) = text.expose().split_once(':').ok_or_else(unknown)?;
    let actor = api.ops.bearer(&Secret::new(secret)).await?;
    actor.filter(|actor| actor.name == name).ok_or_else(unknown)
}

/// Whoever is on this machine. A page in a browser is not: neither one that leads a name of its own to this machine, nor
/// one from elsewhere that sends a form here.
fn local(headers: &HeaderMap) -> Result<Actor, Problem> {
    let stranger = |name| headers.get(name).is_some_and(|value| !value.to_str().is_ok_and(is_loopback));
    if stranger(header::HOST) || stranger(header::ORIGIN) {
        let detail = "without tokens only this machine's own names are answered: localhost, 127.0.0.1 or [::1]";
        return Err(Problem::new(StatusCode::FORBIDDEN, "strange-host", detail));
    }
    Ok(Actor::program("local".to_owned(), Role::Admin, None))
}

/// Whether `host:port`, with or without a scheme, is a loopback name.
fn is_loopback(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, host)| host);
    let port = |text: &str| text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let names = ["localhost", "127.0.0.1", "[::1]"];
    names.iter().any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || port(rest)))
}
