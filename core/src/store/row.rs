//! Rows into values.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use sqlx::{Row, any::AnyRow};

use super::{StoreError, StoreResult};
use crate::units::Timestamp;

/// Typed reads of a row's columns.
pub(super) trait Columns {
    fn text(&self, column: &str) -> StoreResult<String>;
    fn maybe_text(&self, column: &str) -> StoreResult<Option<String>>;
    fn int(&self, column: &str) -> StoreResult<i64>;
    fn maybe_int(&self, column: &str) -> StoreResult<Option<i64>>;

    fn flag(&self, column: &str) -> StoreResult<bool> {
        Ok(self.int(column)? != 0)
    }

    fn time(&self, column: &str) -> StoreResult<Timestamp> {
        Ok(Timestamp(self.int(column)?))
    }

    fn maybe_time(&self, column: &str) -> StoreResult<Option<Timestamp>> {
        Ok(self.maybe_int(column)?.map(Timestamp))
    }

    fn parsed<T: FromStr>(&self, column: &str) -> StoreResult<T> {
        parse(column, &self.text(column)?)
    }

    fn maybe_parsed<T: FromStr>(&self, column: &str) -> StoreResult<Option<T>> {
        self.maybe_text(column)?.map(|text| parse(column, &text)).transpose()
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> StoreResult<T> {
        unjson(column, &self.text(column)?)
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> StoreResult<Option<T>> {
        self.maybe_text(column)?.map(|text| unjson(column, &text)).transpose()
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> StoreResult<String> {
        Ok(self.try_get(column)?)
    }
    fn maybe_text(&self, column: &str) -> StoreResult<Option<String>> {
        Ok(self.try_get(column)?)
    }
    fn int(&self, column: &str) -> StoreResult<i64> {
        Ok(self.try_get(column)?)
    }
    fn maybe_int(&self, column: &str) -> StoreResult<Option<i64>> {
        Ok(self.try_get(column)?)
    }
}

/// A value as JSON text for a column.
pub(super) fn json(value: &impl serde::Serialize) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|error| corrupt("json", &error.to_string()))
}

fn parse<T: FromStr>(column: &str, text: &str) -> StoreResult<T> {
    text.parse().map_err(|_| corrupt(column, text))
}

fn unjson<T: DeserializeOwned>(column: &str, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|_| corrupt(column, text))
}

fn corrupt(column: &str, value: &str) -> StoreError {
    StoreError::Corrupt { column: column.to_owned(), value: value.chars().take(80).collect() }
}
