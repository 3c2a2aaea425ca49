//! The table of operations as routes.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State},
    routing::{MethodFilter, MethodRouter, on},
};
use rackhand_core::ops::{Entry, Method, Rest, table};

use super::{Api, Caller, call};

/// Where the routes of the table are: the first is the one that documents name, the others are aliases.
pub(super) const PREFIXES: [&str; 3] = ["/api/v1", "/api", ""];

/// A route: one operation, or several that a PATCH chooses from by its body.
#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) offers: Vec<Offer>,
    /// What GET shows at the same path, where this route changes it.
    pub(super) reading: Option<Offer>,
}

/// An operation at a route.
#[derive(Clone, Copy)]
pub(super) struct Offer {
    pub(super) entry: &'static Entry,
    pub(super) rest: Rest,
}

/// Every route, by path and method.
pub(super) fn routes() -> Vec<Route> {
    let mut all: BTreeMap<(&'static str, Method), Vec<Offer>> = BTreeMap::new();
    for entry in table() {
        for rest in entry.spec.rest {
            all.entry((rest.path, rest.method)).or_default().push(Offer { entry, rest: *rest });
        }
    }
    let reading = |path| all.get(&(path, Method::Get)).and_then(|offers| offers.first()).copied();
    let route = |(&(path, method), offers): (&(&'static str, Method), &Vec<Offer>)| {
        let mut offers = offers.clone();
        // Whichever asks for nothing special takes what is left.
        offers.sort_by_key(|offer| offer.rest.when.is_none());
        let changes = matches!(method, Method::Patch | Method::Delete);
        Route { method, path, offers, reading: reading(path).filter(|_| changes) }
    };
    all.iter().map(route).collect()
}

/// Every route under every prefix.
pub(super) fn operations() -> Router<Api> {
    let mut router = Router::new();
    for route in routes() {
        let route = Arc::new(route);
        for prefix in PREFIXES {
            router = router.route(&format!("{prefix}{}", route.path), handler(&route));
        }
    }
    router
}

fn handler(route: &Arc<Route>) -> MethodRouter<Api> {
    let filter = match route.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    let route = route.clone();
    on(filter, async move |State(api): State<Api>, Extension(caller): Extension<Caller>, request: Request| {
        call::call(&api, &caller, &route, request).await
    })
}
