//! Users and invites.

use sqlx::any::AnyRow;

use super::{Slice, StoreError, StoreResult, Tx, row::Columns};
use crate::{
    ids::{InviteId, UserId},
    model::{Invite, Person, Role, User},
    units::Timestamp,
};

impl Tx {
    /// Notes that a person wrote: makes them a guest the first time, and keeps names and `last_seen` fresh. Returns them
    /// and whether they are new. The language they chose is kept.
    pub async fn person_seen(&mut self, person: &Person, now: Timestamp) -> StoreResult<(User, bool)> {
        let known = self.user_by_telegram(person.telegram_id).await?;
        let language = match person.language.as_deref() {
            Some(code) if code.starts_with("ru") => "ru",
            _ => "en",
        };
        sqlx::query(
            "INSERT INTO users (id, telegram_id, username, first_name, last_name, language, role, created_at, last_seen)
             VALUES ($1, $2, $3, $4, $5, $6, 'guest', $7, $7)
             ON CONFLICT (telegram_id) DO UPDATE SET username = excluded.username, first_name = excluded.first_name,
                 last_name = excluded.last_name, last_seen = excluded.last_seen, blocked = 0",
        )
        .bind(UserId::new().to_string())
        .bind(person.telegram_id)
        .bind(person.username.clone())
        .bind(person.first_name.clone())
        .bind(person.last_name.clone())
        .bind(language)
        .bind(now.0)
        .execute(self.conn())
        .await?;
        let user = self.user_by_telegram(person.telegram_id).await?;
        Ok((user.ok_or_else(|| StoreError::Changed("the user".into()))?, known.is_none()))
    }

