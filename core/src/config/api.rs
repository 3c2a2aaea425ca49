//! Which settings of the sections `api` and `api.jwt` go together.

use super::{
    problem::Problem,
    settings::{Api, ApiAuth, ApiJwt},
};

/// Settings that are right each by itself and wrong together: a door for everybody is opened to this machine only, and
/// whose tokens are trusted is said as a whole or not at all.
pub(super) fn contradictions(api: &Api, jwt: &ApiJwt) -> Vec<Problem> {
    match (api.auth, api.listen) {
        (ApiAuth::Jwt, _) => unsaid(jwt),
        (_, _) if jwt.key_file.is_some() => {
            vec![Problem::new("api.auth", "another way in", "jwt, because api.jwt.key_file is set")]
        }
        (ApiAuth::None, Some(listen)) if !listen.ip().is_loopback() => vec![Problem::new(
            "api.listen",
            listen.to_string(),
            "a loopback address such as 127.0.0.1:8080, because api.auth is \"none\": whoever reaches it is an admin",
        )],
        _ => Vec::new(),
    }
}

fn unsaid(jwt: &ApiJwt) -> Vec<Problem> {
    let needed = [
        ("api.jwt.key_file", jwt.key_file.is_some(), "the file of the key that proves who made a token"),
        ("api.jwt.issuer", jwt.issuer.is_some(), "who makes the tokens, as their `iss` says it"),
        ("api.jwt.audience", jwt.audience.is_some(), "whom they are for, as their `aud` says it"),
    ];
    let unsaid = needed.into_iter().filter(|(_, is_set, _)| !is_set);
    unsaid
        .map(|(path, _, expected)| Problem::new(path, "nothing", format!("{expected}, because api.auth is \"jwt\"")))
        .collect()
}
