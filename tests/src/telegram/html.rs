//! Telegram's HTML, read as its own server (tdlib) reads it: the same tags, the same errors.

use serde_json::{Value, json};

/// A text after its markup was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What a person sees, without the white space at both ends.
    pub text: String,
    /// Which part of it is shown how.
    pub entities: Vec<Entity>,
}

/// A part of a text that is shown in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// Telegram's name of it: `bold`, `text_link`, ….
    pub kind: &'static str,
    /// Where it begins, in UTF-16 code units.
    pub offset: usize,
    /// How long it is, in UTF-16 code units.
    pub length: usize,
    /// Where a link leads, which language a block of code is in.
    pub detail: Option<String>,
}

/// How Telegram counts: UTF-16 code units.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Reads a text in Telegram's HTML; the error is what the server says after "can't parse entities: ".
pub fn parse(source: &str) -> Result<Parsed, String> {
    let mut reader = Reader { source, at: 0, text: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    reader.run()?;
    Ok(trimmed(Parsed { text: reader.text, entities: reader.entities }))
}

/// A text without markup.
pub fn plain(source: &str) -> Parsed {
    trimmed(Parsed { text: source.to_owned(), entities: Vec::new() })
}

impl Entity {
    /// As it stands in a message.
    pub(super) fn to_json(&self) -> Value {
        let mut value = json!({"type": self.kind, "offset": self.offset, "length": self.length});
        match (&self.detail, self.kind) {
            (Some(detail), "text_link") => value["url"] = json!(detail),
            (Some(detail), "pre") => value["language"] = json!(detail),
            _ => {}
        }
        value
    }
}

struct Open {
    tag: String,
    detail: Option<String>,
    offset: usize,
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
    text: String,
    units: usize,
    open: Vec<Open>,
    entities: Vec<Entity>,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(next) = self.source[self.at..].chars().next() {
            match next {
                '&' => {
                    let (decoded, length) = reference(&self.source[self.at..]).unwrap_or(('&', 1));
                    self.at += length;
                    self.push(decoded);
                }
                '<' if self.source[self.at..].starts_with("</") => self.end_tag()?,
                '<' => self.start_tag()?,
                other => {
                    self.at += other.len_utf8();
                    self.push(other);
                }
            }
        }
        match self.open.last() {
            Some(open) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag)),
            None => Ok(()),
        }
    }

    fn push(&mut self, next: char) {
        self.text.push(next);
        self.units += next.len_utf16();
    }

    /// The byte at the cursor, zero past the end.
    fn peek(&self) -> u8 {
        self.source.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, mut accepts: impl FnMut(u8) -> bool) -> &str {
        let begin = self.at;
        while self.at < self.source.len() && accepts(self.peek()) {
            self.at += 1;
        }
        self.source.get(begin..self.at).unwrap_or_default()
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        self.at += 1;
        let tag = self.skip_while(|byte| !byte.is_ascii_whitespace() && byte != b'>').to_lowercase();
        if self.at >= self.source.len() {
            return Err(format!("Unclosed start tag at byte offset {begin}"));
        }
        if kind_of(&tag).is_none() {
            return Err(format!("Unsupported start tag \"{tag}\" at byte offset {begin}"));
        }
        let mut detail = None;
        loop {
            self.skip_while(|byte| byte.is_ascii_whitespace());
            match self.peek() {
                b'>' => break,
                0 => return Err(format!("Unclosed start tag \"{tag}\" at byte offset {begin}")),
                _ => {
                    let (name, value) = self.attribute(&tag, begin)?;
                    if matches!((tag.as_str(), name.as_str()), ("a", "href") | ("code" | "span", "class")) {
                        detail = Some(value);
                    }
                }
            }
        }
        self.at += 1;
        if tag == "span" && detail.as_deref() != Some("tg-spoiler") {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(Open { tag, detail, offset: self.units });
        Ok(())
    }

    fn attribute(&mut self, tag: &str, begin: usize) -> Result<(String, String), String> {
        let name = self
            .skip_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'/' | b'"' | b'\''))
            .to_owned();
        if name.is_empty() {
            return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {begin}"));
        }
        self.skip_while(|byte| byte.is_ascii_whitespace());
        if self.peek() != b'=' {
            return Ok((name, String::new()));
        }
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_whitespace());
        let quote = self.peek();
        let value = if matches!(quote, b'"' | b'\'') {
            self.at += 1;
            let raw = self.skip_while(|byte| byte != quote).to_owned();
            if self.peek() != quote {
                return Err(format!("Unclosed start tag at byte offset {begin}"));
            }
            self.at += 1;
            decoded(&raw)
        } else {
            let token_begin = self.at;
            let token =
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')).to_lowercase();
            if !self.peek().is_ascii_whitespace() && self.peek() != b'>' {
                return Err(format!("Unexpected end of name token at byte offset {token_begin}"));
            }
            token
        };
        Ok((name, value))
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(open) = self.open.pop() else {
            return Err(format!("Unexpected end tag at byte offset {begin}"));
        };
        self.at += 2;
        let found = self.skip_while(|byte| !byte.is_ascii_whitespace() && byte != b'>').to_owned();
        self.skip_while(|byte| byte.is_ascii_whitespace());
        if self.peek() != b'>' {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !found.is_empty() && found != open.tag {
            let expected = open.tag;
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{found}>\""
            ));
        }
        let length = self.units - open.offset;
        // An entity without text is none; nor is a link without an address, or an emoji that only Telegram could draw.
        let whole = |kind: &&str| match *kind {
            "text_link" => open.detail.is_some(),
            kind => kind != "custom_emoji",
        };
        if let Some(kind) = kind_of(&open.tag).filter(whole).filter(|_| length > 0) {
            self.entities.push(Entity { kind, offset: open.offset, length, detail: open.detail });
        }
        Ok(())
    }
}

