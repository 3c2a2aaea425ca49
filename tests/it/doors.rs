//! The table of operations against the doors: what is in the table is at every door that it should be at, and a new line
//! of the table asks for nothing more.

use rackhand_bot::{
    commands::{COMMANDS, is_offered},
    texts::Lang,
    views::{Reader, help},
};
use rackhand_core::{
    model::Role,
    ops::{Choice, Kind, table},
    units::Timestamp,
};

use crate::cli::{bare, ended};

/// A yes and a no are a press under the question; a code is typed to the bot; a language is that of a chat.
const IN_THE_CHAT_ALONE: [&str; 4] = ["approve", "refuse", "redeem_invite", "set_language"];
/// Asked for in the chat by a button under what they are about, or by a code.
const BY_BUTTON: [&str; 4] = ["approve", "refuse", "set_role", "redeem_invite"];

#[test]
fn every_operation_is_in_the_chat() {
    let reader = Reader { lang: Lang::En, role: Role::Admin, user: None, telegram_id: 1, now: Timestamp(0) };
    let help = help::help(&reader).html;
    for entry in table() {
        let name = entry.spec.name;
        let own = COMMANDS.iter().find(|command| command.operation == Some(name)).map(|command| command.name);
        let secret = own.is_none() && (entry.secret_answer || entry.secret_input);
        assert_eq!(is_offered(entry), !secret, "{name}");
        let told = help.contains(&format!("/{} – ", own.unwrap_or(name)));
        assert_eq!(told, !secret && !BY_BUTTON.contains(&name), "{name} in {help}");
    }
}

#[test]
fn every_operation_has_a_command_with_all_its_fields() {
    for entry in table() {
        let spec = entry.spec;
        if spec.cli.is_empty() {
            assert!(IN_THE_CHAT_ALONE.contains(&spec.name), "{} has no command", spec.name);
            continue;
        }
        let words = spec.cli.split_whitespace().take_while(|word| !word.starts_with('<'));
        let args: Vec<&str> = words.chain(["--help"]).collect();
        let help = ended(&bare(&args).output().unwrap());
        assert!(help.code == 0 && help.out.contains(spec.summary), "{args:?}: {help:?}");
        assert!(help.out.contains("--json"), "{args:?}");
        for field in entry.fields() {
            let place = format!("<{}>", field.name);
            let shown = match field.kind {
                Kind::Map if spec.cli.contains(&place) => "KEY=VALUE".to_owned(),
                _ if spec.cli.contains(&place) => field.name.to_uppercase(),
                _ => format!("--{}", field.name.replace('_', "-")),
            };
            assert!(help.out.contains(&shown), "{args:?} says nothing of {shown}: {}", help.out);
        }
    }
}

/// What a route names must be there to be named.
#[test]
fn every_route_names_fields_that_its_operation_has() {
    for entry in table() {
        let fields: Vec<String> = entry.fields().into_iter().map(|field| field.name).collect();
        for route in entry.spec.rest {
            let own = match route.when {
                Some(Choice::Has(field)) => Some(field),
                _ => None,
            };
            for name in route.path_fields().chain(route.says).chain(own) {
                assert!(fields.iter().any(|field| field == name), "{} has no {name}: {}", entry.spec.name, route.path);
            }
        }
        assert_eq!(entry.spec.rest.is_empty(), entry.spec.people_only, "{}: what programs may do", entry.spec.name);
    }
}
