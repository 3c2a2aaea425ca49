//! JSON as it has one meaning only: whoever reads a name twice takes the first or the last, and another reader the other.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, error::Category};

use super::{Problem, input::shown};

/// The value in `bytes`, in which every object has each of its names once.
///
/// # Errors
/// It is no JSON, goes deeper than the 128 levels that `serde_json` does, or has a name twice: then it says where.
pub(super) fn strict(bytes: &[u8]) -> Result<Value, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let no_json = |error: &serde_json::Error| Problem::bad(".", "bad-json", format!("the body is no JSON: {error}"));
    let Once(value) =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| match error.inner().classify() {
            Category::Data => Problem::bad(shown(&error.path().to_string()), "given-twice", TWICE),
            _ => no_json(error.inner()),
        })?;
    reader.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

const TWICE: &str = "this field is given more than once";

struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Anything).map(Self)
    }
}

struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if all.contains_key(&name) {
                fields.next_value_seed(Twice)?;
            }
            let Once(value) = fields.next_value()?;
            all.insert(name, value);
        }
        Ok(all.into())
    }
}

/// Refuses whatever stands at a name that was there before; asked for as a value, so that the place is known.
struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(D::Error::custom(TWICE))
    }
}
