//! The configuration: what is read from where, and what is said of mistakes.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use rackhand_core::config::{Config, ConfigErrors, DatabaseUrl, JwtAlgorithm, LogFormat, docs, example, load};

use crate::harness::assert_generated;

/// A configuration file with mode 0600 in a directory of its own.
struct ConfigFile {
    dir: tempfile::TempDir,
}

impl ConfigFile {
    fn new(text: &str) -> Self {
        let file = Self { dir: tempfile::tempdir().unwrap() };
        file.add("rackhand.toml", text);
        file
    }

    fn add(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("rackhand.toml")
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        load(environment(env), Some(self.path()))
    }

    /// The texts of all problems, with the directory cut out.
    fn problems(&self, env: &[(&str, &str)]) -> Vec<String> {
        let dir = format!("{}/", self.dir.path().display());
        self.load(env).unwrap_err().0.iter().map(|problem| problem.to_string().replace(&dir, "")).collect()
    }
}

fn environment(pairs: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> + use<> {
    let map: HashMap<String, String> = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    move |name| map.get(name).cloned()
}

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let config = ConfigFile::new("").load(&[]).unwrap();
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.database_url, DatabaseUrl::Sqlite("./data/rackhand.db".into()));
    assert_eq!(config.master_key_file, PathBuf::from("./data/master.key"));
    assert_eq!(config.telegram.token, None);
    assert_eq!(config.telegram.api_url, "https://api.telegram.org");
    assert_eq!(config.time4vps.base_url, "https://billing.time4vps.com/api");
    assert_eq!(config.ssh.private_key_path, PathBuf::from("./data/ssh/id_ed25519"));
    assert_eq!((config.ssh.port, config.ansible.bin), (22, None));
    assert_eq!((config.fleet.managed.len(), config.fleet.reinstall_os), (0, None));
    assert_eq!(config.sync.interval, Duration::from_mins(1));
    assert_eq!(config.provisioning.timeout, Duration::from_mins(10));
    assert_eq!(config.provisioning.max_retries, 3);
    assert_eq!(config.work.poll, Duration::from_millis(500));
    assert!(!config.approvals.two_persons);
    assert_eq!(config.log.format, LogFormat::Text);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_environment_wins_over_the_file_and_needs_none() {
    let env = [
        ("RACKHAND_CONFIG", "/dev/null"),
        ("RACKHAND_DATA_DIR", "/var/lib/rackhand"),
        ("PROVISIONING_TIMEOUT", " 90.5 "),
        ("PROVISIONING_MAX_RETRIES", "5"),
        ("TIME4VPS_USERNAME", "12345"),
        ("TIME4VPS_PASSWORD", "true"),
        ("RACKHAND_FLEET_MANAGED", "vps-1*, web?"),
        ("RACKHAND_APPROVALS_TWO_PERSONS", "true"),
        ("RACKHAND_LOG_FORMAT", "json"),
        ("TELEGRAM_BOT_TOKEN", ""),
    ];
    let config = load(environment(&env), None).unwrap();
    assert_eq!(config.database_url.to_string(), "sqlite:/var/lib/rackhand/rackhand.db");
    assert_eq!(config.provisioning.timeout, Duration::from_millis(90_500));
    assert_eq!(config.provisioning.max_retries, 5);
    assert_eq!(config.time4vps.username.as_deref(), Some("12345"));
    assert_eq!(config.time4vps.password.unwrap().expose(), "true");
    assert!(config.fleet.managed[0].matches("vps-17") && !config.fleet.managed[0].matches("avps-1"));
    assert!(config.fleet.managed[1].matches("web9") && !config.fleet.managed[1].matches("web10"));
    assert!(config.approvals.two_persons);
    assert_eq!((config.log.format, config.telegram.token), (LogFormat::Json, None));

    let file = ConfigFile::new("data_dir = \"/srv/one\"\n[provisioning]\ntimeout_s = 100\nmax_retries = 7\n");
    let config = file.load(&[("PROVISIONING_TIMEOUT", "200")]).unwrap();
    assert_eq!(config.provisioning.timeout, Duration::from_secs(200));
    assert_eq!(config.provisioning.max_retries, 7);
    assert_eq!(config.master_key_file, PathBuf::from("/srv/one/master.key"));
}

