//! Who asks: a program with a token, or (in labs, at a loopback address) anybody.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};
use rackhand_core::{
    config::ApiAuth,
    model::{Actor, ActorKind, Role},
    secret::Secret,
};

use super::{Api, Problem};

/// No token of ours is longer.
const LONGEST_TOKEN: usize = 200;

/// Who asks; among the extensions of every request that was let in.
#[derive(Clone, Debug)]
pub struct Caller(pub Actor);

/// Lets in whoever is known and not too fast.
pub(super) async fn admit(State(api): State<Api>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let actor = match api.auth {
        ApiAuth::Token => bearer(&api, request.headers()).await?,
        ApiAuth::None => local(request.headers())?,
    };
    api.limiter.take(&actor)?;
    request.extensions_mut().insert(Caller(actor));
    Ok(next.run(request).await)
}

async fn bearer(api: &Api, headers: &HeaderMap) -> Result<Actor, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Problem::unknown_caller("one header `Authorization: Bearer …` is expected, with a token"));
    };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = token.filter(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST_TOKEN);
    let Some((_, token)) = token else {
        return Err(Problem::unknown_caller("`Authorization: Bearer …` is expected, with a token"));
    };
    let actor = api.ops.bearer(&Secret::new(token.trim())).await?;
    actor.ok_or_else(|| Problem::unknown_caller("this token is unknown, revoked or too old"))
}

/// Whoever is on this machine. A page in a browser is not: neither one that leads a name of its own to this machine, nor
/// one from elsewhere that sends a form here.
fn local(headers: &HeaderMap) -> Result<Actor, Problem> {
    let stranger = |name| headers.get(name).is_some_and(|value| !value.to_str().is_ok_and(is_loopback));
    if stranger(header::HOST) || stranger(header::ORIGIN) {
        let detail = "without tokens only this machine's own names are answered: localhost, 127.0.0.1 or [::1]";
        return Err(Problem::new(StatusCode::FORBIDDEN, "strange-host", detail));
    }
    Ok(Actor {
        kind: ActorKind::Token,
        role: Role::Admin,
        user: None,
        token: None,
        name: "local".to_owned(),
        telegram_id: None,
    })
}

/// Whether `host:port`, with or without a scheme, is a loopback name.
fn is_loopback(text: &str) -> bool {
    let host = text.split_once("://").map_or(text, |(_, host)| host);
    let port = |text: &str| text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let names = ["localhost", "127.0.0.1", "[::1]"];
    names.iter().any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || port(rest)))
}
