//! The commands that are made from the table of operations: words and places from `Spec::cli`, options from the schema of
//! the input, help from its documentation.

use clap::{Arg, ArgAction, ArgMatches, Command, builder::PossibleValuesParser};
use rackhand_core::{
    model::Risk,
    ops::{Entry, Field, Kind, OpError, find, table},
};
use serde_json::{Map, Value};

/// No field has a dash in its name.
const AS_JSON: &str = "as-json";
const FOLLOW: &str = "follow-job";
const KEY: &str = "idempotency-key";
/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// An operation that was typed.
pub struct Called {
    /// Which.
    pub entry: &'static Entry,
    /// What it is given.
    pub input: Value,
    /// The answer is wanted as JSON.
    pub json: bool,
    /// The job that comes of it is to be watched to its end.
    pub follow: bool,
    /// What makes a change one, however often it is asked for.
    pub key: Option<String>,
}

/// `root` with a command for every operation that has one. Where both have a command, the operation's counts.
pub fn add_to(root: Command) -> Command {
    let offered = table().iter().filter(|entry| !entry.spec.cli.is_empty());
    offered.fold(root, |root, entry| grafted(root, &words(entry), leaf(entry)))
}

/// The operation that was typed; none when it is a command of another kind.
pub fn called(root: &ArgMatches) -> Option<Result<Called, OpError>> {
    let (mut typed, mut matches) = (Vec::new(), root);
    while let Some((word, below)) = matches.subcommand() {
        typed.push(word);
        matches = below;
    }
    let entry = table().iter().find(|entry| !typed.is_empty() && words(entry) == typed)?;
    let follow = entry.is_long() && matches.get_flag(FOLLOW);
    let key = changes(entry).then(|| matches.get_one::<String>(KEY).cloned()).flatten();
    let called = |input| Called { entry, input, json: matches.get_flag(AS_JSON), follow, key };
    Some(input(entry, matches).map(called))
}

/// The words that an operation's command begins with.
pub fn words(entry: &Entry) -> Vec<&'static str> {
    entry.spec.cli.split_whitespace().take_while(|word| !word.starts_with('<')).collect()
}

fn places(entry: &Entry) -> impl Iterator<Item = &'static str> {
    entry.spec.cli.split_whitespace().filter_map(|word| word.strip_prefix('<')?.strip_suffix('>'))
}

