//! Finds each setting's value (environment over file over default) and keeps every problem on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{
    kind::{Kind, describe},
    problem::Problem,
    settings::{Section, Setting, sections},
};

/// The variable that names the file.
const FILE_VARIABLE: &str = "RACKHAND_CONFIG";
/// Where a file is looked for when none is named.
const USUAL_PLACES: [&str; 2] = ["./rackhand.toml", "/etc/rackhand/rackhand.toml"];
/// No configuration and no secret is longer; bytes.
const LONGEST_FILE: u64 = 1 << 20;
/// Stands for the data directory in paths.
const DATA_DIR: &str = "{data_dir}";

/// A value and where it came from.
struct Raw {
    value: Value,
    origin: String,
    in_config_file: bool,
}

/// The sources of values, and what was found wrong with them.
pub(super) struct Reader<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    file: Option<PathBuf>,
    values: BTreeMap<String, Value>,
    data_dir: String,
    secrets_in_file: Vec<String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// Reads the file, if there is one, and complains about what is unknown in it.
    pub(super) fn open(env: &'a dyn Fn(&str) -> Option<String>, file: Option<PathBuf>) -> Self {
        let named = file.or_else(|| filled(env, FILE_VARIABLE).map(PathBuf::from));
        let file = named.or_else(|| USUAL_PLACES.iter().map(PathBuf::from).find(|place| place.exists()));
        let mut reader = Self {
            env,
            file,
            values: BTreeMap::new(),
            data_dir: String::new(),
            secrets_in_file: Vec::new(),
            problems: Vec::new(),
        };
        if let Some(path) = reader.file.clone() {
            match read_table(&path) {
                Ok(table) => reader.take_in(table),
                Err(problem) => reader.problems.push(problem),
            }
        }
        reader
    }

    /// The value of one setting; `None` when there is a problem with it, which is kept.
    pub(super) fn read<K: Kind>(&mut self, row: &Setting, kind: &K) -> Option<K::Value> {
        let Raw { value, origin, in_config_file } = match self.raw(row, kind) {
            Ok(raw) => raw,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let value = if kind.expands() { self.expand(row, value) } else { value };
        match kind.parse(&value) {
            Ok(parsed) => {
                if in_config_file && kind.conceals(&parsed) {
                    self.secrets_in_file.push(row.path());
                }
                Some(parsed)
            }
            Err(found) => {
                self.problems.push(Problem::new(row.path(), found, kind.expects()).at(origin));
                None
            }
        }
    }

    /// All problems and warnings.
    pub(super) fn finish(self) -> (Vec<Problem>, Vec<String>) {
        let readable_by_all = |path: &&PathBuf| fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o004 != 0);
        let warning =
            self.file.as_ref().filter(readable_by_all).filter(|_| !self.secrets_in_file.is_empty()).map(|path| {
                let (path, keys) = (path.display(), self.secrets_in_file.join(", "));
                format!("{path} holds secrets ({keys}) and every user of this machine can read it: chmod 600 {path}")
            });
        (self.problems, warning.into_iter().collect())
    }

    /// The first of: the variable, the file that the variable `NAME_FILE` names, the key, the file that `KEY_file`
    /// names, the default.
    fn raw<K: Kind>(&mut self, row: &Setting, kind: &K) -> Result<Raw, Problem> {
        let env_file = format!("{}_FILE", row.env);
        let key_file = format!("{}_file", row.path());
        let from_env = filled(self.env, row.env);
        let from_env_file = if row.secret { filled(self.env, &env_file) } else { None };
        let from_key = self.values.remove(&row.path());
        let from_key_file = if row.secret { self.values.remove(&key_file) } else { None };
        let both = |one: &str, other: &str| {
            Problem::new(row.path(), format!("both {one} and {other}"), "only one of them".to_owned())
        };
        match (from_env, from_env_file, from_key, from_key_file) {
            (Some(_), Some(_), ..) => Err(both(row.env, &env_file)),
            (Some(text), ..) => {
                Ok(Raw { value: kind.env_value(&text), origin: format!("from {}", row.env), in_config_file: false })
            }
            (None, Some(path), ..) => secret_file(row, Path::new(&path), &env_file),
            (None, None, Some(_), Some(_)) => Err(both(&row.path(), &key_file)),
            (None, None, Some(value), None) => Ok(Raw { value, origin: self.in_file(), in_config_file: true }),
            (None, None, None, Some(Value::String(path))) => secret_file(row, Path::new(&path), &key_file),
            (None, None, None, Some(other)) => {
                Err(Problem::new(key_file, describe(&other), "a path").at(self.in_file()))
            }
            (None, None, None, None) => default(row),
        }
    }

    /// `value` with `{data_dir}` filled in; remembers the data directory when this is it.
    fn expand(&mut self, row: &Setting, value: Value) -> Value {
        let Value::String(text) = value else { return value };
        if row.path() == "data_dir" {
            text.trim().clone_into(&mut self.data_dir);
            return Value::String(text);
        }
        Value::String(text.replace(DATA_DIR, &self.data_dir))
    }

    fn in_file(&self) -> String {
        self.file.as_ref().map(|path| format!("in {}", path.display())).unwrap_or_default()
    }

    /// Keeps the known keys of the file, and a problem for each other.
    fn take_in(&mut self, table: Table) {
        let sections = sections();
        let known = known_keys(&sections);
        let is_section = |name: &str| !name.is_empty() && sections.iter().any(|section| section.name == name);
        let mut found = Vec::new();
        let mut left = vec![(String::new(), table)];
        while let Some((above, table)) = left.pop() {
            for (key, value) in table {
                let path = if above.is_empty() { key } else { format!("{above}.{key}") };
                match value {
                    Value::Table(inner) if is_section(&path) => left.push((path, inner)),
                    other if is_section(&path) => self.problems.push(
                        Problem::new(
                            &path,
                            format!("a value of type {}", other.type_str()),
                            format!("a table, as in [{path}]"),
                        )
                        .at(self.in_file()),
                    ),
                    other => found.push((path, other)),
                }
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (path, value) in found {
            if known.contains(&path) {
                self.values.insert(path, value);
            } else {
                let meant = nearest(&path, &sections, &known);
                let what = if value.is_table() { "an unknown section" } else { "an unknown key" };
                self.problems.push(
                    Problem::new(path, what, "one of those in rackhand.example.toml").at(self.in_file()).meaning(meant),
                );
            }
        }
    }
}

/// A variable that is set to something.
fn filled(env: &dyn Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    env(name).filter(|text| !text.trim().is_empty())
}

fn default(row: &Setting) -> Result<Raw, Problem> {
    let value = row.default.parse().map_err(|_| Problem::new(row.path(), row.default, "a default that is TOML"))?;
    Ok(Raw { value, origin: "the default".to_owned(), in_config_file: false })
}

fn secret_file(row: &Setting, path: &Path, named_by: &str) -> Result<Raw, Problem> {
    let text = read_text(path).map_err(|error| {
        Problem::new(row.path(), format!("{}: {error}", path.display()), "a file that can be read")
            .at(format!("named by {named_by}"))
    })?;
    let value = Value::String(text.trim_end_matches(['\n', '\r']).to_owned());
    Ok(Raw { value, origin: format!("in {}", path.display()), in_config_file: false })
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {LONGEST_FILE} bytes")));
    }
    Ok(text)
}

