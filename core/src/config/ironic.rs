//! Which settings of the section `ironic` go together.

use super::{
    problem::Problem,
    settings::{Ironic, IronicAuth},
};

/// Settings that are right each by itself and wrong together: a login is there as a whole or not at all, and there is
/// one.
pub(super) fn contradictions(ironic: &Ironic) -> Vec<Problem> {
    let named = (ironic.username.is_some(), ironic.password.is_some());
    let application = (ironic.application_id.is_some(), ironic.application_secret.is_some());
    let (url, keystone) = (ironic.url.is_some(), ironic.keystone_url.is_some());
    match ironic.auth {
        IronicAuth::None => {
            let set = [
                ("ironic.username", named.0),
                ("ironic.password", named.1),
                ("ironic.keystone_url", keystone),
                ("ironic.application_id", application.0),
                ("ironic.application_secret", application.1),
            ];
            let first = set.iter().find(|(_, is_set)| *is_set);
            let problem = first.map(|(path, _)| {
                Problem::new("ironic.auth", "none", format!("basic or keystone, because {path} is set"))
            });
            problem.into_iter().collect()
        }
        IronicAuth::Basic => missing([
            ("ironic.url", url, "Ironic's address"),
            ("ironic.username", named.0, "our name at Ironic"),
            ("ironic.password", named.1, "the password that belongs to it"),
        ]),
        IronicAuth::Keystone if application == (false, false) => missing([
            ("ironic.keystone_url", keystone, "Keystone's address"),
            ("ironic.username", named.0, "our name at Keystone (or ironic.application_id)"),
            ("ironic.password", named.1, "the password that belongs to it"),
        ]),
        IronicAuth::Keystone => {
            let mut problems = missing([
                ("ironic.keystone_url", keystone, "Keystone's address"),
                ("ironic.application_id", application.0, "the credential that the secret belongs to"),
                ("ironic.application_secret", application.1, "the secret that belongs to ironic.application_id"),
            ]);
            if named != (false, false) {
                let expected = "no name and password beside an application credential";
                problems.push(Problem::new("ironic.username", "a second login", expected));
            }
            problems
        }
    }
}

fn missing(needed: [(&str, bool, &str); 3]) -> Vec<Problem> {
    let missing = needed.into_iter().filter(|(_, is_set, _)| !is_set);
    missing.map(|(path, _, expected)| Problem::new(path, "nothing", expected)).collect()
}
