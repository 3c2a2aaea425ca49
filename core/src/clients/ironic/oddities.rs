//! What Ironic says and its interface description does not, one named predicate each. The sentences are those of
//! Ironic 39.0.0 (ironic/common/exception.py); the errors that matter have no code of their own beside the HTTP status.

use serde_json::Value;

/// What an error says. **Errors come in three shapes**: a JSON *text* in `error_message` with `faultstring` in it, the
/// same with `title` and `description` (for what never came to an operation), and `error.message` (where a login is
/// asked for). A proxy before Ironic may send a fourth, which is not read.
pub fn errors_come_in_three_shapes(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let said = |value: &Value| {
        let keys = ["faultstring", "description", "message", "title"];
        let mut words = keys.iter().filter_map(|key| value[*key].as_str()).filter(|words| !words.trim().is_empty());
        words.next().map(str::to_owned)
    };
    match &answer["error_message"] {
        Value::String(text) => {
            let inner = serde_json::from_str::<Value>(text).ok();
            inner.as_ref().and_then(said).or_else(|| Some(text.clone()).filter(|text| !text.trim().is_empty()))
        }
        inner @ Value::Object(_) => said(inner),
        _ => said(&answer["error"]),
    }
}

/// What was asked for can be the name of no node. **It is a 400**, like wrong input.
pub fn is_no_identity(message: &str) -> bool {
    message.starts_with("Expected UUID or name for node")
}

/// The conductor that holds the node's lock.
pub fn locked_by(message: &str) -> Option<&str> {
    message.split_once(" is locked by host ")?.1.split([',', ' ']).next()
}

/// The node's parent or child has the lock.
pub fn family_is_locked(message: &str) -> bool {
    message.contains(" is presently locked ")
}

/// The node, or the instance, is taken already.
pub fn is_taken(message: &str) -> bool {
    message.contains(" is associated with instance ") || message.contains(" is already associated with a node")
}

/// Another has this name, identity or address.
pub fn is_duplicate(message: &str) -> bool {
    message.contains(" already exists")
}

/// **A wrong state is a 400**, like wrong input; only the sentence tells.
pub fn state_does_not_allow_it(message: &str) -> bool {
    message.contains(" can not be performed on node ") && message.contains(" while it is in state ")
}

/// A change while the node moves, which is a 409.
pub fn node_is_moving(message: &str) -> bool {
    message.contains(" while a state transition is in progress")
}

/// The node is kept out of use.
pub fn is_in_maintenance(message: &str) -> bool {
    message.contains(" because it's in maintenance mode")
}

/// The node may not be taken down, rebuilt or deleted. **It is a 403**, like a missing right.
pub fn is_protected(message: &str) -> bool {
    message.contains(" is protected and cannot be ")
}

/// No conductor takes care of the node, or of its driver. **It is a 400 or a 404**, like wrong input.
pub fn no_conductor(message: &str) -> bool {
    message.starts_with("No valid host was found")
}

/// The image cannot be found, or not be downloaded. **It may be a 404**, like a missing node, **or a 500** where no part
/// of the driver looks for it first. Mostly it is found out after a deployment was accepted, and told in the node's
/// `last_error` then.
pub fn no_image(message: &str) -> bool {
    let away =
        ["Validation of image href ", "Invalid image href ", "Failed to download image ", "Not authorized for image "];
    let missing = |words: &str| [" could not be found", " can not be found"].iter().any(|end| words.contains(end));
    sentences(message).any(|words| {
        away.iter().any(|beginning| words.starts_with(beginning))
            || words.starts_with("Image ") && missing(words)
            || words.starts_with("The requested image ") && words.contains(" requires authentication ")
    })
}

/// The image is there and does not do, by its state, its kind or its checksum. **It is a 500** mostly.
pub fn image_does_not_do(message: &str) -> bool {
    let of_it = ["The requested image ", "The supplied image ", "Use of remote checksum files "];
    sentences(message).any(|words| {
        of_it.iter().any(|beginning| words.starts_with(beginning))
            || words.starts_with("Image ") && words.contains(" is unacceptable")
    })
}

/// What the node was given does not do for a deployment.
pub fn is_not_valid(message: &str) -> bool {
    message.starts_with("Failed to validate ")
}

/// What Ironic says, with what it was doing said before: **an error is told behind another's words and a colon**.
fn sentences(message: &str) -> impl Iterator<Item = &str> {
    message.split(": ")
}

/// Whether a name can be the name of a node: Ironic allows the characters that a path need not encode. Its server
/// decodes a path before it is taken apart, so that **an encoded slash would name another resource**, and no client
/// can ask for `.` or `..`.
pub fn can_be_a_name(name: &str) -> bool {
    let fit = |c: char| !c.is_control() && !matches!(c, '/' | '\\');
    !matches!(name, "" | "." | "..") && name.len() <= 255 && name.chars().all(fit)
}
