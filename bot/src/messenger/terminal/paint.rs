//! A message as lines of a terminal: markup as ANSI codes, wrapped at the terminal's width, nothing in it that could
//! steer the terminal.

use unicode_width::UnicodeWidthChar;

use super::super::{Document, Message};
use crate::html::{Token, Tokens};

/// A text file is shown up to so many lines.
const MOST_LINES: usize = 200;
/// The narrowest text, on however narrow a terminal.
const NARROWEST: usize = 10;

/// Left free at the right, for a symbol that this terminal draws wider than Unicode says.
const SPARE: usize = 1;

const PLAIN: u8 = 0;
const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const UNDERLINE: u8 = 4;
const STRIKE: u8 = 8;
const CODE: u8 = 16;
const DIM: u8 = 32;
/// The style bits and the ANSI code of each.
const CODES: [(u8, &str); 6] = [(BOLD, "1"), (ITALIC, "3"), (UNDERLINE, "4"), (STRIKE, "9"), (CODE, "36"), (DIM, "2")];

type Cell = (char, u8);

/// How to paint: `columns` is the terminal's width, `None` for plain lines of any length without codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) columns: Option<usize>,
}

impl Paint {
    /// The lines of a message, with an empty one at the end. `mark` stands before its number.
    pub(super) fn message(self, number: i64, message: &Message, mark: &str) -> Vec<String> {
        let head = format!("{mark}#{number} ");
        let indent = width(&head);
        let mut body = text(&message.html);
        if let Some(document) = &message.document {
            body.extend(file(document));
        }
        body.extend(buttons(number, message));
        let room = self.columns.map(|columns| columns.saturating_sub(indent + SPARE).max(NARROWEST));
        let rows = body.into_iter().flat_map(|line| wrap(line, room));
        let mut lines: Vec<String> = rows
            .enumerate()
            .map(|(place, row)| {
                let left = if place == 0 { self.style(&styled(&head, DIM)) } else { " ".repeat(indent) };
                format!("{left}{}", self.style(&row)).trim_end().to_owned()
            })
            .collect();
        lines.push(String::new());
        lines
    }

    /// Cells as text: codes where the style changes, none when there is no terminal to read them.
    fn style(self, cells: &[Cell]) -> String {
        let mut out = String::new();
        let mut current = PLAIN;
        for (next, style) in cells {
            if *style != current && self.columns.is_some() {
                out.push_str("\x1b[0");
                for (_, code) in CODES.iter().filter(|(bit, _)| style & bit != 0) {
                    out.extend([";", code]);
                }
                out.push('m');
                current = *style;
            }
            out.push(*next);
        }
        if current != PLAIN {
            out.push_str("\x1b[0m");
        }
        out
    }
}

/// Plain words on one line, made harmless.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|next| if next == '\n' { ' ' } else { harmless(next) }).collect()
}

/// The lines of a text in HTML.
fn text(html: &str) -> Vec<Vec<Cell>> {
    let mut lines = vec![Vec::new()];
    let mut styles = vec![PLAIN];
    let mut link = None;
    for token in Tokens(html) {
        let style = styles.last().copied().unwrap_or(PLAIN);
        match token {
            Token::Char { decoded: '\n', .. } => lines.push(Vec::new()),
            Token::Char { decoded, .. } => put(&mut lines, [(harmless(decoded), style)]),
            Token::Open { name, raw } => {
                link = if name == "a" { address(raw) } else { link };
                styles.push(style | style_of(name));
            }
            Token::Close { name } => {
                if styles.len() > 1 {
                    styles.pop();
                }
                if let Some(address) = link.take_if(|_| name == "a") {
                    put(&mut lines, styled(&format!(" ({address})"), DIM));
                }
            }
        }
    }
    lines
}

fn put(lines: &mut [Vec<Cell>], cells: impl IntoIterator<Item = Cell>) {
    if let Some(line) = lines.last_mut() {
        line.extend(cells);
    }
}

fn style_of(tag: &str) -> u8 {
    match tag {
        "b" | "strong" => BOLD,
        "i" | "em" => ITALIC,
        "u" | "ins" | "a" => UNDERLINE,
        "s" | "strike" | "del" => STRIKE,
        "code" | "pre" => CODE,
        "blockquote" => DIM,
        _ => PLAIN,
    }
}

/// Where a link leads.
fn address(tag: &str) -> Option<String> {
    let (_, rest) = tag.split_once("href=\"")?;
    let (address, _) = rest.split_once('"')?;
    Some(
        Tokens(address)
            .filter_map(|token| if let Token::Char { decoded, .. } = token { Some(decoded) } else { None })
            .collect(),
    )
}

/// The buttons, each with what presses it.
fn buttons(message_number: i64, message: &Message) -> Vec<Vec<Cell>> {
    let mut number = 0;
    let rows = message.buttons.iter().map(|row| {
        let mut line = Vec::new();
        for button in row {
            number += 1;
            line.extend(styled(if line.is_empty() { "" } else { "  " }, PLAIN));
            let press = if message.grave { format!("[#{message_number}.{number}]") } else { format!("[{number}]") };
            line.extend(styled(&press, BOLD | CODE));
            line.extend(styled(&format!(" {}", plain(&button.label)), PLAIN));
        }
        line
    });
    rows.collect()
}

/// A file: its name and size, and what is in it if that is text.
fn file(document: &Document) -> Vec<Vec<Cell>> {
    let head = format!("[file] {} ({} bytes)", plain(&document.name), document.bytes.len());
    let mut lines = vec![styled(&head, BOLD)];
    let Ok(content) = std::str::from_utf8(&document.bytes) else { return lines };
    lines.extend(content.lines().take(MOST_LINES).map(|line| styled(line, DIM)));
    let more = content.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.push(styled(&format!("… {more} lines more"), BOLD));
    }
    lines
}

fn styled(text: &str, style: u8) -> Vec<Cell> {
    text.chars().map(|next| (harmless(next), style)).collect()
}

/// A character that cannot steer a terminal or turn a line around: what others name their servers is not ours to trust.
fn harmless(next: char) -> char {
    match next {
        '\t' => ' ',
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
            '\u{fffd}'
        }
        next if next.is_control() => '\u{fffd}',
        next => next,
    }
}

fn width(text: &str) -> usize {
    text.chars().map(|next| next.width().unwrap_or(0)).sum()
}

/// Cuts a line into rows of at most `room` columns, at spaces where there are any.
fn wrap(line: Vec<Cell>, room: Option<usize>) -> Vec<Vec<Cell>> {
    let Some(room) = room else { return vec![line] };
    let mut rows = Vec::new();
    let mut row: Vec<Cell> = Vec::new();
    for cell in line {
        let taken: usize = row.iter().map(|(next, _)| next.width().unwrap_or(0)).sum();
        if taken + cell.0.width().unwrap_or(0) > room {
            let space = row.iter().rposition(|(next, _)| *next == ' ').filter(|_| cell.0 != ' ');
            let rest = space.map_or_else(Vec::new, |space| row.split_off(space + 1));
            rows.push(std::mem::replace(&mut row, rest));
            if cell.0 == ' ' {
                continue;
            }
        }
        row.push(cell);
    }
    rows.push(row);
    rows
}