fn kind_of(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "a" => "text_link",
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "s" | "strike" | "del" => "strikethrough",
        "u" | "ins" => "underline",
        "tg-spoiler" | "span" => "spoiler",
        "tg-emoji" => "custom_emoji",
        "pre" => "pre",
        "code" => "code",
        "blockquote" => "blockquote",
        _ => return None,
    })
}

/// The character that a reference at the beginning of `text` stands for, and the reference's length in bytes. Telegram
/// knows four names and all numbers; anything else is plain text.
fn reference(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    let (decoded, length) = if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix, prefix) = match number.strip_prefix('x') {
            Some(hex) => (hex, 16, 3),
            None => (number, 10, 2),
        };
        let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
        let code = u32::from_str_radix(digits.get(..count)?, radix).ok().filter(|code| *code != 0)?;
        (char::from_u32(code)?, prefix + count)
    } else {
        let count = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let decoded = match rest.get(..count)? {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            _ => return None,
        };
        (decoded, 1 + count)
    };
    let semicolon = usize::from(text.as_bytes().get(length) == Some(&b';'));
    Some((decoded, length + semicolon))
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (decoded, length) = reference(rest).unwrap_or((next, next.len_utf8()));
        out.push(decoded);
        rest = &rest[length..];
    }
    out
}

/// Telegram removes white space from both ends of a message.
fn trimmed(parsed: Parsed) -> Parsed {
    let without_end = parsed.text.trim_end();
    let text = without_end.trim_start().to_owned();
    let cut = units(without_end) - units(&text);
    let end = units(&text);
    let entities = parsed
        .entities
        .into_iter()
        .filter_map(|entity| {
            let from = entity.offset.max(cut) - cut;
            let to = (entity.offset + entity.length).saturating_sub(cut).min(end);
            (to > from).then(|| Entity { offset: from, length: to - from, ..entity })
        })
        .collect();
    Parsed { text, entities }
}
