//! The playbooks, which the program carries with it, as files that `ansible-playbook` can read.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "../ansible"]
struct Tree;

/// Writes the playbooks below `data_dir`, to a directory that is named after what is in it, and says where. One that is
/// there already and whole is used as it is.
pub fn unpack(data_dir: &Path) -> io::Result<PathBuf> {
    let tree = data_dir.join(format!("ansible-{}", name()));
    if intact(&tree) {
        return Ok(tree);
    }
    let draft = data_dir.join(format!(".ansible-{:016x}", rand::random::<u64>()));
    let done = write(&draft).and_then(|()| replace(&draft, &tree));
    if done.is_err() {
        // The first error is the one to know.
        let _ = fs::remove_dir_all(&draft);
    }
    done.map(|()| tree)
}

/// Moves `draft` to `tree`. Another process may do the same at the same time.
fn replace(draft: &Path, tree: &Path) -> io::Result<()> {
    if fs::rename(draft, tree).is_ok() {
        return Ok(());
    }
    if intact(tree) {
        return fs::remove_dir_all(draft);
    }
    // A power cut can leave files without what was written to them.
    if tree.exists() {
        fs::remove_dir_all(tree)?;
    }
    fs::rename(draft, tree)
}

fn write(draft: &Path) -> io::Result<()> {
    for (path, data) in files() {
        let file = draft.join(&path);
        fs::create_dir_all(file.parent().unwrap_or(draft))?;
        fs::write(file, data)?;
    }
    Ok(())
}

fn intact(tree: &Path) -> bool {
    files().all(|(path, data)| fs::read(tree.join(path)).is_ok_and(|found| found == data))
}

/// Sixteen hexadecimal digits that stand for these files and no others.
fn name() -> String {
    let mut hash = Sha256::new();
    for (path, data) in files() {
        hash.update(format!("{path}\n{}\n", data.len()));
        hash.update(&data);
    }
    let first = hash.finalize().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Paths and contents, in order; what Python compiled on the machine of the build is not ours.
fn files() -> impl Iterator<Item = (String, Vec<u8>)> {
    let mut paths: Vec<_> = Tree::iter().filter(|path| !path.contains("__pycache__")).collect();
    paths.sort();
    paths.into_iter().filter_map(|path| Some((path.to_string(), Tree::get(&path)?.data.into_owned())))
}
