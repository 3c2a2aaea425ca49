//! Who may what: guests see nothing, roles are asked for at each press, other people's buttons are dead.

use rackhand_core::{model::Role, states::ServerStatus};
use rackhand_tests::telegram::Person;

use super::House;

#[tokio::test]
async fn a_guest_sees_nothing_and_is_told_once() {
    let mut house = House::new().await;
    let (anna, boris) = (house.member(101, "Anna", Role::Admin).await, Person::new(102, "Boris"));
    house.ready(7).await;
    let said = house.say(&boris, "/servers").await;
    assert!(said.text.contains("invited people only") && said.text.contains("102"), "{}", said.text);
    for text in ["/server vps-7", "vps-7", "/help", "/rebuild vps-7", "/start", "hello", "/status"] {
        assert_eq!(house.say(&boris, text).await.id, said.id, "{text} was answered");
    }
    assert!(!said.text.contains("vps-7"));
    let server = house.ready(8).await;
    for data in [format!("s:{}", server.id), format!("rb:{}", server.id), "us:0".into(), "x".into()] {
        let toast = house.press(&boris, boris.id, said.id, &data).await;
        assert!(toast.unwrap().contains("no access"), "{data}");
    }
    assert_eq!(house.last(&boris).id, said.id);
    // An hour later they are told again. The admin heard of them once.
    house.clock.advance(std::time::Duration::from_hours(1));
    assert!(house.say(&boris, "?").await.id > said.id);
    let told = house.telegram.transcript(anna.id);
    assert_eq!(told.iter().filter(|shown| shown.text.contains("@boris")).count(), 1);
}

#[tokio::test]
async fn the_first_admin_comes_by_the_code_and_others_by_invites() {
    let mut house = House::new().await;
    let (anna, boris) = (Person::new(101, "Anna"), Person::new(102, "Boris").speaking("ru"));
    let code = house.ops.first_admin_code().await.unwrap().unwrap().code;
    assert!(house.say(&anna, "/start nonsense").await.text.contains("unknown, used or too old"));
    assert!(house.say(&anna, &format!("/start {code}")).await.text.contains("Welcome, Anna"));
    let menu: Vec<String> = house.telegram.commands(Some(101), "").into_iter().map(|(name, _)| name).collect();
    assert!(menu.contains(&"rebuild".to_owned()) && menu.contains(&"users".to_owned()), "{menu:?}");

    house.say(&anna, "/invite").await;
    house.tap(&anna, "Viewer").await;
    let invite = house.last(&anna).text;
    assert!(invite.contains(&format!("https://t.me/{}?start=", house.telegram.username())), "{invite}");
    let code = invite.split("/start ").nth(1).unwrap().trim().to_owned();
    let bytes = std::fs::read(house.dir.path().join("rackhand.db")).unwrap();
    let wal = std::fs::read(house.dir.path().join("rackhand.db-wal")).unwrap_or_default();
    for bytes in [bytes, wal] {
        assert!(!String::from_utf8_lossy(&bytes).contains(&code), "the code is in the database in clear");
    }
    house.say(&boris, "привет").await;
    assert!(house.last(&boris).text.contains("только"), "{}", house.last(&boris).text);
    assert!(house.say(&boris, &format!("/start {code}")).await.text.contains("Boris"));
    assert!(house.say(&boris, &format!("/start {code}")).await.text.contains("использован"));
    let menu = house.telegram.commands(Some(102), "");
    assert!(menu.iter().any(|(name, about)| name == "servers" && about.contains("сервер")), "{menu:?}");
    assert!(!menu.iter().any(|(name, _)| name == "rebuild" || name == "users"));
}

#[tokio::test]
async fn each_role_has_its_bounds() {
    let mut house = House::new().await;
    house.member(100, "Root", Role::Admin).await;
    let (viewer, operator) =
        (house.member(101, "Vera", Role::Viewer).await, house.member(102, "Oleg", Role::Operator).await);
    let server = house.ready(7).await;

    let card = house.say(&viewer, "/server vps-7").await;
    assert!(card.text.contains("vps-7") && card.button("Set up").is_none() && card.button("Rebuild").is_none());
    for text in ["/provision vps-7", "/rebuild vps-7", "/manage vps-7", "/users", "/invite admin", "/provision"] {
        let said = house.say(&viewer, text).await.text;
        assert!(said.contains("takes the role"), "{text}: {said}");
    }
    let toast = house.press(&viewer, viewer.id, card.id, &format!("pv:{}", server.id)).await.unwrap();
    assert!(toast.contains("takes the role operator"), "{toast}");

    let card = house.say(&operator, "vps-7").await;
    assert!(card.button("Set up").is_some() && card.button("Rebuild").is_none());
    assert!(house.say(&operator, "/rebuild vps-7").await.text.contains("takes the role admin"));
    let toast = house.press(&operator, operator.id, card.id, &format!("rb:{}", server.id)).await.unwrap();
    assert!(toast.contains("takes the role admin"), "{toast}");
    assert_eq!(house.jobs().await, 0);
    let help = house.say(&operator, "/help").await.text;
    assert!(help.contains("/provision") && !help.contains("/rebuild") && !help.contains("/users"), "{help}");
}

