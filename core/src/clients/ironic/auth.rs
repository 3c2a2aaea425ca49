//! How Ironic knows us.

pub use crate::config::IronicInterface as Interface;
use crate::secret::Secret;

/// How Ironic knows us.
#[derive(Clone, Debug)]
pub enum Auth {
    /// It asks nobody who they are.
    None,
    /// By a name and a password of its own.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// By a token of Keystone, OpenStack's register of people and services.
    Keystone(Keystone),
}

/// An account at Keystone.
#[derive(Clone, Debug)]
pub struct Keystone {
    /// Such as `https://cloud.example.net:5000/v3`; with or without the `/v3`.
    pub auth_url: String,
    /// Who we are.
    pub credential: Credential,
    /// The region whose Ironic is meant, where there are several.
    pub region: Option<String>,
    /// Which of Ironic's addresses is taken from the catalogue.
    pub interface: Interface,
}

/// Who we are at Keystone.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A user with a password.
    Password {
        /// The user's name.
        username: String,
        /// The name of the domain that the user is in; `Default`, mostly.
        user_domain: String,
        /// The password.
        password: Secret,
        /// What the user wants to act on.
        scope: Scope,
    },
    /// An application credential, which carries its own scope.
    Application {
        /// Its identity.
        id: String,
        /// Its secret.
        secret: Secret,
    },
}

/// What a user of Keystone acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole cloud.
    System,
    /// One project.
    Project {
        /// Its name.
        name: String,
        /// The name of the domain that it is in; `Default`, mostly.
        domain: String,
    },
}