fn grafted(parent: Command, words: &[&'static str], leaf: Command) -> Command {
    match words {
        [] => parent,
        [last] if parent.find_subcommand(last).is_some() => parent.mut_subcommand(last, |_| leaf.name(*last)),
        [last] => parent.subcommand(leaf.name(*last)),
        [first, rest @ ..] if parent.find_subcommand(first).is_some() => {
            parent.mut_subcommand(first, |group| grafted(group, rest, leaf))
        }
        [first, rest @ ..] => parent.subcommand(grafted(group(first), rest, leaf)),
    }
}

/// A group's help is what is in it.
fn group(name: &'static str) -> Command {
    let inside: Vec<&str> = table()
        .iter()
        .filter(|entry| words(entry).first() == Some(&name))
        .filter_map(|entry| words(entry).get(1).copied())
        .collect();
    Command::new(name).about(inside.join(", ")).subcommand_required(true).arg_required_else_help(true)
}

fn leaf(entry: &Entry) -> Command {
    let json = Arg::new(AS_JSON).long("json").action(ArgAction::SetTrue).help("Prints the whole answer as JSON");
    let mut leaf = Command::new(entry.spec.name).about(entry.spec.summary).after_help(bounds(entry)).arg(json);
    if entry.is_long() {
        let follow = Arg::new(FOLLOW).long("follow").action(ArgAction::SetTrue);
        leaf = leaf
            .arg(follow.help("Waits for the approval, where one is needed, and prints the job's events to its end"));
    }
    if changes(entry) {
        let key = Arg::new(KEY).long("key").value_name("KEY").value_parser(key);
        leaf = leaf.arg(key.help("With the same key the same request is done once, however often it is asked for"));
    }
    let places: Vec<&str> = places(entry).collect();
    let fields = entry.fields();
    for field in places.iter().filter_map(|place| fields.iter().find(|field| field.name == *place)) {
        leaf = leaf.arg(positional(field));
    }
    leaf.args(fields.iter().filter(|field| !places.contains(&field.name.as_str())).map(option))
}

fn bounds(entry: &Entry) -> String {
    let mut text = format!("Takes the role {}.", entry.spec.lowest.max(entry.spec.risk.floor()));
    if entry.spec.risk == Risk::Destroy {
        text.push_str(" A person has to approve exactly what is asked for: until then the exit status is 5.");
    }
    if entry.spec.rest.is_empty() {
        text.push_str(" Not over REST: on Rackhand's own machine, or in the chat.");
    }
    text
}

fn changes(entry: &Entry) -> bool {
    entry.spec.risk != Risk::Read
}

fn key(text: &str) -> Result<String, String> {
    let fits = (1..=LONGEST_KEY).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    fits.then(|| text.to_owned()).ok_or_else(|| format!("1 to {LONGEST_KEY} visible ASCII characters are expected"))
}

fn positional(field: &Field) -> Arg {
    let several = matches!(field.kind, Kind::List | Kind::Map);
    let name = if field.kind == Kind::Map { "KEY=VALUE".to_owned() } else { field.name.to_uppercase() };
    let arg = Arg::new(field.name.clone()).value_name(name).help(about(field)).required(field.required);
    parsed(if several { arg.num_args(1..) } else { arg }, field)
}

fn option(field: &Field) -> Arg {
    let arg = Arg::new(field.name.clone()).long(field.name.replace('_', "-")).help(about(field));
    let arg = arg.value_name(field.name.to_uppercase()).required(field.required);
    match field.kind {
        Kind::Flag { off: true } => arg.action(ArgAction::SetTrue),
        Kind::Flag { off: false } => {
            parsed(arg.num_args(0..=1).require_equals(true).default_missing_value("true"), field)
        }
        Kind::List | Kind::Map => parsed(arg.action(ArgAction::Append), field).value_name(field.expected()),
        Kind::Json => parsed(arg, field).value_name("JSON|@FILE"),
        _ => parsed(arg, field),
    }
}

/// Its documentation, as help ends a line.
fn about(field: &Field) -> String {
    field.doc.strip_suffix('.').unwrap_or(&field.doc).to_owned()
}

fn parsed(arg: Arg, field: &Field) -> Arg {
    match &field.kind {
        Kind::Choice(words) => arg.value_parser(PossibleValuesParser::new(words.clone())).ignore_case(true),
        Kind::Flag { .. } => arg.value_parser(["true", "false"]),
        Kind::Whole | Kind::Number => arg.allow_negative_numbers(true),
        _ => arg,
    }
}

fn input(entry: &Entry, matches: &ArgMatches) -> Result<Value, OpError> {
    let mut input = Map::new();
    for field in entry.fields() {
        if field.kind == (Kind::Flag { off: true }) && !places(entry).any(|place| place == field.name) {
            if matches.get_flag(&field.name) {
                input.insert(field.name, true.into());
            }
            continue;
        }
        for word in matches.get_many::<String>(&field.name).into_iter().flatten() {
            field.put(&mut input, &given(&field, word)?)?;
        }
    }
    Ok(Value::Object(input))
}

/// JSON may be in a file: what is typed is for everybody on the machine to read.
fn given(field: &Field, word: &str) -> Result<String, OpError> {
    let path = word.strip_prefix('@').filter(|_| field.kind == Kind::Json);
    let Some(path) = path else { return Ok(word.to_owned()) };
    std::fs::read_to_string(path).map_err(|error| OpError::BadInput {
        path: field.name.clone(),
        message: format!("the file {path:?} cannot be read: {error}"),
    })
}

/// An operation that the command line itself needs.
pub fn needed(name: &'static str) -> Result<&'static Entry, OpError> {
    find(name).ok_or_else(|| OpError::UnknownOperation(name.to_owned()))
}
