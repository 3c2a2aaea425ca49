//! What is looked at before an input is kept anywhere, also in the audit: whatever is refused here was never written down.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// The parts of a config drive; all are objects, `user_data` may be anything but a number or a truth.
/// <https://docs.openstack.org/ironic/latest/install/configdrive.html>
const PARTS: [&str; 4] = ["meta_data", "network_data", "user_data", "vendor_data"];

/// An image: an id, a name, or a URL without a login.
pub(super) fn image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    without_login(String::deserialize(deserializer)?, |text| text.split("://").skip(1).any(has_login))
}

/// The address of a BMC, without a login.
pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    without_login(String::deserialize(deserializer)?, |text| text.split("://").any(has_login))
}

/// A config drive as Ironic takes it. Ironic's own words for one that it does not take repeat all of it.
pub(super) fn config_drive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let drive = Option::<Value>::deserialize(deserializer)?.filter(|drive| !drive.is_null());
    let wrong = match &drive {
        None | Some(Value::String(_)) => None,
        Some(Value::Object(parts)) => parts.iter().find_map(|(name, part)| wrong_part(name, part)),
        Some(_) => Some("an object or a text is expected".to_owned()),
    };
    wrong.map_or(Ok(drive), |why| Err(D::Error::custom(why)))
}

fn wrong_part(name: &str, part: &Value) -> Option<String> {
    let name: String = name.chars().take(64).collect();
    if !PARTS.contains(&name.as_str()) {
        return Some(format!("there is no part {name:?}; there are: {}", PARTS.join(", ")));
    }
    let free = name == "user_data" && matches!(part, Value::Array(_) | Value::String(_) | Value::Null);
    (!free && !part.is_object()).then(|| format!("{name} must be an object"))
}

fn without_login<E: Error>(text: String, logs_in: impl Fn(&str) -> bool) -> Result<String, E> {
    if logs_in(&text) {
        return Err(E::custom("an address without a login is expected: it would stand where many read it"));
    }
    Ok(text)
}

/// Whether what follows a scheme begins with a login.
fn has_login(rest: &str) -> bool {
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}
