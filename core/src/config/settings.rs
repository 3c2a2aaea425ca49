//! The table of settings. One entry gives a field of the typed result with its documentation, the key in the file, the
//! variable in the environment, what is accepted, and the default (written as in the file, read by the same parser).

use std::{marker::PhantomData, net::SocketAddr, path::PathBuf, time::Duration};

use strum::{Display, EnumString, VariantNames};

use super::{
    database::DatabaseUrl,
    glob::Glob,
    kind::{
        Address, Database, FilePath, Flag, Globs, HttpUrl, Kind, Millis, OneOf, Optional, Seconds, SecretText, Text,
        Texts, Whole,
    },
    reader::Reader,
};
use crate::secret::Secret;

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The table of the file; empty for its top level.
    pub(super) section: &'static str,
    pub(super) key: &'static str,
    pub(super) env: &'static str,
    /// As it would stand in the file.
    pub(super) default: &'static str,
    pub(super) help: &'static str,
    pub(super) expects: String,
    pub(super) secret: bool,
}

impl Setting {
    /// `section.key`, the name that messages use.
    pub(super) fn path(&self) -> String {
        if self.section.is_empty() { self.key.to_owned() } else { format!("{}.{}", self.section, self.key) }
    }
}

/// A section of the file and what it is about.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) settings: Vec<Setting>,
}