#[test]
fn all_problems_are_told_at_once_with_what_was_meant() {
    let text = r#"
        data_dirr = "x"
        interval_s = 5
        TELEGRAM_BOT_TOKEN = "canary-one"
        log = "info"
        [sync]
        interval_s = 0
        [provisionning]
        timeout_s = 3
        [provisioning]
        timeout_s = "ten minutes"
        max_retries = 1.5
        [telegram]
        token = 123456
        api_url = "https://canary-two@example.org"
        [fleet]
        managed = "vps-*"
        [work]
        lease_s = 2
        [ssh]
        port = 70000
    "#;
    let file = ConfigFile::new(text);
    let problems = file.problems(&[("RACKHAND_LOG_FORMAT", "xml"), ("DATABASE_URL", "mysql://root:canary-three@db")]);
    let example = "expected one of those in rackhand.example.toml";
    let expected = [
        "log (in rackhand.toml): found a value of type string, expected a table, as in [log]".to_owned(),
        format!(
            "TELEGRAM_BOT_TOKEN (in rackhand.toml): found an unknown key, {example}; did you mean telegram.token?"
        ),
        format!("data_dirr (in rackhand.toml): found an unknown key, {example}; did you mean data_dir?"),
        format!("interval_s (in rackhand.toml): found an unknown key, {example}; did you mean sync.interval_s?"),
        format!("provisionning (in rackhand.toml): found an unknown section, {example}; did you mean provisioning?"),
        "database_url (from DATABASE_URL): found another text, expected sqlite:PATH (a file; ?options and :memory: are \
         not taken) or postgres://USER:PASSWORD@HOST/DATABASE"
            .to_owned(),
        "telegram.token (in rackhand.toml): found a value of type integer, expected a secret text on one line, or \"\" \
         for none"
            .to_owned(),
        "telegram.api_url (in rackhand.toml): found an address with an account in it, expected an address that begins \
         with http:// or https:// and holds no account"
            .to_owned(),
        "ssh.port (in rackhand.toml): found 70000, expected a whole number from 1 to 65535".to_owned(),
        "fleet.managed (in rackhand.toml): found \"vps-*\", expected a list of patterns such as [\"vps-*\"]".to_owned(),
        "sync.interval_s (in rackhand.toml): found 0, expected a number of seconds from 1 to 86400".to_owned(),
        "provisioning.timeout_s (in rackhand.toml): found \"ten minutes\", expected a number of seconds from 1 to 86400"
            .to_owned(),
        "provisioning.max_retries (in rackhand.toml): found 1.5, expected a whole number from 1 to 100".to_owned(),
        "work.lease_s (in rackhand.toml): found 2, expected a number of seconds from 3 to 3600".to_owned(),
        "log.format (from RACKHAND_LOG_FORMAT): found \"xml\", expected text or json".to_owned(),
    ];
    assert_eq!(problems, expected);
    assert!(!problems.concat().contains("canary"));
}

#[test]
fn settings_that_contradict_each_other_are_problems() {
    let text = "[time4vps]\nusername = \"me\"\n[approvals]\nexpires_s = 60\n[notify]\nper_second = 1\nchat_per_second = 2\n\
                [work]\nlease_s = 3\npoll_ms = 3000";
    assert_eq!(
        ConfigFile::new(text).problems(&[]),
        [
            "time4vps.password: found nothing, expected the account's password, because time4vps.username is set (or \
             neither of them)",
            "approvals.warn_before_s: found 120s, expected less than approvals.expires_s, which is 60s",
            "work.poll_ms: found 3s, expected less than work.lease_s, which is 3s",
            "notify.chat_per_second: found 2, expected at most notify.per_second, which is 1",
        ]
    );
}