#[tokio::test]
async fn a_demoted_admins_old_buttons_are_dead() {
    let mut house = House::new().await;
    let (anna, olga) = (house.member(101, "Anna", Role::Admin).await, house.member(102, "Olga", Role::Admin).await);
    let server = house.ready(7).await;
    house.say(&olga, "/rebuild vps-7").await;
    let question = house.last(&olga);
    let approve = question.button("Approve").unwrap().to_owned();

    house.say(&anna, "/users").await;
    house.tap(&anna, "@olga").await;
    house.tap(&anna, "No access").await;
    assert!(house.last(&olga).text.contains("You are guest now"), "{}", house.last(&olga).text);
    let toast = house.press(&olga, olga.id, question.id, &approve).await.unwrap();
    assert!(toast.contains("no access"), "{toast}");
    house.as_member(&olga, Role::Viewer).await;
    let toast = house.press(&olga, olga.id, question.id, &approve).await.unwrap();
    assert!(toast.contains("takes the role admin"), "{toast}");
    assert_eq!(house.jobs().await, 0);
    // What is worded anew for her shows no way to say yes.
    let now = house.telegram.transcript(olga.id).into_iter().find(|shown| shown.id == question.id).unwrap();
    assert!(now.button("Approve").is_none(), "{now:?}");
    let mut tx = house.ops.store.read().await.unwrap();
    assert_eq!(tx.require_server(server.id).await.unwrap().status, ServerStatus::Ready);
}

#[tokio::test]
async fn a_press_under_somebody_elses_message_does_nothing() {
    let mut house = House::new().await;
    let (anna, olga) = (house.member(101, "Anna", Role::Admin).await, house.member(102, "Olga", Role::Admin).await);
    house.ready(7).await;
    let question = house.say(&anna, "/rebuild vps-7").await;
    let approve = question.button("Approve").unwrap().to_owned();
    for (person, chat) in [(&olga, anna.id), (&Person::new(103, "Mallory"), anna.id), (&olga, -500)] {
        let toast = house.press(person, chat, question.id, &approve).await.unwrap();
        assert!(toast.contains("not yours"), "{toast}");
    }
    assert_eq!(house.jobs().await, 0);
    assert!(house.telegram.unanswered().is_empty());
}

#[tokio::test]
async fn what_nobody_manages_or_somebody_reserved_is_refused_to_everybody() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let unmanaged = house.server(5, false).await;
    let reserved = house.ready(6).await;
    house.say(&anna, "/reserve vps-6").await;
    for (server, why) in [(&unmanaged, "not managed"), (&reserved, "reserved")] {
        let handle = &server.handle;
        for command in ["provision", "rebuild", "force_rebuild", "reset_attempts"] {
            let said = house.say(&anna, &format!("/{command} {handle}")).await.text;
            assert!(said.contains(why) && said.contains("nothing touches it"), "/{command} {handle}: {said}");
        }
        let last = house.last(&anna).id;
        for verb in ["pv", "rb", "fr", "ra"] {
            let toast = house.press(&anna, anna.id, last, &format!("{verb}:{}", server.id)).await.unwrap();
            assert!(toast.contains(why), "{toast}");
        }
        // Neither is offered where there is a choice.
        assert!(house.say(&anna, "/rebuild").await.button(handle).is_none());
    }
    assert_eq!(house.jobs().await, 0);
}

#[tokio::test]
async fn groups_get_one_hint() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    for _ in 0..3 {
        house.telegram.say_in(-500, &anna, "/servers");
        house.settle().await;
    }
    let said: Vec<_> = house.telegram.transcript(-500).into_iter().filter(|shown| shown.from.is_none()).collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].text.contains("private") && !said[0].text.contains("vps-7"));
}

#[tokio::test]
async fn what_is_refused_offers_the_next_step() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let server = house.ready(7).await;
    let mut tx = house.ops.store.write().await.unwrap();
    for _ in 0..3 {
        tx.count_attempt(server.id).await.unwrap();
    }
    tx.commit().await.unwrap();
    let said = house.say(&anna, "/provision vps-7").await;
    assert!(said.text.contains("failed 3 times in a row"), "{}", said.text);
    assert!(house.tap(&anna, "Allow new attempts").await.unwrap().contains("tried again"));
    house.say(&anna, "/provision vps-7").await;
    assert_eq!(house.jobs().await, 1);
    let said = house.say(&anna, "/unmanage vps-7").await;
    assert!(said.text.contains("is busy") && said.button("Job").is_some(), "{said:?}");
    house.say(&anna, "/users").await;
    house.tap(&anna, "@anna").await;
    assert!(house.tap(&anna, "Viewer").await.unwrap().contains("last admin"));
    // Words from outside stay words.
    let said = house.say(&anna, "<b>&\u{202e}").await;
    assert!(said.text.contains("“<b>&”"), "{}", said.text);
}

#[tokio::test]
async fn a_rebuild_by_status_can_be_called_off() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    house.say(&anna, "/force_rebuild vps-7").await;
    house.tap(&anna, "Approve").await;
    let said = house.say(&anna, "/provision vps-7").await;
    assert!(said.text.contains("waits for its rebuild"), "{}", said.text);
    assert!(house.tap(&anna, "Release").await.unwrap().contains("called off"));
    house.say(&anna, "/provision vps-7").await;
    assert_eq!(house.jobs().await, 1);
}

#[tokio::test]
async fn a_stranger_who_guesses_codes_is_soon_not_heard() {
    let mut house = House::new().await;
    let mallory = Person::new(103, "Mallory");
    for guess in 0..20 {
        house.telegram.say(&mallory, &format!("/start {guess}"));
    }
    house.settle().await;
    let audited = house.ops.verify_audit().await.unwrap().unwrap();
    assert!(audited <= 5, "{audited} entries");
}

#[tokio::test]
async fn who_writes_too_fast_is_told_once() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    for _ in 0..60 {
        house.telegram.say(&anna, "/help");
    }
    house.settle().await;
    let said = house.telegram.transcript(anna.id).into_iter().filter(|shown| shown.from.is_none()).count();
    assert_eq!(said, 41);
    assert!(house.last(&anna).text.contains("a lot at once"));
    house.clock.advance(std::time::Duration::from_secs(31));
    assert!(house.say(&anna, "/help").await.text.contains("You are admin"));
}
