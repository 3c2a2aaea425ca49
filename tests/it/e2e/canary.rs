//! Looks for secrets where none may be.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Fails when one of `texts` holds one of `secrets`, in clear or in hexadecimal digits.
pub fn assert_absent(secrets: &[String], place: &str, texts: impl IntoIterator<Item = Vec<u8>>) {
    let shapes: Vec<String> = secrets.iter().flat_map(|secret| [secret.clone(), hex(secret)]).collect();
    for text in texts {
        assert!(!shapes.iter().any(|secret| contains(&text, secret)), "a secret is in {place}");
    }
}

/// The same for every file below `dir`.
pub fn assert_absent_from_files(secrets: &[String], dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            assert_absent_from_files(secrets, &path);
        } else {
            assert_absent(secrets, &path.display().to_string(), fs::read(&path));
        }
    }
}

/// Reads the arguments and environments of all processes again and again.
pub struct ProcessWatch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    thread: std::thread::JoinHandle<()>,
}

impl ProcessWatch {
    pub fn start() -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let (stopped, kept) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
                    for name in ["cmdline", "environ"] {
                        kept.lock().expect("seen").extend(fs::read(process.path().join(name)));
                    }
                }
            }
        });
        Self { stop, seen, thread }
    }

    /// Fails when a secret was seen.
    pub fn assert_unseen(self, secrets: &[String]) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch");
        let seen = std::mem::take(&mut *self.seen.lock().expect("seen"));
        assert!(seen.iter().any(|text| contains(text, "RACKHAND_DATA_DIR")), "the watch saw the program");
        assert_absent(secrets, "the process list", seen);
    }
}

fn hex(secret: &str) -> String {
    secret
        .bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn contains(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}