#[test]
fn ironic_has_one_whole_login_or_none() {
    let problems = |text: &str| ConfigFile::new(&format!("[ironic]\n{text}")).problems(&[]);
    assert_eq!(
        problems("username = \"me\""),
        ["ironic.auth: found none, expected basic or keystone, because ironic.username is set"]
    );
    assert_eq!(
        problems("auth = \"basic\"\nusername = \"me\""),
        [
            "ironic.url: found nothing, expected Ironic's address",
            "ironic.password: found nothing, expected the password that belongs to it"
        ]
    );
    let keystone = "auth = \"keystone\"\nkeystone_url = \"https://keystone\"\n";
    assert_eq!(
        problems(&format!("{keystone}password = \"canary\"")),
        ["ironic.username: found nothing, expected our name at Keystone (or ironic.application_id)"]
    );
    let both = "application_id = \"1\"\napplication_secret = \"canary\"\nusername = \"me\"";
    assert_eq!(
        problems(&format!("{keystone}{both}")),
        ["ironic.username: found a second login, expected no name and password beside an application credential"]
    );
    let file = ConfigFile::new(&format!("[ironic]\n{keystone}username = \"me\"\nproject = \"ours\"\n"));
    let secret = file.add("password", "canary\n");
    let config = file.load(&[("IRONIC_PASSWORD_FILE", &secret), ("IRONIC_REGION", "north")]).unwrap();
    assert_eq!((config.ironic.url, config.ironic.password.unwrap().expose()), (None, "canary"));
    assert_eq!((config.ironic.user_domain.as_str(), config.ironic.region.as_deref()), ("Default", Some("north")));
}

#[test]
fn a_secret_may_be_kept_in_a_file_of_its_own() {
    let file = ConfigFile::new("");
    let token = file.add("token", "123:abc\n");
    assert_eq!(file.load(&[("TELEGRAM_BOT_TOKEN_FILE", &token)]).unwrap().telegram.token.unwrap().expose(), "123:abc");

    let database = file.add("database", "postgres://me:canary@db:5432/rackhand?sslmode=require\n");
    let config = file.load(&[("DATABASE_URL_FILE", &database)]).unwrap();
    assert_eq!(config.database_url.to_string(), "postgres://db:5432/rackhand");
    assert!(!format!("{config:?}").contains("canary"));

    file.add("rackhand.toml", &format!("[telegram]\ntoken_file = {token:?}\n"));
    assert_eq!(file.load(&[]).unwrap().telegram.token.unwrap().expose(), "123:abc");

    let both = [("TELEGRAM_BOT_TOKEN", "1:x"), ("TELEGRAM_BOT_TOKEN_FILE", token.as_str())];
    assert_eq!(
        file.problems(&both),
        ["telegram.token: found both TELEGRAM_BOT_TOKEN and TELEGRAM_BOT_TOKEN_FILE, expected only one of them"]
    );
    let gone = file.dir.path().join("gone");
    let problems = file.problems(&[("TELEGRAM_BOT_TOKEN_FILE", gone.to_str().unwrap())]);
    assert_eq!(
        problems,
        ["telegram.token (named by TELEGRAM_BOT_TOKEN_FILE): found gone: No such file or directory (os error 2), \
          expected a file that can be read"]
    );
}

#[test]
fn a_file_that_is_not_there_or_not_toml_stops_the_start_without_showing_a_secret() {
    let errors = load(environment(&[("RACKHAND_CONFIG", "/nowhere/rackhand.toml")]), None).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "the configuration has 1 problem:\n  - /nowhere/rackhand.toml: found No such file or directory (os error 2), \
         expected a file that can be read"
    );
    let problems = ConfigFile::new("[telegram]\ntoken = \"canary\n").problems(&[]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("rackhand.toml (line 2): found "), "{problems:?}");
    assert!(!problems[0].contains("canary"), "{problems:?}");
}

