//! Every word that people read, in their language, by Fluent. The texts are in `bot/texts/<language>/`.
//!
//! Texts are Telegram's HTML. Whatever comes from outside (names, addresses, errors of other systems) goes in as
//! [`Arg::Text`], is stripped of what could mislead an eye and is escaped; only [`Arg::Html`] goes in as it is.

use std::{borrow::Cow, collections::HashMap};

use fluent_templates::{LanguageIdentifier, StaticLoader, fluent_bundle::FluentValue, langid, static_loader};
use rackhand_core::units::Timestamp;

use crate::html::escape;

static_loader! {
    static TEXTS = {
        locales: "./texts",
        fallback_language: "en",
        // The marks that isolate directions show as boxes in some Telegram apps; we strip misleading marks ourselves.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

static EN: LanguageIdentifier = langid!("en");
static RU: LanguageIdentifier = langid!("ru");

/// Longest text from outside that goes into a message.
const MOST_FROM_OUTSIDE: usize = 400;

/// A language that Rackhand speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    En,
    /// Russian.
    Ru,
}

/// What goes into a text.
#[derive(Clone, Debug)]
pub enum Arg {
    /// Text from outside.
    Text(String),
    /// HTML that we made.
    Html(String),
    /// A number, which also chooses the plural.
    Number(i64),
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Ru];

    /// The language of a user's record, or of an app's tag such as `ru-RU`.
    pub fn of(code: &str) -> Self {
        if code.starts_with("ru") { Self::Ru } else { Self::En }
    }

    /// `en` or `ru`.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    /// A text as HTML. An unknown key is a bug that a test finds; it shows as itself.
    pub fn say(self, key: &str, args: &[(&'static str, Arg)]) -> String {
        self.find(key, args).unwrap_or_else(|| key.to_owned())
    }

    /// A text as HTML, if there is one with this key.
    pub fn find(self, key: &str, args: &[(&'static str, Arg)]) -> Option<String> {
        self.lookup(key, args, escape)
    }

    /// A text as plain text, for buttons and toasts.
    pub fn plain(self, key: &str, args: &[(&'static str, Arg)]) -> String {
        self.lookup(key, args, str::to_owned).unwrap_or_else(|| key.to_owned())
    }

    fn lookup(self, key: &str, args: &[(&'static str, Arg)], safe: impl Fn(&str) -> String) -> Option<String> {
        let id = match self {
            Self::En => &EN,
            Self::Ru => &RU,
        };
        let args: HashMap<Cow<'static, str>, FluentValue<'_>> = args
            .iter()
            .map(|(name, arg)| {
                let value = match arg {
                    Arg::Text(text) => safe(&clean(text)).into(),
                    Arg::Html(html) => html.clone().into(),
                    Arg::Number(number) => (*number).into(),
                };
                (Cow::Borrowed(*name), value)
            })
            .collect();
        let loader: &StaticLoader = &TEXTS;
        loader.lookup_single_language(id, key, Some(&args)).ok()
    }

    /// A span of time in its two largest units: `2 min 5 s`, `1 h`, `3 d 4 h`.
    pub fn span(self, ms: i64) -> String {
        let seconds = ms.max(0) / 1000;
        let units = [("span-d", 86_400), ("span-h", 3_600), ("span-min", 60), ("span-s", 1)];
        let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(3);
        let part = |at: usize, rest: i64| {
            units.get(at).map(|(key, size)| (self.plain(key, &[("n", Arg::Number(rest / size))]), rest % size))
        };
        let Some((mut text, rest)) = part(first, seconds) else { return String::new() };
        // Seconds beside hours, or hours beside weeks, help nobody.
        if let Some((more, _)) = part(first + 1, rest).filter(|_| units.get(first + 1).is_some_and(|u| rest >= u.1)) {
            text.push(' ');
            text.push_str(&more);
        }
        text
    }
}

/// A moment as people read it: `14:32 UTC`, with the date where it is not the day of `now`.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (at.to_string(), now.to_string());
    match (at.get(..10), now.get(..10), at.get(11..16)) {
        (Some(day), Some(today), Some(time)) if day == today => format!("{time} UTC"),
        (Some(day), _, Some(time)) => format!("{day} {time} UTC"),
        _ => at,
    }
}

/// Whether a character turns the direction of writing or takes no room: what is seen is then not what is there.
pub fn is_misleading(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Text from outside, on one line, without control characters and without marks that turn the direction of writing or
/// take no room: what is seen is what is there.
pub fn clean(text: &str) -> String {
    let spaces = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let mut out: String =
        spaces.filter(|c| !c.is_control() && !is_misleading(*c)).take(MOST_FROM_OUTSIDE + 1).collect();
    if let Some((end, _)) = out.char_indices().nth(MOST_FROM_OUTSIDE) {
        out.truncate(end);
        out.push('…');
    }
    out.trim().to_owned()
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Arg {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Arg {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A text as HTML: `say!(lang, "key", handle = &server.handle)`.
macro_rules! say {
    ($lang:expr, $key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $lang.say($key, &[$((stringify!($name), $crate::texts::Arg::from($value))),*])
    };
}

/// A text as plain text: `plain!(lang, "button-x")`.
macro_rules! plain {
    ($lang:expr, $key:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $lang.plain($key, &[$((stringify!($name), $crate::texts::Arg::from($value))),*])
    };
}

pub(crate) use {plain, say};