macro_rules! settings {
    ($(
        #[doc = $about:literal]
        [$section:literal] $Struct:ident {
            $(
                $(#[doc = $help:literal])+
                $field:ident: $type:ty, $key:literal, $env:literal, $kind:expr, $default:literal;
            )+
        }
    )+) => {
        $(
            #[doc = $about]
            #[derive(Clone, Debug)]
            pub struct $Struct {
                $( $(#[doc = $help])+ pub $field: $type, )+
            }

            impl $Struct {
                fn rows() -> Vec<Setting> {
                    vec![$( Setting {
                        section: $section,
                        key: $key,
                        env: $env,
                        default: $default,
                        help: concat!($($help, "\n"),+),
                        expects: $kind.expects(),
                        secret: $kind.secret(),
                    } ),+]
                }

                /// Reads every setting of the section, so that all problems are seen, and only then asks for them all.
                pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
                    let mut rows = Self::rows().into_iter();
                    $( let $field = rows.next().and_then(|row| reader.read(&row, &$kind)); )+
                    Some(Self { $( $field: $field? ),+ })
                }
            }
        )+

        /// All sections, in the order of the file.
        pub(super) fn sections() -> Vec<Section> {
            vec![$( Section { name: $section, about: $about, settings: $Struct::rows() } ),+]
        }
    };
}

settings! {
    /// Where things are kept.
    [""] Root {
        /// The directory that holds what Rackhand makes: the database, keys, working files. Back it up as a whole.
        /// `{data_dir}` stands for it in the other paths.
        data_dir: PathBuf, "data_dir", "RACKHAND_DATA_DIR", FilePath, r#""./data""#;
        /// The database: one file for one process, or PostgreSQL for any number of replicas.
        database_url: DatabaseUrl, "database_url", "DATABASE_URL", Database, r#""sqlite:{data_dir}/rackhand.db""#;
        /// The key that secrets are encrypted with, made at the first start. Without it nothing encrypted can be read
        /// again: back it up, apart from the database. Replicas share one.
        master_key_file: PathBuf, "master_key_file", "RACKHAND_MASTER_KEY_FILE", FilePath, r#""{data_dir}/master.key""#;
    }

    /// The bot's account.
    ["telegram"] Telegram {
        /// The bot's token, as @BotFather gives it. Without one there is no bot.
        token: Option<Secret>, "token", "TELEGRAM_BOT_TOKEN", Optional(SecretText), r#""""#;
        /// The Bot API server: Telegram's own, or one that you run.
        api_url: String, "api_url", "TELEGRAM_API_URL", HttpUrl, r#""https://api.telegram.org""#;
    }

    /// The account at Time4VPS, the provider of rented servers.
    ["time4vps"] Time4Vps {
        /// The account's name. Without one no servers are looked for.
        username: Option<String>, "username", "TIME4VPS_USERNAME", Optional(Text), r#""""#;
        /// The account's password.
        password: Option<Secret>, "password", "TIME4VPS_PASSWORD", Optional(SecretText), r#""""#;
        /// The provider's interface.
        base_url: String, "base_url", "TIME4VPS_BASE_URL", HttpUrl, r#""https://billing.time4vps.com/api""#;
    }

    /// The OpenStack Ironic that drives our bare machines.
    ["ironic"] Ironic {
        /// Its address, such as `https://ironic.example.net:6385`. Left out, it is taken from Keystone's catalogue;
        /// without Keystone there is no Ironic then.
        url: Option<String>, "url", "IRONIC_URL", Optional(HttpUrl), r#""""#;
        /// How it knows us: it asks nobody, or by a name and a password of its own, or by Keystone.
        auth: IronicAuth, "auth", "IRONIC_AUTH", OneOf(PhantomData::<IronicAuth>), r#""none""#;
        /// The certificates of the authorities that Ironic and Keystone are trusted by, as a PEM file, beside those that
        /// this machine trusts anyway.
        ca_file: Option<PathBuf>, "ca_file", "IRONIC_CA_FILE", Optional(FilePath), r#""""#;
        /// Our name at Ironic, or at Keystone.
        username: Option<String>, "username", "IRONIC_USERNAME", Optional(Text), r#""""#;
        /// The password that belongs to it.
        password: Option<Secret>, "password", "IRONIC_PASSWORD", Optional(SecretText), r#""""#;
        /// Keystone's address, such as `https://keystone.example.net:5000`.
        keystone_url: Option<String>, "keystone_url", "IRONIC_KEYSTONE_URL", Optional(HttpUrl), r#""""#;
        /// The domain at Keystone that our name is in.
        user_domain: String, "user_domain", "IRONIC_USER_DOMAIN", Text, r#""Default""#;
        /// The project at Keystone that owns the machines. Left out, we act on the whole cloud (system scope).
        project: Option<String>, "project", "IRONIC_PROJECT", Optional(Text), r#""""#;
        /// The domain at Keystone that the project is in.
        project_domain: String, "project_domain", "IRONIC_PROJECT_DOMAIN", Text, r#""Default""#;
        /// An application credential of Keystone's, by its identity, in place of name, password and project.
        application_id: Option<String>, "application_id", "IRONIC_APPLICATION_ID", Optional(Text), r#""""#;
        /// The secret that belongs to it.
        application_secret: Option<Secret>, "application_secret", "IRONIC_APPLICATION_SECRET",
            Optional(SecretText), r#""""#;
        /// The region in Keystone's catalogue whose Ironic is meant. Left out, the first.
        region: Option<String>, "region", "IRONIC_REGION", Optional(Text), r#""""#;
        /// Which of the addresses in Keystone's catalogue is meant.
        interface: IronicInterface, "interface", "IRONIC_INTERFACE", OneOf(PhantomData::<IronicInterface>),
            r#""public""#;
        /// The image that the chat installs on a node where nobody names one: its id or name in Glance, or its URL, with
        /// its checksum behind a `#`.
        image: Option<String>, "image", "IRONIC_IMAGE", Optional(Text), r#""""#;
    }

    /// How servers are logged in to.
    ["ssh"] Ssh {
        /// The public key that is installed on servers, as one line of `authorized_keys`. Left out, it is taken from
        /// the private key.
        public_key: Option<String>, "public_key", "ORCHESTRATOR_SSH_PUBLIC_KEY", Optional(Text), r#""""#;
        /// The private key that belongs to it.
        private_key_path: PathBuf, "private_key_path", "ORCHESTRATOR_SSH_PRIVATE_KEY_PATH", FilePath,
            r#""{data_dir}/ssh/id_ed25519""#;
        /// The port of sshd on servers.
        port: u16, "port", "RACKHAND_SSH_PORT", Whole { min: 1, max: 65_535 }, "22";
        /// How long a server may take until it lets us in.
        await_limit: Duration, "await_limit_s", "RACKHAND_SSH_AWAIT_LIMIT_S", Seconds { min: 1.0, max: 3600.0 }, "300";
        /// How often it is tried meanwhile.
        poll: Duration, "poll_s", "RACKHAND_SSH_POLL_S", Seconds { min: 0.01, max: 300.0 }, "3";
    }

    /// How playbooks are run.
    ["ansible"] Ansible {
        /// The program `ansible-playbook`; left out, the one in PATH.
        bin: Option<PathBuf>, "bin", "RACKHAND_ANSIBLE_BIN", Optional(FilePath), r#""""#;
    }

    /// Which servers are ours to touch, and what is put on them.
    ["fleet"] Fleet {
        /// Servers that are managed as soon as they are seen, by handle: `*` any characters, `?` one. All others wait
        /// until an admin says so, and are not touched before.
        managed: Vec<Glob>, "managed", "RACKHAND_FLEET_MANAGED", Globs, "[]";
        /// The provider's name of the system that a reinstall puts on a server, such as kvm-ubuntu-24.04-gpt-x86_64.
        /// Left out, each server keeps the system that it has.
        reinstall_os: Option<String>, "reinstall_os", "RACKHAND_FLEET_REINSTALL_OS", Optional(Text), r#""""#;
    }

    /// How the provider's list is compared with ours.
    ["sync"] Sync {
        /// How often. Each comparison costs calls of the provider's rate limit.
        interval: Duration, "interval_s", "RACKHAND_SYNC_INTERVAL_S", Seconds { min: 1.0, max: 86_400.0 }, "60";
    }

    /// The limits of setting up one server.
    ["provisioning"] Provisioning {
        /// How long one run of a playbook may take; then it is stopped.
        timeout: Duration, "timeout_s", "PROVISIONING_TIMEOUT", Seconds { min: 1.0, max: 86_400.0 }, "600";
        /// How many attempts a server gets in one episode before a person is asked.
        max_retries: u32, "max_retries", "PROVISIONING_MAX_RETRIES", Whole { min: 1, max: 100 }, "3";
        /// How often the provider is asked whether a password reset is done.
        reset_poll: Duration, "reset_poll_s", "PASSWORD_RESET_POLL_INTERVAL", Seconds { min: 0.01, max: 300.0 }, "5";
        /// How long a password reset may take.
        reset_limit: Duration, "reset_limit_s", "RACKHAND_RESET_LIMIT_S", Seconds { min: 1.0, max: 86_400.0 }, "300";
        /// How often the provider is asked whether a reinstall is done.
        reinstall_poll: Duration, "reinstall_poll_s", "RACKHAND_REINSTALL_POLL_S",
            Seconds { min: 0.01, max: 300.0 }, "10";
        /// How long a reinstall may take; the provider needs 10 to 15 minutes.
        reinstall_limit: Duration, "reinstall_limit_s", "RACKHAND_REINSTALL_LIMIT_S",
            Seconds { min: 1.0, max: 86_400.0 }, "1800";
        /// How long a request whose answer was lost may still be on its way; only then is it sent again.
        settle: Duration, "settle_s", "RACKHAND_SETTLE_S", Seconds { min: 0.1, max: 600.0 }, "60";
    }

    /// How a person allows what destroys.
    ["approvals"] Approvals {
        /// How long a question stays open.
        expires: Duration, "expires_s", "RACKHAND_APPROVALS_EXPIRES_S", Seconds { min: 10.0, max: 86_400.0 }, "900";
        /// How long before its end the person is reminded.
        warn_before: Duration, "warn_before_s", "RACKHAND_APPROVALS_WARN_BEFORE_S",
            Seconds { min: 0.0, max: 86_400.0 }, "120";
        /// Whether somebody else than the one who asked must approve.
        two_persons: bool, "two_persons", "RACKHAND_APPROVALS_TWO_PERSONS", Flag, "false";
    }

    /// How fast people may be written to. Telegram takes 30 messages a second, 1 to one chat, 20 a minute to a group.
    ["notify"] Notify {
        /// Messages to one person in an hour; what is over goes into one digest. Critical ones are not counted.
        rate_limit: u32, "rate_limit", "NOTIFICATION_RATE_LIMIT", Whole { min: 1, max: 10_000 }, "10";
        /// Messages in a second, to everybody together.
        per_second: u32, "per_second", "RACKHAND_NOTIFY_PER_SECOND", Whole { min: 1, max: 1000 }, "30";
        /// Messages in a second to one chat.
        chat_per_second: u32, "chat_per_second", "RACKHAND_NOTIFY_CHAT_PER_SECOND", Whole { min: 1, max: 100 }, "1";
        /// Messages in a minute to one group.
        group_per_minute: u32, "group_per_minute", "RACKHAND_NOTIFY_GROUP_PER_MINUTE",
            Whole { min: 1, max: 1000 }, "20";
    }

    /// The job engine.
    ["work"] Work {
        /// Jobs that this process runs at once. One that waits is not counted.
        workers: usize, "workers", "RACKHAND_WORKERS", Whole { min: 1, max: 1024 }, "4";
        /// How long a job belongs to a worker that shows no sign of life.
        lease: Duration, "lease_s", "RACKHAND_WORK_LEASE_S", Seconds { min: 3.0, max: 3600.0 }, "30";
        /// How often an idle worker looks for a job.
        poll: Duration, "poll_ms", "RACKHAND_WORK_POLL_MS", Millis { min: 10, max: 60_000 }, "500";
        /// How long a stop waits for the steps that run.
        stop_grace: Duration, "stop_grace_s", "RACKHAND_WORK_STOP_GRACE_S", Seconds { min: 0.0, max: 600.0 }, "10";
    }

    /// The door for programs: REST.
    ["api"] Api {
        /// Where it listens, such as 127.0.0.1:8080. Left out, no port is opened.
        listen: Option<SocketAddr>, "listen", "RACKHAND_API_LISTEN", Optional(Address), r#""""#;
        /// Who may come in: `token`, whoever has one (`rackhand token create`); `basic`, the same, and also by name and
        /// password, which are the token's name and its secret; `jwt`, whoever has a JSON Web Token of an issuer that the
        /// section `api.jwt` trusts; `none`, everybody on this machine, as an admin, for labs: it listens at a loopback
        /// address only.
        auth: ApiAuth, "auth", "RACKHAND_API_AUTH", OneOf(PhantomData::<ApiAuth>), r#""token""#;
        /// Requests that one token may make in a minute; a burst of as many is taken at once.
        requests_per_minute: u32, "requests_per_minute", "RACKHAND_API_REQUESTS_PER_MINUTE",
            Whole { min: 1, max: 1_000_000 }, "600";
    }

    /// Whose JSON Web Tokens are trusted, where `api.auth` is `jwt`; each says its `sub` (`jwt:SUB` in the audit) and `exp`.
    ["api.jwt"] ApiJwt {
        /// The file with the key that proves who made a token: for RS256, ES256 and EdDSA a public key in PEM (or several,
        /// while they change), for HS256 a secret of at least 32 bytes, which nobody but the file's owner may read.
        key_file: Option<PathBuf>, "key_file", "RACKHAND_API_JWT_KEY_FILE", Optional(FilePath), r#""""#;
        /// How tokens must be signed, whatever they say of themselves.
        algorithm: JwtAlgorithm, "algorithm", "RACKHAND_API_JWT_ALGORITHM", OneOf(PhantomData::<JwtAlgorithm>),
            r#""RS256""#;
        /// Who makes them: their `iss`, exactly.
        issuer: Option<String>, "issuer", "RACKHAND_API_JWT_ISSUER", Optional(Text), r#""""#;
        /// Whom they are for: their `aud`, or one of several there.
        audience: Option<String>, "audience", "RACKHAND_API_JWT_AUDIENCE", Optional(Text), r#""""#;
        /// Their claim that says the role: viewer, operator or admin. Whoever has none is refused.
        role_claim: String, "role_claim", "RACKHAND_API_JWT_ROLE_CLAIM", Text, r#""rackhand_role""#;
    }

    /// The door for language models: MCP, at `/mcp` beside REST.
    ["mcp"] Mcp {
        /// The names (`host` or `host:port`) by which it may be called, beside the address at `api.listen`: a request
        /// to another name is refused, because any web page can give a name of its own to this machine.
        allowed_hosts: Vec<String>, "allowed_hosts", "RACKHAND_MCP_ALLOWED_HOSTS", Texts, "[]";
        /// The web pages (`https://host:port`) that may call it; all others are refused, programs are not asked.
        allowed_origins: Vec<String>, "allowed_origins", "RACKHAND_MCP_ALLOWED_ORIGINS", Texts, "[]";
    }

    /// What the process says about itself, on standard error.
    ["log"] Log {
        /// What is logged, as tracing has it: `info`, or `warn,rackhand_core=debug`.
        filter: String, "filter", "RACKHAND_LOG", Text, r#""info""#;
        /// One line for a person, or one JSON object for a machine.
        format: LogFormat, "format", "RACKHAND_LOG_FORMAT", OneOf(PhantomData::<LogFormat>), r#""text""#;
    }
}

/// How Ironic knows us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum IronicAuth {
    /// It asks nobody who they are.
    None,
    /// By a name and a password of its own.
    Basic,
    /// By a token of Keystone, OpenStack's register of people and services.
    Keystone,
}

/// Which of a service's addresses in Keystone's catalogue is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Display, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum IronicInterface {
    /// For everybody.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For those who run it.
    Admin,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// How programs prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum ApiAuth {
    /// By a token.
    Token,
    /// By a token, which may come as name and password.
    Basic,
    /// By a JSON Web Token of an issuer that is trusted.
    Jwt,
    /// Not at all.
    None,
}

/// How a JSON Web Token is signed (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, VariantNames)]
pub enum JwtAlgorithm {
    /// RSA with SHA-256, as PKCS#1 1.5 has it.
    #[strum(serialize = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[strum(serialize = "ES256")]
    Es256,
    /// Ed25519.
    #[strum(serialize = "EdDSA")]
    EdDsa,
    /// HMAC with SHA-256: whoever can check it can make it.
    #[strum(serialize = "HS256")]
    Hs256,
}
