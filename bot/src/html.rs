//! Telegram's HTML: writing it safely, and cutting it into messages.
//!
//! Telegram knows a few tags, four named references (`&lt; &gt; &amp; &quot;`) and numbers, and counts what is left when
//! they are read, in UTF-16 code units. <https://core.telegram.org/bots/api#html-style>

/// What one message may hold, as [`length`] counts.
pub const MOST_IN_MESSAGE: usize = 4096;

/// What the caption of a file may hold, as [`length`] counts.
pub const MOST_IN_CAPTION: usize = 1024;

/// Makes any text safe to stand between tags or in an attribute's quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for next in text.chars() {
        match next {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// How long a text is to Telegram: in UTF-16 code units, without tags, a reference being one character.
pub fn length(html: &str) -> usize {
    Tokens(html).map(|token| token.units()).sum()
}

/// Cuts a text into parts of at most `limit`, at ends of lines. A line that is itself too long is cut between two
/// characters. Tags that are open at a cut are closed there and opened again, so each part stands by itself. Parts that
/// would show nothing are left out, since Telegram refuses them.
pub fn split(html: &str, limit: usize) -> Vec<String> {
    let mut cutter = Cutter { limit, parts: Vec::new(), part: String::new(), units: 0, blank: true, open: Vec::new() };
    let tokens: Vec<Token<'_>> = Tokens(html).collect();
    for (number, line) in tokens.split(|token| matches!(token, Token::Char { decoded: '\n', .. })).enumerate() {
        let units: usize = line.iter().map(Token::units).sum();
        if number > 0 && cutter.units > 0 {
            cutter.end_line(units);
        }
        for token in line {
            cutter.push(token);
        }
    }
    cutter.cut();
    cutter.parts
}

/// A piece of HTML that is never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// One character, written as itself or as a reference.
    Char {
        /// The character that is shown.
        decoded: char,
        /// How it is written.
        raw: &'a str,
    },
    /// A tag that begins.
    Open {
        /// The tag's name.
        name: &'a str,
        /// All of it, with its brackets.
        raw: &'a str,
    },
    /// A tag that ends.
    Close {
        /// The tag's name.
        name: &'a str,
    },
}

impl Token<'_> {
    fn units(&self) -> usize {
        match self {
            Self::Char { decoded, .. } => decoded.len_utf16(),
            Self::Open { .. } | Self::Close { .. } => 0,
        }
    }
}

/// Reads HTML piece by piece. What is no tag and no reference is text.
pub(crate) struct Tokens<'a>(pub(crate) &'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.0.chars().next()?;
        let (token, length) = match first {
            '<' => tag(self.0),
            '&' => reference(self.0),
            _ => None,
        }
        .unwrap_or_else(|| {
            let raw = &self.0[..first.len_utf8()];
            (Token::Char { decoded: first, raw }, raw.len())
        });
        self.0 = &self.0[length..];
        Some(token)
    }
}

fn tag(text: &str) -> Option<(Token<'_>, usize)> {
    let mut quote = None;
    let end = text.bytes().position(|byte| {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(begun)) if byte == begun => quote = None,
            _ => {}
        }
        byte == b'>' && quote.is_none()
    })?;
    let raw = &text[..=end];
    let inner = &text[1..end];
    let name_of = |inner: &'_ str| inner.split_ascii_whitespace().next().unwrap_or_default().len();
    let token = match inner.strip_prefix('/') {
        Some(name) => Token::Close { name: name.trim_ascii() },
        None => Token::Open { name: &inner[..name_of(inner)], raw },
    };
    Some((token, raw.len()))
}

fn reference(text: &str) -> Option<(Token<'_>, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let decoded = match &text[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        number => {
            let digits = number.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            code.ok().filter(|code| *code != 0).and_then(char::from_u32)?
        }
    };
    Some((Token::Char { decoded, raw: &text[..=end] }, end + 1))
}

struct Cutter<'a> {
    limit: usize,
    parts: Vec<String>,
    part: String,
    units: usize,
    /// Whether the part shows nothing yet.
    blank: bool,
    open: Vec<(&'a str, &'a str)>,
}

impl<'a> Cutter<'a> {
    /// Ends a line: the next one, so long, goes below it or into a new part.
    fn end_line(&mut self, next: usize) {
        if self.units + 1 + next > self.limit {
            self.cut();
        } else {
            self.part.push('\n');
            self.units += 1;
        }
    }

    fn push(&mut self, token: &Token<'a>) {
        match *token {
            Token::Char { decoded, raw } => {
                if self.units + decoded.len_utf16() > self.limit {
                    self.cut();
                }
                self.part.push_str(raw);
                self.units += decoded.len_utf16();
                self.blank &= decoded.is_whitespace();
            }
            Token::Open { name, raw } => {
                self.part.push_str(raw);
                self.open.push((name, raw));
            }
            Token::Close { name } => {
                if self.open.pop_if(|(open, _)| *open == name).is_some() {
                    self.part.extend(["</", name, ">"]);
                }
            }
        }
    }

    fn cut(&mut self) {
        for (name, _) in self.open.iter().rev() {
            self.part.extend(["</", name, ">"]);
        }
        let begun: String = self.open.iter().map(|(_, raw)| *raw).collect();
        let part = std::mem::replace(&mut self.part, begun);
        if !self.blank {
            self.parts.push(part);
        }
        self.units = 0;
        self.blank = true;
    }
}
