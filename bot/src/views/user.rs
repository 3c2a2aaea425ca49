//! People: the list, one of them, invites, languages.

use rackhand_core::{
    model::{Role, User},
    ops::{Language, NewInvite, PageOf},
    units::millis,
};

use super::{Reader, button, named, pager, rows, server::without_empty};
use crate::{
    messenger::Message,
    texts::{Lang, moment, plain, say},
    want::Want,
};

/// The roles that can be given, lowest first.
const ROLES: [Role; 4] = [Role::Guest, Role::Viewer, Role::Operator, Role::Admin];

/// A role in words.
pub fn role(lang: Lang, role: Role) -> String {
    plain!(lang, &format!("role-{role}"))
}

/// One page of the list.
pub fn list(reader: &Reader, from: u32, page: &PageOf<User>) -> Message {
    let lang = reader.lang;
    let mut html = say!(lang, "users-title");
    let mut all = Vec::new();
    for user in &page.items {
        let seen = moment(user.last_seen, reader.now);
        html.push('\n');
        html.push_str(&say!(lang, "users-line", name = user.name(), role = role(lang, user.role), at = seen));
        all.push(named(&user.name(), &Want::User(user.telegram_id)));
    }
    let mut buttons = rows(all);
    buttons.push(pager(from, page.next.is_some(), Want::Users));
    buttons.push(vec![button(lang, "button-invite", &Want::Invite(None))]);
    Message { html, buttons: without_empty(buttons), ..Message::default() }
}

/// One person, with the roles that they could have instead.
pub fn card(reader: &Reader, user: &User) -> Message {
    let lang = reader.lang;
    let names = [Some(user.first_name.as_str()), user.last_name.as_deref()];
    let full: Vec<&str> = names.into_iter().flatten().collect();
    let html = say!(
        lang,
        "user-card",
        name = user.name(),
        full = full.join(" "),
        id = user.telegram_id.to_string(),
        role = role(lang, user.role),
        at = moment(user.last_seen, reader.now)
    );
    let others = ROLES.into_iter().filter(|role| *role != user.role);
    let mut buttons = rows(
        others
            .map(|role| button(lang, &format!("button-role-{role}"), &Want::SetRole(user.telegram_id, role)))
            .collect(),
    );
    buttons.push(vec![button(lang, "button-users", &Want::Users(0))]);
    Message { html, buttons, ..Message::default() }
}

/// Which role an invite should give.
pub fn invite_choice(lang: Lang) -> Message {
    let give = |role: Role| button(lang, &format!("button-invite-{role}"), &Want::Invite(Some(role)));
    let buttons = vec![vec![give(Role::Viewer)], vec![give(Role::Operator)], vec![give(Role::Admin)]];
    Message { html: say!(lang, "invite-choice"), buttons, ..Message::default() }
}

/// A fresh invite. `bot` is the bot's user name, where there is a link to it.
pub fn invite(reader: &Reader, invite: &NewInvite, bot: Option<&str>) -> String {
    let lang = reader.lang;
    let left = lang.span(millis(invite.expires_at.since(reader.now)));
    let mut lines = vec![say!(lang, "invite-made", role = role(lang, invite.role), left = left)];
    lines.extend(bot.map(|bot| say!(lang, "invite-link", bot = bot, code = &invite.code)));
    let code = if bot.is_some() { "invite-code" } else { "invite-code-alone" };
    lines.push(say!(lang, code, code = &invite.code));
    lines.join("\n\n")
}

/// Which language.
pub fn languages(lang: Lang) -> Message {
    let english = ("English", Want::Lang(Some(Language::En)).data());
    let russian = ("Русский", Want::Lang(Some(Language::Ru)).data());
    Message::new(say!(lang, "lang-choice")).row([english, russian])
}
