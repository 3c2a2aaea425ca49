//! The file of master keys: made whole or not at all, and refused where others could have read or changed it.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::geteuid,
};
use zeroize::Zeroizing;

use super::{KeyFile, KeyringError, random, unhex::unhex};
use crate::model::hex;

/// More keys than anyone rotates through; bytes.
const LONGEST: u64 = 64 * 1024;
const HEADER: &str = "\
# The master key of Rackhand. Back it up, apart from the database: without it no stored secret can be read again.
# One key a line: a name and 64 hexadecimal digits. The first encrypts; the others only decrypt.
# To rotate, put a new line on top, with a new name and the digits of: openssl rand -hex 32
";

/// One master key, as it stands in the file.
pub(super) struct Master {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; 32]>,
}

/// The keys of the file, which is made if it is not there.
pub(super) fn open_or_create(path: &Path) -> Result<(Vec<Master>, KeyFile), KeyringError> {
    if let Some(file) = open(path)? {
        return Ok((read(path, file)?, KeyFile::Found));
    }
    let origin = create(path)?;
    let file = open(path)?.ok_or_else(|| failed(path, "read")(ErrorKind::NotFound.into()))?;
    Ok((read(path, file)?, origin))
}

/// The open file, proved to be ours alone; `None` when there is none. Proved on the open file, so that it cannot be
/// exchanged in between; not blocking, so that a pipe in its place cannot hold us.
fn open(path: &Path) -> Result<Option<File>, KeyringError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(KeyringError::SymbolicLink(path.to_owned())),
        Err(error) => return Err(failed(path, "open it")(error.into())),
    };
    let about = file.metadata().map_err(failed(path, "read its permissions"))?;
    let us = geteuid().as_raw();
    if !about.is_file() {
        return Err(KeyringError::NotAFile(path.to_owned()));
    }
    if about.mode() & 0o077 != 0 {
        return Err(KeyringError::Exposed { path: path.to_owned(), mode: about.mode() & 0o7777 });
    }
    if about.uid() != us && about.uid() != 0 {
        return Err(KeyringError::Foreign { path: path.to_owned(), owner: about.uid(), us });
    }
    Ok(Some(file))
}

fn read(path: &Path, file: File) -> Result<Vec<Master>, KeyringError> {
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST).read_to_string(&mut text).map_err(failed(path, "read it"))?;
    let mut keys: Vec<Master> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let malformed = |why| KeyringError::Malformed { path: path.to_owned(), line: index + 1, why };
        let key = parse(line).map_err(malformed)?;
        if keys.iter().any(|known| known.id == key.id) {
            return Err(malformed("this name is taken by a key above"));
        }
        keys.push(key);
    }
    if keys.is_empty() { Err(KeyringError::Empty(path.to_owned())) } else { Ok(keys) }
}

fn parse(line: &str) -> Result<Master, &'static str> {
    let (id, digits) = line.split_once(char::is_whitespace).ok_or("expected a name, a space, and the key")?;
    if id.len() > 32 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err("a name is at most 32 letters, digits and hyphens");
    }
    let bytes = unhex(digits.trim()).ok_or("the key is not in hexadecimal digits")?;
    let mut key = Zeroizing::new([0; 32]);
    if bytes.len() != key.len() {
        return Err("the key is not 64 hexadecimal digits long");
    }
    key.copy_from_slice(&bytes);
    Ok(Master { id: id.to_owned(), bytes: key })
}

/// Writes a new key beside the file and links it to its name, which fails if another process was first: then theirs
/// counts. A crash leaves no half a key under that name.
fn create(path: &Path) -> Result<KeyFile, KeyringError> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed(dir, "make its directory"))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}", hex(&random::<8>()?)));
    let draft = PathBuf::from(draft);
    let linked = write(&draft).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    let origin = match linked {
        Ok(()) => KeyFile::Created,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => KeyFile::Found,
        Err(error) => return Err(failed(path, "make it")(error)),
    };
    removed.map_err(failed(&draft, "remove the draft of it"))?;
    sync_dir(dir).map_err(failed(dir, "bring its directory to the disk"))?;
    Ok(origin)
}

fn write(draft: &Path) -> io::Result<()> {
    let unavailable = |_| io::Error::other("the machine gives no random numbers");
    let id = hex(&random::<4>().map_err(unavailable)?);
    let key = Zeroizing::new(random::<32>().map_err(unavailable)?);
    let digits = Zeroizing::new(hex(key.as_slice()));
    let text = Zeroizing::new(format!("{HEADER}{id} {}\n", *digits));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The name of the file, and that of its directory where we may open what is above it, outlive a power cut.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).map(File::open);
    match above {
        Some(Ok(above)) => above.sync_all(),
        Some(Err(error)) if error.kind() != ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

fn failed(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> KeyringError {
    move |source| KeyringError::Io { path: path.to_owned(), doing, source }
}