#[test]
fn a_file_with_secrets_that_everybody_can_read_is_warned_about() {
    let file = ConfigFile::new("[telegram]\ntoken = \"123:abc\"\n");
    assert_eq!(file.load(&[]).unwrap().warnings, Vec::<String>::new());
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let path = file.path().display().to_string();
    assert_eq!(
        file.load(&[]).unwrap().warnings,
        [format!("{path} holds secrets (telegram.token) and every user of this machine can read it: chmod 600 {path}")]
    );
    fs::write(file.path(), "database_url = \"sqlite:/tmp/x.db\"").unwrap();
    assert_eq!(file.load(&[]).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn the_example_file_says_every_key_and_loads_as_it_is_and_uncommented() {
    let text = example();
    let is_key = |line: &&str| line.starts_with('#') && !line.starts_with("# ") && line.contains(" = ");
    assert!(text.lines().filter(is_key).count() > 30);
    let as_it_is = ConfigFile::new(&text).load(&[]).unwrap();
    let uncommented: Vec<&str> = text.lines().map(|line| if is_key(&line) { &line[1..] } else { line }).collect();
    let uncommented = ConfigFile::new(&uncommented.join("\n")).load(&[]).unwrap();
    assert_eq!(format!("{as_it_is:?}"), format!("{uncommented:?}"));
}

#[test]
fn the_printed_documents_are_current() {
    assert_generated("rackhand.example.toml", &example());
    assert_generated("docs/configuration.md", &docs());
}

#[test]
fn whose_tokens_are_trusted_is_said_as_a_whole() {
    let because = "because api.auth is \"jwt\"";
    let nothing =
        |field: &str, expected: &str| format!("api.jwt.{field}: found nothing, expected {expected}, {because}");
    assert_eq!(
        ConfigFile::new("[api]\nauth = \"jwt\"").problems(&[]),
        [
            nothing("key_file", "the file of the key that proves who made a token"),
            nothing("issuer", "who makes the tokens, as their `iss` says it"),
            nothing("audience", "whom they are for, as their `aud` says it"),
        ]
    );
    let example = "expected one of those in rackhand.example.toml";
    assert_eq!(
        ConfigFile::new("[api.jwt]\nkey_file = \"key\"\nalgorithm = \"none\"\nisuer = \"x\"\n[api.basic]\n")
            .problems(&[]),
        [
            format!("api.basic (in rackhand.toml): found an unknown section, {example}"),
            format!("api.jwt.isuer (in rackhand.toml): found an unknown key, {example}; did you mean api.jwt.issuer?"),
            "api.jwt.algorithm (in rackhand.toml): found \"none\", expected RS256 or ES256 or EdDSA or HS256"
                .to_owned(),
        ]
    );
    assert_eq!(
        ConfigFile::new("[api]\njwt = true").problems(&[]),
        ["api.jwt (in rackhand.toml): found a value of type boolean, expected a table, as in [api.jwt]"]
    );
    let whole = "[api.jwt]\nkey_file = \"{data_dir}/key\"\nissuer = \"https://issuer\"\naudience = \"us\"\n";
    assert_eq!(
        ConfigFile::new(whole).problems(&[]),
        ["api.auth: found another way in, expected jwt, because api.jwt.key_file is set"]
    );
    let config = ConfigFile::new(whole).load(&[("RACKHAND_API_AUTH", "jwt")]).unwrap();
    assert_eq!(config.api_jwt.key_file, Some("./data/key".into()));
    assert_eq!((config.api_jwt.algorithm, config.api_jwt.role_claim.as_str()), (JwtAlgorithm::Rs256, "rackhand_role"));
}

#[test]
fn a_door_without_tokens_is_opened_to_this_machine_only() {
    let env = |listen| [("RACKHAND_API_AUTH", "none"), ("RACKHAND_API_LISTEN", listen)];
    let problems = ConfigFile::new("").problems(&env("0.0.0.0:8080"));
    assert!(
        problems.len() == 1 && problems[0].contains("api.listen") && problems[0].contains("loopback"),
        "{problems:?}"
    );
    for listen in ["127.0.0.1:8080", "[::1]:8080"] {
        assert!(ConfigFile::new("").load(&env(listen)).is_ok());
    }
    let config = ConfigFile::new("").load(&[]).unwrap();
    assert_eq!(config.api.listen, None, "no port is opened unless it is asked for");
    assert!(!ConfigFile::new("").problems(&[("RACKHAND_API_LISTEN", "localhost")]).is_empty());
}
