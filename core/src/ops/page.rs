//! Lists come in pages. A cursor names the last item seen, so that what is added meanwhile moves nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OpError;
use crate::store::Slice;

/// How many items a page has where nobody says.
const USUAL: u32 = 50;
/// How many it has at most.
const MOST: u32 = 500;
/// Before the key of the last item seen.
const AFTER: &str = "a";
/// Before a number of items to skip.
const SKIP: &str = "s";

/// A part of a list that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    after: String,
    offset: u32,
    size: u32,
}

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListInput {
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

/// A part of a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct PageOf<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next part; none after the last.
    pub next: Option<String>,
}

impl Page {
    /// The page that `cursor` (empty: the first) and `limit` (0: 50; at most 500) name.
    ///
    /// # Errors
    /// `BadInput` for a cursor that is none of ours, or a larger limit.
    pub fn of(cursor: &str, limit: u32) -> Result<Self, OpError> {
        if limit > MOST {
            let message = format!("at most {MOST} are expected, or 0 for {USUAL}");
            return Err(OpError::BadInput { path: "limit".to_owned(), message });
        }
        let size = if limit == 0 { USUAL } else { limit };
        let page = |after: String, offset| Ok(Self { after, offset, size });
        if cursor.is_empty() {
            page(String::new(), 0)
        } else if let Some(skip) = cursor.strip_prefix(SKIP) {
            page(String::new(), skip.parse().map_err(|_| bad_cursor())?)
        } else {
            let key = cursor.strip_prefix(AFTER).and_then(super::call::unhex);
            let key = key.and_then(|key| String::from_utf8(key).ok());
            // No key of ours has such a character, and PostgreSQL takes no NUL in a text.
            let key = key.filter(|key| !key.contains(char::is_control));
            page(key.ok_or_else(bad_cursor)?, 0)
        }
    }

    /// The cursor that skips so many: for doors whose pages are numbered.
    pub fn skip(count: u32) -> String {
        format!("{SKIP}{count}")
    }

    /// The key of the last item seen, where keys are numbers counted down; the highest there is for the first page.
    ///
    /// # Errors
    /// `BadInput` for a cursor of another list.
    pub(super) fn after_number(&self) -> Result<i64, OpError> {
        if self.after.is_empty() { Ok(i64::MAX) } else { self.after.parse().map_err(|_| bad_cursor()) }
    }

    /// For the database: one row more than asked for, to see whether there is more.
    pub(super) fn slice(&self) -> Slice {
        Slice { after: self.after.clone(), offset: i64::from(self.offset), limit: i64::from(self.size) + 1 }
    }

    /// Cuts the row too many off; `key` is what the list is ordered by.
    pub(super) fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> PageOf<T> {
        let size = self.size as usize;
        let more = items.len() > size;
        items.truncate(size);
        let last = items.last().filter(|_| more);
        let next = last.map(|item| format!("{AFTER}{}", crate::model::hex(key(item).as_bytes())));
        PageOf { items, next }
    }
}

fn bad_cursor() -> OpError {
    OpError::BadInput {
        path: "cursor".to_owned(),
        message: "this is no cursor: pass on what `next` said, or leave it out for the first page".to_owned(),
    }
}
