//! The fields of an operation's input, read from its schema: for doors whose callers type words instead of JSON.

use serde_json::{Map, Number, Value};

use super::{Entry, OpError};

/// A field of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it means, on one line.
    pub doc: String,
    /// The operation does not go without it.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds, as far as somebody who types has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text as it is.
    Text,
    /// A whole number.
    Whole,
    /// Any number.
    Number,
    /// Yes or no.
    Flag {
        /// It is no where nothing is said, so that its name alone says yes.
        off: bool,
    },
    /// One of these words.
    Choice(Vec<String>),
    /// Several texts.
    List,
    /// Names with a text each, as `key=value`.
    Map,
    /// Something deeper, as JSON.
    Json,
}

impl Entry {
    /// The fields of its input: the required ones in the order in which they are declared, then the others by name.
    pub fn fields(&self) -> Vec<Field> {
        let schema = (self.input)();
        let root = schema.as_value();
        let required: Vec<&str> = texts(root.get("required")).collect();
        let properties = root.get("properties").and_then(Value::as_object);
        let mut fields: Vec<Field> = properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| Field {
                name: name.clone(),
                doc: doc(schema),
                required: required.contains(&name.as_str()),
                kind: kind(root, schema),
            })
            .collect();
        fields.sort_by_key(|field| required.iter().position(|name| *name == field.name).unwrap_or(required.len()));
        fields
    }
}

impl Field {
    /// Puts what was typed for this field into an input. A list and a map take one item each time.
    ///
    /// # Errors
    /// `BadInput` that says what was expected.
    pub fn put(&self, input: &mut Map<String, Value>, word: &str) -> Result<(), OpError> {
        let value = match &self.kind {
            Kind::List => {
                let list = input.entry(self.name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                if let (Value::Array(list), false) = (list, word.is_empty()) {
                    list.push(word.into());
                }
                return Ok(());
            }
            Kind::Map => {
                let map = input.entry(self.name.clone()).or_insert_with(|| Value::Object(Map::new()));
                if let (Value::Object(map), false) = (map, word.is_empty()) {
                    let (key, value) = word.split_once('=').ok_or_else(|| self.bad())?;
                    map.insert(key.to_owned(), value.into());
                }
                return Ok(());
            }
            Kind::Text => Some(word.into()),
            Kind::Choice(words) => {
                words.iter().find(|known| known.eq_ignore_ascii_case(word)).cloned().map(Value::from)
            }
            Kind::Whole => word.parse::<i64>().ok().map(Value::from),
            Kind::Number => word.parse::<f64>().ok().and_then(Number::from_f64).map(Value::from),
            Kind::Flag { .. } => yes_or_no(word).map(Value::from),
            Kind::Json => serde_json::from_str(word).ok(),
        };
        input.insert(self.name.clone(), value.ok_or_else(|| self.bad())?);
        Ok(())
    }

    /// That nothing was said where something has to be.
    pub fn missing(&self) -> OpError {
        OpError::BadInput { path: self.name.clone(), message: format!("{} is expected: {}", self.expected(), self.doc) }
    }

    /// What has to be typed: `viewer|operator|admin`, `key=value`.
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Text | Kind::List => "text".to_owned(),
            Kind::Whole => "a whole number".to_owned(),
            Kind::Number => "a number".to_owned(),
            Kind::Flag { .. } => "true|false".to_owned(),
            Kind::Choice(words) => words.join("|"),
            Kind::Map => "key=value".to_owned(),
            Kind::Json => "JSON".to_owned(),
        }
    }

    fn bad(&self) -> OpError {
        OpError::BadInput { path: self.name.clone(), message: format!("{} is expected", self.expected()) }
    }
}

fn kind(root: &Value, schema: &Value) -> Kind {
    let schema = resolved(root, schema);
    if let Some(words) = choice(schema) {
        return Kind::Choice(words);
    }
    match type_of(schema) {
        "string" => Kind::Text,
        "integer" => Kind::Whole,
        "number" => Kind::Number,
        "boolean" => Kind::Flag { off: schema.get("default") == Some(&Value::Bool(false)) },
        "array" if schema.get("items").is_some_and(|items| type_of(resolved(root, items)) == "string") => Kind::List,
        "object" if schema.get("additionalProperties").is_some_and(|each| type_of(each) == "string") => Kind::Map,
        _ => Kind::Json,
    }
}

/// What a reference, or a choice between something and nothing, is about.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(path) = schema.get("$ref").and_then(Value::as_str) {
        return path.strip_prefix('#').and_then(|path| root.pointer(path)).unwrap_or(schema);
    }
    let parts = schema.get("anyOf").and_then(Value::as_array);
    match parts.into_iter().flatten().find(|part| type_of(part) != "null") {
        Some(part) => resolved(root, part),
        None => schema,
    }
}

fn choice(schema: &Value) -> Option<Vec<String>> {
    let of_enum = schema.get("enum").map(|words| texts(Some(words)).map(str::to_owned).collect());
    let consts = || {
        let parts = schema.get("oneOf")?.as_array()?;
        parts.iter().map(|part| Some(part.get("const")?.as_str()?.to_owned())).collect()
    };
    of_enum.or_else(consts)
}

/// The schema's type, without a "or nothing".
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(several) => texts(Some(several)).find(|one| *one != "null").unwrap_or_default(),
        None => "",
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn doc(schema: &Value) -> String {
    let words = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn yes_or_no(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}
