//! The menu of commands that Telegram shows: for everybody the way in, for each member what their role may.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use rackhand_core::{fault::chain, model::Role};
use tracing::warn;

use super::Router;
use crate::{
    commands::{COMMANDS, Command},
    messenger::{ChatId, CommandScope},
    texts::{Lang, plain},
};

/// So many chats are remembered; then all are forgotten, and set once more when their people write.
const MOST: usize = 10_000;

/// Which menu each chat was given by this process.
#[derive(Debug, Default)]
pub(super) struct Menus(Mutex<HashMap<i64, Option<(Role, Lang)>>>);

impl Router {
    /// Sets the menu of everybody who is no member, in both languages.
    pub async fn set_menus(&self) {
        for (language, lang) in [(None, Lang::En), (Some("ru"), Lang::Ru)] {
            self.set_menu(CommandScope::Default, language, Role::Guest, lang).await;
        }
    }

    /// Sets the menu of a person whose role was just changed.
    pub(super) async fn renew_menu(&self, telegram_id: i64) {
        // Known as something that nobody is, so that it is set whatever it was.
        self.menus.0.lock().unwrap_or_else(PoisonError::into_inner).insert(telegram_id, None);
        self.keep_menu(telegram_id).await;
    }

    /// Sets a person's menu by their role and language, if it is not so already.
    pub(super) async fn keep_menu(&self, telegram_id: i64) {
        let Ok(mut tx) = self.ops.store.read().await else { return };
        let Ok(Some(user)) = tx.user_by_telegram(telegram_id).await else { return };
        drop(tx);
        let wanted = (user.role, Lang::of(&user.language));
        let wanted_now = Some(wanted);
        let known = self.menus.0.lock().unwrap_or_else(PoisonError::into_inner).get(&telegram_id).copied();
        // A guest has the menu of everybody, unless they had another one.
        if known == Some(wanted_now) || (known.is_none() && user.role == Role::Guest) {
            return;
        }
        if self.set_menu(CommandScope::Chat(ChatId(telegram_id)), None, wanted.0, wanted.1).await {
            let mut menus = self.menus.0.lock().unwrap_or_else(PoisonError::into_inner);
            if menus.len() >= MOST {
                menus.clear();
            }
            menus.insert(telegram_id, wanted_now);
        }
    }

    async fn set_menu(&self, scope: CommandScope, language: Option<&str>, role: Role, lang: Lang) -> bool {
        let shown = |command: &&Command| match role {
            Role::Guest => ["start", "help"].contains(&command.name),
            role => command.in_menu && command.is_for(role),
        };
        let commands: Vec<(String, String)> = COMMANDS
            .iter()
            .filter(shown)
            .map(|command| (command.name.to_owned(), plain!(lang, &command.key())))
            .collect();
        match self.messenger.set_commands(scope, language, &commands).await {
            Ok(()) => true,
            Err(error) => {
                warn!(error = chain(&error), ?scope, "the menu could not be set; commands work all the same");
                false
            }
        }
    }
}
