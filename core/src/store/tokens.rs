//! Tokens, by the hash of their secret.

use sqlx::any::AnyRow;

use super::{Slice, StoreResult, Tx, row::Columns, users::expect_one};
use crate::{
    ids::TokenId,
    model::{Maker, Token},
    units::Timestamp,
};

/// A token with what its maker may do now.
macro_rules! tokens {
    ($rest:literal) => {
        concat!(
            "SELECT tokens.*, users.role AS maker_role FROM tokens LEFT JOIN users ON users.id = tokens.maker ",
            $rest
        )
    };
}

impl Tx {
    /// Keeps a new token.
    ///
    /// # Errors
    /// `Taken` when another has its name.
    pub async fn add_token(&mut self, token: &Token, hash: &str) -> StoreResult<()> {
        sqlx::query(
            "INSERT INTO tokens (id, name, role, hash, made_by, created_at, expires_at, maker)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(token.id.to_string())
        .bind(token.name.clone())
        .bind(token.role.to_string())
        .bind(hash.to_owned())
        .bind(token.made_by.clone())
        .bind(token.created_at.0)
        .bind(token.expires_at.map(|at| at.0))
        .bind(token.maker.map(|maker| maker.user.to_string()))
        .execute(self.conn())
        .await?;
        Ok(())
    }

    /// The token with this hash, revoked or not.
    pub async fn token_by_hash(&mut self, hash: &str) -> StoreResult<Option<Token>> {
        let row = sqlx::query(tokens!("WHERE tokens.hash = $1")).bind(hash.to_owned()).fetch_optional(self.conn());
        row.await?.as_ref().map(token).transpose()
    }

    /// A token by its id.
    pub async fn token(&mut self, id: TokenId) -> StoreResult<Option<Token>> {
        let row = sqlx::query(tokens!("WHERE tokens.id = $1")).bind(id.to_string()).fetch_optional(self.conn());
        row.await?.as_ref().map(token).transpose()
    }

    /// A token by the name that people type.
    pub async fn token_by_name(&mut self, name: &str) -> StoreResult<Option<Token>> {
        let row = sqlx::query(tokens!("WHERE tokens.name = $1")).bind(name.to_owned()).fetch_optional(self.conn());
        row.await?.as_ref().map(token).transpose()
    }

    /// Tokens by name.
    pub async fn tokens(&mut self, slice: &Slice) -> StoreResult<Vec<Token>> {
        let rows = sqlx::query(tokens!("WHERE tokens.name > $3 ORDER BY tokens.name LIMIT $2 OFFSET $1"))
            .bind(slice.offset)
            .bind(slice.limit)
            .bind(slice.after.clone())
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(token).collect()
    }

    /// Ends a token for good.
    pub async fn revoke_token(&mut self, id: TokenId, now: Timestamp) -> StoreResult<()> {
        let done = sqlx::query("UPDATE tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
            .bind(id.to_string())
            .bind(now.0)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the token")
    }

    /// Notes that somebody came with a token.
    pub async fn token_used(&mut self, id: TokenId, now: Timestamp) -> StoreResult<()> {
        sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(now.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }
}

fn token(row: &AnyRow) -> StoreResult<Token> {
    let maker = row.maybe_parsed("maker")?.zip(row.maybe_parsed("maker_role")?);
    Ok(Token {
        id: row.parsed("id")?,
        name: row.text("name")?,
        role: row.parsed("role")?,
        made_by: row.text("made_by")?,
        created_at: row.time("created_at")?,
        expires_at: row.maybe_time("expires_at")?,
        revoked_at: row.maybe_time("revoked_at")?,
        last_used_at: row.maybe_time("last_used_at")?,
        maker: maker.map(|(user, role)| Maker { user, role }),
    })
}
