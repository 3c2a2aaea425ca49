//! The new root password in a task's results, and what of such results may be shown.
//!
//! **The password hides in HTML**: `Password: \t<a onclick='… this.innerHTML = "PASSWORD"'>Click…</a>`; plain
//! `New password: X` and `Root password: X` were seen too. The text around it is for a browser, so the password comes
//! with JavaScript and HTML escapes, and may itself hold `< > & " '`.

use super::excerpt::{blotted, bounded, without_tags};
use crate::secret::Secret;

/// The longest password that is believed, in characters.
const LONGEST: usize = 256;
/// Names of HTML tags that were seen, or are likely, around a password.
const TAGS: [&str; 13] = ["a", "b", "br", "code", "div", "em", "font", "i", "p", "pre", "span", "strong", "td"];

/// The new password in `results`, when they hold one in a form that is known.
pub fn password_hides_in_html(results: &str) -> Option<Secret> {
    scripted(results).or_else(|| labelled(results)).map(Secret::new)
}

/// A task that ends is "completed" also when it failed; only the words of its results say so.
pub fn completed_may_mean_failed(results: &str) -> bool {
    const SAYINGS: [&str; 7] = ["fail", "error", "unable", "could not", "cannot", "timed out", "aborted"];
    let lower = results.to_lowercase();
    SAYINGS.iter().any(|saying| lower.contains(saying)) && password_hides_in_html(results).is_none()
}

/// What of `results` may be shown: a short text without tags, cut where a password may begin. Results that neither
/// hold a known password nor tell a failure are withheld whole when `secretive`: they may hold one in a new form. For
/// the same reason a secretive failure is shown without words that look like passwords.
pub fn showable(results: &str, secretive: bool) -> Option<String> {
    if results.trim().is_empty() {
        return None;
    }
    if secretive && !completed_may_mean_failed(results) {
        return Some(format!("[{} characters withheld: they may hold a password]", results.chars().count()));
    }
    let shown = bounded(&without_tags(&results[..password_begins(results)]));
    let shown = if secretive { blotted(&shown) } else { shown };
    (!shown.is_empty()).then_some(shown)
}

/// `innerHTML = "PASSWORD"`, with any of the quotes that HTML and JavaScript allow there.
fn scripted(results: &str) -> Option<String> {
    results.match_indices("innerHTML").find_map(|(at, name)| {
        let rest = results[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = ["&quot;", "&#34;", "&#039;", "&#39;", "\\\"", "\\'", "\"", "'"];
        let quote = quote.into_iter().find(|quote| rest.starts_with(quote))?;
        let rest = &rest[quote.len()..];
        proper(&plain(&rest[..closing(rest, quote)?]))
    })
}

/// Where the quoted text ends: at the first quote that is not escaped and after which the script or the tag goes on as
/// it must; the password may hold the same quote. Else at the first quote.
fn closing(text: &str, quote: &str) -> Option<usize> {
    let escaped = |at: usize| text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
    let mut quotes = text.match_indices(quote).map(|(at, _)| at).filter(|at| !escaped(*at)).peekable();
    let first = quotes.peek().copied()?;
    quotes.find(|at| script_goes_on(&text[at + quote.len()..])).or(Some(first))
}

fn script_goes_on(after: &str) -> bool {
    let after = after.trim_start().trim_start_matches(';').trim_start();
    let outside =
        ["'", "\"", "&#039;", "&#39;", "&quot;", "\\\"", "\\'"].iter().find_map(|quote| after.strip_prefix(quote));
    after.is_empty()
        || ["return", "this.", "}", ">"].iter().any(|next| after.starts_with(next))
        || outside.is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.is_empty() || rest.starts_with('>') || rest.starts_with("/>") || attribute(rest)
        })
}

/// `name=`, as the next attribute of a tag begins.
fn attribute(text: &str) -> bool {
    let name = text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').count();
    name > 0 && text[name..].starts_with('=')
}

