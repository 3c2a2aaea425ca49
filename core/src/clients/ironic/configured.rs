//! A client as the configuration says.

use std::{fs, io::Read, path::Path};

use super::{Auth, Credential, Ironic, IronicError, Keystone, LIMITS, Scope};
use crate::{
    clients::http::{self, Trust},
    clock::SharedClock,
    config::{self, IronicAuth},
    secret::Secret,
};

/// The longest file of certificates that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

impl Ironic {
    /// The client of the Ironic that `settings` name; none where they name none. Reads the file of certificates, and
    /// asks nothing yet.
    pub fn configured(settings: &config::Ironic, clock: SharedClock) -> Result<Option<Self>, IronicError> {
        let Some(auth) = auth(settings) else { return Ok(None) };
        let trust = settings.ca_file.as_deref().map(certificates).transpose()?.unwrap_or_default();
        let http = http::client_trusting(LIMITS, trust).map_err(|source| IronicError::BadTls { source })?;
        Self::new(http, settings.url.as_deref(), auth, clock).map(Some)
    }
}

/// How we log in; none where there is no Ironic.
fn auth(settings: &config::Ironic) -> Option<Auth> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let secret = |secret: &Option<Secret>| secret.clone().unwrap_or_else(|| Secret::new(""));
    match settings.auth {
        IronicAuth::None => settings.url.is_some().then_some(Auth::None),
        IronicAuth::Basic => {
            Some(Auth::Basic { username: text(&settings.username), password: secret(&settings.password) })
        }
        IronicAuth::Keystone => Some(Auth::Keystone(Keystone {
            auth_url: text(&settings.keystone_url),
            credential: match &settings.application_id {
                Some(id) => Credential::Application { id: id.clone(), secret: secret(&settings.application_secret) },
                None => Credential::Password {
                    username: text(&settings.username),
                    user_domain: settings.user_domain.clone(),
                    password: secret(&settings.password),
                    scope: scope(settings),
                },
            },
            region: settings.region.clone(),
            interface: settings.interface,
        })),
    }
}

fn scope(settings: &config::Ironic) -> Scope {
    let domain = settings.project_domain.clone();
    settings.project.clone().map_or(Scope::System, |name| Scope::Project { name, domain })
}

fn certificates(path: &Path) -> Result<Trust, IronicError> {
    let bad = |reason: String| IronicError::BadCa { path: path.display().to_string(), reason };
    let mut pem = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut pem));
    read.map_err(|error| bad(error.to_string()))?;
    Trust::from_pem(&pem).ok_or_else(|| bad("no certificates in PEM".to_owned()))
}