fn read_table(path: &Path) -> Result<Table, Problem> {
    let name = path.display().to_string();
    let text = read_text(path).map_err(|error| Problem::new(&name, error.to_string(), "a file that can be read"))?;
    text.parse::<Table>().map_err(|error| {
        // Only the parser's message and the place: the line itself may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        Problem::new(&name, error.message().to_owned(), "a TOML file").at(format!("line {line}"))
    })
}

fn known_keys(sections: &[Section]) -> BTreeSet<String> {
    let rows = sections.iter().flat_map(|section| &section.settings);
    rows.flat_map(|row| {
        let file = row.secret.then(|| format!("{}_file", row.path()));
        [Some(row.path()), file].into_iter().flatten()
    })
    .collect()
}

/// The known name that was most likely meant: a variable's name used as a key, the right key in the wrong section, or
/// the one with the fewest letters to change.
fn nearest(path: &str, sections: &[Section], known: &BTreeSet<String>) -> Option<String> {
    let key = path.rsplit('.').next().unwrap_or(path);
    let rows = || sections.iter().flat_map(|section| &section.settings);
    let by_variable = rows().find(|row| row.env == key.to_uppercase()).map(Setting::path);
    let candidates = known.iter().cloned().chain(sections.iter().map(|section| section.name.to_owned()));
    let by_letters = || {
        let closest = candidates.map(|name| (letters_apart(path, &name), name)).min()?;
        (closest.0 <= path.chars().count().div_ceil(4)).then_some(closest.1)
    };
    let by_key = || rows().find(|row| row.key == key).map(Setting::path);
    by_variable.or_else(by_letters).or_else(by_key)
}

/// The number of letters to insert, delete or change to make one of the other.
fn letters_apart(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, &b) in other.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