    /// A user by Telegram's number.
    pub async fn user_by_telegram(&mut self, telegram_id: i64) -> StoreResult<Option<User>> {
        let row = sqlx::query("SELECT * FROM users WHERE telegram_id = $1")
            .bind(telegram_id)
            .fetch_optional(self.conn())
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// A user by our id.
    pub async fn user(&mut self, id: UserId) -> StoreResult<Option<User>> {
        let row =
            sqlx::query("SELECT * FROM users WHERE id = $1").bind(id.to_string()).fetch_optional(self.conn()).await?;
        row.as_ref().map(user).transpose()
    }

    /// Users in this role, or all, in the order they came.
    pub async fn users(&mut self, role: Option<Role>, slice: &Slice) -> StoreResult<Vec<User>> {
        let sql = "SELECT * FROM users WHERE id > $3 AND ($4 = '' OR role = $4) ORDER BY id LIMIT $2 OFFSET $1";
        let rows = sqlx::query(sql)
            .bind(slice.offset)
            .bind(slice.limit)
            .bind(slice.after.clone())
            .bind(role.map(|role| role.to_string()).unwrap_or_default())
            .fetch_all(self.conn())
            .await?;
        rows.iter().map(user).collect()
    }

    /// Everybody with at least this role who can be written to.
    pub async fn users_from(&mut self, lowest: Role) -> StoreResult<Vec<User>> {
        let rows = sqlx::query("SELECT * FROM users WHERE role <> 'guest' AND blocked = 0 ORDER BY created_at, id")
            .fetch_all(self.conn())
            .await?;
        let users: Vec<User> = rows.iter().map(user).collect::<StoreResult<_>>()?;
        Ok(users.into_iter().filter(|user| user.role >= lowest).collect())
    }

    /// How many people have this role.
    pub async fn count_role(&mut self, role: Role) -> StoreResult<i64> {
        let sql = "SELECT COUNT(*) FROM users WHERE role = $1";
        Ok(sqlx::query_scalar(sql).bind(role.to_string()).fetch_one(self.conn()).await?)
    }

    /// How many admins there are; until the transaction ends nobody else can change that for the worse.
    pub async fn hold_admins(&mut self) -> StoreResult<u64> {
        let held = sqlx::query("UPDATE users SET role = role WHERE role = 'admin'").execute(self.conn()).await?;
        Ok(held.rows_affected())
    }

    /// Gives a person another role, if they still have `was`.
    pub async fn set_role(&mut self, id: UserId, was: Role, role: Role) -> StoreResult<()> {
        let done = sqlx::query("UPDATE users SET role = $3 WHERE id = $1 AND role = $2")
            .bind(id.to_string())
            .bind(was.to_string())
            .bind(role.to_string())
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the user's role")
    }

    /// Sets the language that a person reads.
    pub async fn set_language(&mut self, id: UserId, language: &str) -> StoreResult<()> {
        let done = sqlx::query("UPDATE users SET language = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(language)
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the user")
    }

    /// Calls a person so, until they write and Telegram says their name.
    pub async fn set_first_name(&mut self, id: UserId, name: &str) -> StoreResult<()> {
        let done = sqlx::query("UPDATE users SET first_name = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(name.to_owned())
            .execute(self.conn())
            .await?;
        expect_one(done.rows_affected(), "the user")
    }

    /// They blocked the bot: nothing is sent to them until they write again.
    pub async fn mark_blocked(&mut self, telegram_id: i64) -> StoreResult<()> {
        sqlx::query("UPDATE users SET blocked = 1 WHERE telegram_id = $1")
            .bind(telegram_id)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Keeps an invite by its code's keyed hash.
    pub async fn add_invite(&mut self, invite: &Invite, code_hash: &str) -> StoreResult<()> {
        sqlx::query("INSERT INTO invites (id, code_hash, role, made_by, expires_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(invite.id.to_string())
            .bind(code_hash)
            .bind(invite.role.to_string())
            .bind(invite.made_by.map(|id| id.to_string()))
            .bind(invite.expires_at.0)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Makes the first admin's earlier codes worthless: only the newest one on the terminal counts.
    pub async fn drop_first_admin_codes(&mut self) -> StoreResult<()> {
        sqlx::query("DELETE FROM invites WHERE made_by IS NULL AND used_at IS NULL").execute(self.conn()).await?;
        Ok(())
    }

    /// Uses up the invite with one of these hashes (a code has one for each of our keys); none when there is no such
    /// code, it is used or it is too late.
    pub async fn take_invite(
        &mut self,
        code_hashes: &[String],
        by: UserId,
        now: Timestamp,
    ) -> StoreResult<Option<Invite>> {
        for code_hash in code_hashes {
            let row = sqlx::query(
                "UPDATE invites SET used_by = $2, used_at = $3
                 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $3
                 RETURNING id, role, made_by, expires_at",
            )
            .bind(code_hash.clone())
            .bind(by.to_string())
            .bind(now.0)
            .fetch_optional(self.conn())
            .await?;
            if let Some(row) = row {
                return invite(&row).map(Some);
            }
        }
        Ok(None)
    }
}

/// One row must have changed, else somebody was faster.
pub(super) fn expect_one(changed: u64, what: &str) -> StoreResult<()> {
    if changed == 1 { Ok(()) } else { Err(StoreError::Changed(what.to_owned())) }
}

fn user(row: &AnyRow) -> StoreResult<User> {
    Ok(User {
        id: row.parsed("id")?,
        telegram_id: row.int("telegram_id")?,
        username: row.maybe_text("username")?,
        first_name: row.text("first_name")?,
        last_name: row.maybe_text("last_name")?,
        language: row.text("language")?,
        role: row.parsed("role")?,
        blocked: row.flag("blocked")?,
        created_at: row.time("created_at")?,
        last_seen: row.time("last_seen")?,
    })
}

fn invite(row: &AnyRow) -> StoreResult<Invite> {
    Ok(Invite {
        id: row.parsed::<InviteId>("id")?,
        role: row.parsed("role")?,
        made_by: row.maybe_parsed("made_by")?,
        expires_at: row.time("expires_at")?,
    })
}
