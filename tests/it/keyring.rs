//! The master key and what is sealed with it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use proptest::prelude::*;
use rackhand_core::{
    fault::{Fault, FaultKind},
    keyring::{Aad, KeyFile, Keyring, KeyringError, Sealed},
    secret::Secret,
};
use tempfile::TempDir;

const PLACE: Aad<'static> = Aad { table: "secrets", row: "srv-1", column: "root_password" };

fn ring(dir: &TempDir) -> (Keyring, PathBuf) {
    let path = dir.path().join("keys/master.key");
    let (ring, _) = Keyring::open_or_create(&path).unwrap();
    (ring, path)
}

fn put(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn refusal(path: &Path) -> String {
    let error = Keyring::open_or_create(path).unwrap_err();
    assert_eq!(error.kind(), FaultKind::NeedsPerson);
    error.to_string().replace(path.to_str().unwrap(), "KEY")
}

#[test]
fn the_first_start_makes_a_key_for_us_alone_and_the_next_finds_it() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("keys/master.key");
    let (first, origin) = Keyring::open_or_create(&path).unwrap();
    assert_eq!(origin, KeyFile::Created);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");

    let (second, origin) = Keyring::open_or_create(&path).unwrap();
    assert_eq!((origin, second.current_id()), (KeyFile::Found, first.current_id()));
    let sealed = first.seal(PLACE, &Secret::new("root's")).unwrap();
    assert_eq!(second.open(PLACE, &sealed).unwrap().expose(), "root's");
    let digits = fs::read_to_string(&path).unwrap().lines().last().unwrap()[9..].to_owned();
    assert_eq!(digits.len(), 64);
    assert!(!format!("{first:?}").contains(&digits));
}

#[test]
fn many_that_start_together_end_with_one_key() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("master.key");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Keyring::open_or_create(&path).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|(_, origin)| *origin == KeyFile::Created).count(), 1);
    assert!(opened.iter().all(|(ring, _)| ring.current_id() == opened[0].0.current_id()));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left");
}

#[test]
fn a_sealed_secret_opens_in_its_place_only() {
    let dir = TempDir::new().unwrap();
    let (ring, _) = ring(&dir);
    let sealed = ring.seal(PLACE, &Secret::new("пароль")).unwrap();
    assert_ne!(sealed, ring.seal(PLACE, &Secret::new("пароль")).unwrap(), "every nonce is fresh");
    assert!(!sealed.to_string().contains("пароль"));
    let again: Sealed = sealed.to_string().parse().unwrap();
    assert_eq!(ring.open(PLACE, &again).unwrap().expose(), "пароль");
    for place in [
        Aad { table: "users", ..PLACE },
        Aad { row: "srv-2", ..PLACE },
        Aad { column: "bmc", ..PLACE },
        Aad { table: "secretss", row: "rv-1", ..PLACE },
    ] {
        assert!(matches!(ring.open(place, &sealed), Err(KeyringError::Refused)), "{place:?}");
    }
}

