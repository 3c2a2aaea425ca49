//! A page for people: `/openapi.json` made readable, without anything from elsewhere.
//!
//! The page itself holds nothing of this installation and needs no token; whoever reads it types theirs there.

use axum::{
    Router,
    http::{HeaderName, header},
    routing::get,
};

use super::Api;

/// Only our own files, and only what they ask of us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// The page and its two files.
pub(super) fn docs() -> Router<Api> {
    let files = [
        ("/docs", "text/html; charset=utf-8", include_str!("docs/page.html")),
        ("/docs/page.css", "text/css; charset=utf-8", include_str!("docs/page.css")),
        ("/docs/page.js", "text/javascript; charset=utf-8", include_str!("docs/page.js")),
    ];
    files.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, "no-cache"),
            (HeaderName::from_static("referrer-policy"), "no-referrer"),
        ];
        router.route(path, get(async move || (headers, text)))
    })
}