/// `Password: X`, whatever stands before the word.
fn labelled(results: &str) -> Option<String> {
    let lower = results.to_ascii_lowercase();
    lower.match_indices("password").find_map(|(at, word)| {
        let rest = results[at + word.len()..].trim_start_matches([' ', '\t']).strip_prefix([':', '='])?;
        let rest = rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{a0}']);
        let line = rest.lines().next().unwrap_or_default();
        let line = if tag_begins(line).is_some() { wrapped(line)? } else { line.to_owned() };
        let token = line.split_whitespace().next()?;
        let alone = line.split_whitespace().count() == 1;
        if !alone && sounds_like_a_sentence(&line) {
            return None;
        }
        let end = token.match_indices('<').map(|(at, _)| at).find(|at| *at > 0 && tag_begins(&token[*at..]).is_some());
        proper(&entities(&token[..end.unwrap_or(token.len())]))
    })
}

/// The text inside `<b>…</b>`; a link's text is an invitation to click, not a password.
fn wrapped(line: &str) -> Option<String> {
    (tag_begins(line)? != "a").then(|| without_tags(line))
}

/// The name of the HTML tag, opening or closing, that `text` begins with.
fn tag_begins(text: &str) -> Option<String> {
    let inner = text.strip_prefix('<')?;
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let ends = inner[name.len()..].chars().next().is_some_and(|c| c.is_whitespace() || c == '>' || c == '/');
    (ends && TAGS.contains(&name.as_str())).then_some(name)
}

fn sounds_like_a_sentence(line: &str) -> bool {
    let line = line.to_lowercase();
    ["fail", "error", "not ", "unable", "cannot", "could"].iter().any(|word| line.contains(word))
}

fn proper(text: &str) -> Option<String> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{a0}');
    let fits = !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// A text without its JavaScript escapes, then without its HTML ones: the order in which a browser meets them here.
fn plain(text: &str) -> String {
    entities(&unescaped(text))
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let (c, used) = escape(&rest[at + 1..]);
        plain.extend(c);
        rest = &rest[at + 1 + used..];
    }
    plain.push_str(rest);
    plain
}

/// The character that the escape after a backslash stands for, and the bytes it takes.
fn escape(text: &str) -> (Option<char>, usize) {
    let coded = |digits: usize| {
        let code = text.get(1..=digits).and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
        code.map(|c| (Some(c), digits + 1))
    };
    match text.chars().next() {
        Some('x') => coded(2).unwrap_or((Some('x'), 1)),
        Some('u') => coded(4).unwrap_or((Some('u'), 1)),
        Some('n') => (Some('\n'), 1),
        Some('t') => (Some('\t'), 1),
        Some('r') => (Some('\r'), 1),
        Some(c) => (Some(c), c.len_utf8()),
        None => (None, 0),
    }
}

pub(super) fn entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let (c, used) = entity(&rest[at..]).unwrap_or(('&', 1));
        plain.push(c);
        rest = &rest[at + used..];
    }
    plain.push_str(rest);
    plain
}

/// The character of the entity that `text` begins with, and the bytes it takes.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.bytes().take(10).position(|byte| byte == b';')?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => {
            let digits = name.strip_prefix('#')?;
            let hex = digits.strip_prefix(['x', 'X']);
            let code = hex.map_or_else(|| digits.parse(), |hex| u32::from_str_radix(hex, 16)).ok()?;
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

/// Where in `results` a password may begin; their length when nowhere.
fn password_begins(results: &str) -> usize {
    let lower = results.to_ascii_lowercase();
    let labelled = lower.match_indices("passw").map(|(at, _)| at).find(|at| {
        let word = lower[*at..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(lower.len() - at);
        lower[at + word..].trim_start().starts_with([':', '='])
    });
    [labelled, lower.find("innerhtml"), lower.find("onclick")].into_iter().flatten().min().unwrap_or(results.len())
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
