//! Short, harmless pieces of what the provider said, for people to read in an error.

use super::password::entities;
pub use crate::clients::excerpt::bounded;

/// What may be told of a body that could not be understood. JSON that broke off is not quoted, nor is anything that
/// mentions a password: either may hold one.
pub fn of_body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    let lower = text.to_lowercase();
    let telling = ["passw", "innerhtml", "onclick", "authorization", "\"results\""];
    if text.trim_start().starts_with(['{', '[', '"']) || telling.iter().any(|word| lower.contains(word)) {
        return format!("[{} bytes withheld: they may hold a password]", body.len());
    }
    let shown = bounded(&without_tags(&text));
    if shown.is_empty() { format!("[{} bytes without words]", body.len()) } else { shown }
}

/// `text` without its HTML tags, scripts and styles, and with its entities resolved.
pub fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        let inside = &rest[at..];
        if !inside[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            plain.push('<');
            rest = &inside[1..];
            continue;
        }
        plain.push(' ');
        let silent = ["script", "style"]
            .into_iter()
            .find(|name| inside.get(1..=name.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(name)));
        let end = match silent {
            Some(name) => inside.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(inside.len()),
            None => inside.find('>').map_or(inside.len(), |end| end + 1),
        };
        rest = &inside[end..];
    }
    plain.push_str(rest);
    entities(&plain)
}

/// `text` with every word blotted out that looks made by a machine: letters with digits, or capitals inside.
pub fn blotted(text: &str) -> String {
    let blot = |word: &str| {
        let has = |kind: fn(char) -> bool| word.chars().any(kind);
        let capital_inside = word.chars().skip(1).any(char::is_uppercase) && has(char::is_lowercase);
        let mixed = has(char::is_alphabetic) && has(|c| c.is_ascii_digit());
        if word.chars().count() >= 6 && (mixed || capital_inside) { "[…]".to_owned() } else { word.to_owned() }
    };
    text.split(' ').map(blot).collect::<Vec<_>>().join(" ")
}
