//! Lists with pages, choices, and what comes close.

use rackhand_core::model::Role;

use super::House;

#[tokio::test]
async fn a_list_pages_in_one_message() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    for number in 101..=120 {
        house.ready(number).await;
    }
    let first = house.say(&anna, "/servers").await;
    assert!(first.text.contains("vps-101") && first.text.contains("vps-108") && !first.text.contains("vps-109"));
    assert!(first.button("◀").is_none());
    house.tap(&anna, "▶").await;
    house.tap(&anna, "▶").await;
    let last = house.last(&anna);
    assert_eq!(last.id, first.id);
    assert!(last.text.contains("vps-117") && last.text.contains("vps-120") && last.button("▶").is_none());
    house.tap(&anna, "vps-118").await;
    let card = house.last(&anna);
    assert!(card.id == first.id && card.text.contains("vps-118 · ready") && card.text.contains("label <118>"));
    house.tap(&anna, "Servers").await;
    assert!(house.last(&anna).text.contains("vps-101"));
}

#[tokio::test]
async fn a_list_is_narrowed_by_words() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    for number in 101..=110 {
        house.ready(number).await;
    }
    house.server(5, false).await;
    let said = house.say(&anna, "/servers managed=false").await.text;
    assert!(said.contains("vps-5") && !said.contains("vps-10"), "{said}");
    let first = house.say(&anna, "/servers status=ready").await;
    assert!(first.text.contains("vps-108") && !first.text.contains("vps-109"), "{first:?}");
    house.tap(&anna, "▶").await;
    let last = house.last(&anna);
    assert!(last.text.contains("vps-110") && !last.text.contains("vps-5"), "{last:?}");
    house.say(&anna, "/label_server vps-103 env=prod").await;
    let said = house.say(&anna, "/servers label=env=prod").await.text;
    assert!(said.contains("vps-103") && !said.contains("vps-104"), "{said}");
    let said = house.say(&anna, "/servers status=broken").await.text;
    assert!(said.contains("status") && said.contains("ready"), "{said}");
    let said = house.say(&anna, "/list_audit operation=label_server").await.text;
    assert!(said.contains("vps-103"), "{said}");
    let said = house.say(&anna, "/users role=viewer").await.text;
    assert!(!said.contains("Anna"), "{said}");
}

#[tokio::test]
async fn a_missing_word_is_offered_and_a_wrong_one_is_guessed() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(267_179).await;
    house.server(5, false).await;
    let choice = house.say(&anna, "/rebuild").await;
    assert!(choice.button("vps-267179").is_some() && choice.button("vps-5").is_none());
    house.tap(&anna, "vps-267179").await;
    assert!(house.last(&anna).text.contains("Rebuild vps-267179?"), "{}", house.last(&anna).text);
    let guess = house.say(&anna, "/server vps-267197").await;
    assert!(guess.text.contains("know no server") && guess.button("vps-267179").is_some());
    assert!(house.say(&anna, "/serves").await.text.contains("Did you mean /server, /servers?"));
    let said = house.say(&anna, "267179").await;
    assert!(said.text.contains("know no server") && said.button("vps-267179").is_some(), "{said:?}");
    assert!(house.say(&anna, "/manage").await.button("vps-5").is_some());
    let toast = house.tap(&anna, "vps-5").await.unwrap();
    assert!(toast.contains("ours now"), "{toast}");
    assert!(house.last(&anna).text.contains("waits to be set up"));
}

#[tokio::test]
async fn both_languages_speak() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    house.say(&anna, "/lang").await;
    house.tap(&anna, "Русский").await;
    assert!(house.last(&anna).text.contains("Добро пожаловать"), "{}", house.last(&anna).text);
    assert!(house.say(&anna, "vps-7").await.text.contains("готов"));
    assert!(house.say(&anna, "/rebuild vps-7").await.text.contains("Пересоздать vps-7?"));
    let menu = house.telegram.commands(Some(101), "");
    assert!(menu.iter().any(|(name, about)| name == "servers" && about.contains("сервер")), "{menu:?}");
    assert!(house.say(&anna, "/lang en").await.text.contains("Welcome"));
}
