//! Short pieces of what an outside system said, for people to read in an error.

/// The longest excerpt, in characters.
pub const LONGEST: usize = 200;

/// `text` without control characters, with single spaces, and at most [`LONGEST`] characters long.
pub fn bounded(text: &str) -> String {
    bounded_to(text, LONGEST)
}

/// `text` without control characters, with single spaces, and at most `longest` characters long.
pub fn bounded_to(text: &str, longest: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = words.take(longest).collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(longest) {
        let end = line[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        line.truncate(end);
        line.push('…');
    }
    line
}