#[test]
fn a_key_file_that_others_could_have_read_or_changed_is_refused() {
    let dir = TempDir::new().unwrap();
    let (_, path) = ring(&dir);
    for mode in [0o640, 0o604, 0o660, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(
            refusal(&path),
            format!("the master key file KEY has mode 0{mode:o}: it must be readable by its owner alone (chmod 600)")
        );
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Keyring::open_or_create(&path).unwrap();

    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(refusal(&link), "KEY is a symbolic link: name the master key file itself");
    let dangling = dir.path().join("dangling");
    symlink(dir.path().join("nowhere"), &dangling).unwrap();
    assert_eq!(refusal(&dangling), "KEY is a symbolic link: name the master key file itself");
    assert!(!dir.path().join("nowhere").exists());
    assert_eq!(refusal(&dir.path().join("keys")), "KEY is not a regular file");
    let pipe = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(refusal(&pipe), "KEY is not a regular file");
}

#[test]
fn a_damaged_key_file_is_refused_with_its_line_and_never_replaced() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("master.key");
    let key = "ab".repeat(32);
    let cases = [
        (String::new(), "the master key file KEY holds no key: restore it from a backup"),
        ("# only words\n\n".to_owned(), "the master key file KEY holds no key: restore it from a backup"),
        (key.clone(), "the master key file KEY, line 1: expected a name, a space, and the key"),
        (
            format!("# c\none {}", &key[2..]),
            "the master key file KEY, line 2: the key is not 64 hexadecimal digits long",
        ),
        (format!("one {}zz", &key[2..]), "the master key file KEY, line 1: the key is not in hexadecimal digits"),
        (format!("o.e {key}"), "the master key file KEY, line 1: a name is at most 32 letters, digits and hyphens"),
        (format!("one {key}\none {key}"), "the master key file KEY, line 2: this name is taken by a key above"),
    ];
    for (text, expected) in cases {
        put(&path, &text, 0o600);
        let said = refusal(&path);
        assert_eq!(said, expected);
        assert!(!said.contains("abab"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn after_a_rotation_the_old_key_still_reads_and_the_new_one_writes() {
    let dir = TempDir::new().unwrap();
    let (old, path) = ring(&dir);
    let text = fs::read_to_string(&path).unwrap();
    let line = text.lines().last().unwrap();
    let (sealed, mac) = (old.seal(PLACE, &Secret::new("s")).unwrap(), old.audit_mac(&[b"row"]));
    let code = Secret::new("JOIN-US");

    put(&path, &format!("2026-2 {}\n{line}\n", "cd".repeat(32)), 0o600);
    let (both, _) = Keyring::open_or_create(&path).unwrap();
    assert_eq!(both.open(PLACE, &sealed).unwrap().expose(), "s");
    assert_eq!(both.seal(PLACE, &Secret::new("s")).unwrap().key_id, "2026-2");
    assert!(both.audit_verify(&[b"row"], &mac));
    assert_ne!(both.audit_mac(&[b"row"]), mac);
    assert_eq!(both.code_hashes(&code), [both.code_hash(&code), old.code_hash(&code)]);

    put(&path, &format!("2026-2 {}\n", "cd".repeat(32)), 0o600);
    let (new, _) = Keyring::open_or_create(&path).unwrap();
    assert!(!new.audit_verify(&[b"row"], &mac));
    let error = new.open(PLACE, &sealed).unwrap_err().to_string();
    let id = old.current_id();
    assert_eq!(
        error,
        format!("sealed with the key {id}, which is not in the master key file: restore it from a backup")
    );
}

#[test]
fn keyed_hashes_and_authenticators_are_bound_to_their_input_and_purpose() {
    let dir = TempDir::new().unwrap();
    let (ring, _) = ring(&dir);
    let mac = ring.audit_mac(&[b"ab", b"c"]);
    assert!(ring.audit_verify(&[b"ab", b"c"], &mac));
    assert!(!ring.audit_verify(&[b"a", b"bc"], &mac));
    assert!(!ring.audit_verify(&[b"abc"], &mac));
    assert!(!ring.audit_verify(&[b"ab", b"c"], &mac[..31]));
    let code = Secret::new("K7-QX");
    assert_eq!(ring.code_hash(&code), ring.code_hash(&code));
    assert_eq!(ring.code_hash(&code).len(), 64);
    assert_ne!(ring.code_hash(&code), ring.code_hash(&Secret::new("K7-QY")));
    let other_dir = TempDir::new().unwrap();
    assert_ne!(ring.code_hash(&code), self::ring(&other_dir).0.code_hash(&code));
}

#[test]
fn what_is_no_sealed_secret_is_told_apart() {
    for text in ["", "v1", "v2.a.00.00", "v1.a.00.00", "v1.a.b.c.d", "hunter2"] {
        assert!(matches!(text.parse::<Sealed>(), Err(KeyringError::Encoding(_))), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_secret_survives_and_any_flipped_bit_is_noticed(
        text in ".{0,80}",
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let dir = TempDir::new().unwrap();
        let (ring, _) = ring(&dir);
        let sealed = ring.seal(PLACE, &Secret::new(text.clone())).unwrap();
        let again: Sealed = sealed.to_string().parse().unwrap();
        let opened = ring.open(PLACE, &again).unwrap();
        prop_assert_eq!(opened.expose(), text);

        let mut changed = sealed.clone();
        let length = changed.nonce.len() + changed.ciphertext.len();
        let at = at.index(length);
        let byte = if at < 24 { &mut changed.nonce[at] } else { &mut changed.ciphertext[at - 24] };
        *byte ^= 1_u8 << bit;
        prop_assert!(matches!(ring.open(PLACE, &changed), Err(KeyringError::Refused)));
    }
}
