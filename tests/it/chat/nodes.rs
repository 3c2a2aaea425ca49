//! Ironic's nodes in the chat, as people meet them: the list, the card with its buttons, a yes, and what goes wrong.

use std::sync::Arc;

use rackhand_bot::router::Router;
use rackhand_core::{
    clients::ironic::{Node, Patch, Target},
    clock::SystemClock,
    model::Role,
    ops::Ops,
    work::NoWitness,
};
use rackhand_tests::telegram::{Person, Shown};
use serde_json::json;

use super::House;
use crate::{
    e2e::eventually,
    harness::SOON,
    nodes::lab::{IMAGE, Lab, client, work},
};

impl House {
    /// The same with nodes in it; the machine's own clock goes, because Ironic's does.
    pub(super) async fn at_ironic(url: &str, image: Option<&str>) -> Self {
        let mut house = Self::new().await;
        let ironic = Some(client(url));
        let image = image.map(str::to_owned);
        house.ops = Ops { ironic, image, clock: Arc::new(SystemClock), ..house.ops };
        house.router = Router::new(house.ops.clone(), house.messenger.clone(), true);
        house
    }

    /// The newest message of the bot, once it says this.
    async fn until(&self, person: &Person, words: &str) -> Shown {
        let found = eventually(SOON, async || {
            self.deliver().await;
            Some(self.last(person)).filter(|shown| shown.text.contains(words))
        });
        found.await.unwrap_or_else(|| panic!("never {words:?}: {:#?}", self.last(person)))
    }

    /// Presses Refresh once the node is in this state: the card says so.
    async fn refreshed(&mut self, person: &Person, refresh: &str, (lab, node): (&Lab, &Node), state: &str) -> Shown {
        lab.until(&node.uuid, state).await;
        self.tap(person, refresh).await;
        let card = self.last(person);
        assert!(card.text.contains(&format!("· {state}")), "{}", card.text);
        card
    }
}

fn labels(shown: &Shown) -> Vec<&str> {
    shown.buttons.iter().flatten().map(|key| key.label.as_str()).collect()
}

#[tokio::test]
async fn a_node_is_found_provisioned_and_taken_down_by_taps() {
    let Some(lab) = Lab::new().await else { return };
    let script = json!({ "prepare_s": 1, "deploy_hold": true, "tear_down_s": 1, "clean_s": 2, "clean_wait_s": 1 });
    let node = lab.node(script).await;
    let name = node.name.clone().unwrap();
    let mut tenth = String::new();
    for _ in 0..9 {
        tenth = lab.enrolled(json!({})).await.name.unwrap();
    }
    let mut house = House::at_ironic(&lab.between.url, None).await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let vera = house.member(102, "Vera", Role::Viewer).await;

    // The list pages in one message; a tap opens the card.
    let list = house.say(&anna, "/nodes").await;
    assert!(list.text.contains(&name) && !list.text.contains(&tenth) && list.button("◀").is_none(), "{list:#?}");
    house.tap(&anna, "▶").await;
    let list = house.last(&anna);
    assert!(list.text.contains(&tenth) && !list.text.contains(&name) && list.button("▶").is_none(), "{list:#?}");
    house.tap(&anna, &format!("🆕 {tenth}")).await;
    assert_eq!(labels(&house.last(&anna)), ["🔄 Refresh", "🗄 Nodes", "✅ Manage"]);
    house.tap(&anna, "Nodes").await;
    house.tap(&anna, &format!("🟢 {name}")).await;
    assert_eq!(labels(&house.last(&anna)), ["🔄 Refresh", "🗄 Nodes", "💿 Provision"]);

    // Nobody said which image: the bot says how to. The same words without a name lead to the nodes, too.
    house.tap(&anna, "Provision").await;
    assert!(house.last(&anna).text.contains(&format!("/provision {name} IMAGE")), "{:#?}", house.last(&anna));
    for words in ["/provision", "/provision nope", "/unprovision", "/node", "/node nope", "/unprovision nope"] {
        let said = house.say(&anna, words).await;
        assert!(said.button("Nodes").is_some(), "{words}: {said:#?}");
    }
    let began = house.say(&anna, &format!("/provision {name} {IMAGE}")).await;
    assert!(began.text.contains("is being installed") && began.text.contains("deploying"), "{}", began.text);
    let held = house.refreshed(&anna, "Refresh", (&lab, &node), "deploy hold").await;
    assert!(held.text.contains("when somebody says unhold to it in Ironic"), "{}", held.text);
    lab.told(&node.uuid, Target::Unhold, "active").await;
    house.refreshed(&anna, "Refresh", (&lab, &node), "active").await;
    assert_eq!(labels(&house.last(&anna)), ["🔄 Refresh", "🗄 Nodes", "🧹 Unprovision…"]);
    for words in [name.as_str(), &format!("/server {name}"), &format!("/node {name}")] {
        assert!(house.say(&anna, words).await.text.contains(&format!("{name} · active")), "{words}");
    }

    // A viewer looks, and no button nor an old one does more.
    let card = house.say(&vera, &name).await;
    assert_eq!(labels(&card), ["🔄 Refresh", "🗄 Nodes"]);
    let refused = house.press(&vera, vera.id, card.id, &format!("nu:{}", node.uuid)).await.unwrap();
    assert!(refused.contains("admin"), "{refused}");
    for words in [format!("/unprovision {name}"), format!("/provision {name} {IMAGE}")] {
        assert!(house.say(&vera, &words).await.text.contains("you are viewer"), "{:#?}", house.last(&vera));
    }

    // A tap asks, a tap allows, and one message tells how it goes.
    let toast = house.tap(&anna, "Unprovision…").await.unwrap();
    assert!(toast.contains("Nothing has happened yet"), "{toast}");
    let question = house.last(&anna);
    for part in [
        format!("Unprovision {name}?"),
        "State: active".into(),
        "Cleaning: as Ironic is configured".into(),
        "On it: http://127.0.0.1:1/debian.qcow2".into(),
        "In this state since: 20".into(),
    ] {
        assert!(question.text.contains(&part), "no {part} in {}", question.text);
    }
    assert_eq!(lab.ironic.node(&node.uuid).await.unwrap().provision_state.to_string(), "active");
    house.tap(&anna, "Approve").await;
    let worker = work(&house.ops, "w", Arc::new(NoWitness));
    let end = house.until(&anna, "is free again").await;
    worker.abort();
    assert!(end.text.contains("Ironic cleaned it"), "{}", end.text);
    house.tap(&anna, "🗄 Node").await;
    assert!(house.last(&anna).text.contains(&format!("{name} · available")), "{:#?}", house.last(&anna));

    // It is gone from Ironic, and then Ironic is.
    lab.ironic.delete_node(&node.uuid).await.unwrap();
    let toast = house.tap(&anna, "Refresh").await.unwrap();
    assert!(toast.contains("I know no node"), "{toast}");
    let mut away = House::at_ironic("http://127.0.0.1:1", None).await;
    let olga = away.member(103, "Olga", Role::Admin).await;
    for words in ["/nodes", "/node x", "/provision x", "/unprovision x"] {
        let said = away.say(&olga, words).await;
        assert!(said.text.contains("Ironic does not answer") && said.button("Nodes").is_some(), "{words}: {said:#?}");
    }
    assert!(away.say(&olga, "hello").await.text.contains("hello"), "the chat goes on without Ironic");
}

/// It is wiped, unless somebody says otherwise in so many words, and a person allows just that.
#[tokio::test]
async fn a_node_is_taken_down_unwiped_by_whoever_says_so() {
    let Some(lab) = Lab::new().await else { return };
    // Wiped, it would fail.
    let node = lab.active(json!({ "clean": "fail" })).await;
    lab.patch(&node.uuid, &[Patch::add("/automated_clean", true)]).await;
    let name = node.name.unwrap();
    let mut house = House::at_ironic(&lab.between.url, None).await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let vera = house.member(102, "Vera", Role::Viewer).await;

    for words in ["/unprovision", "/unprovision clean=false"] {
        let which = house.say(&anna, words).await;
        assert!(which.text.contains("/unprovision NODE clean=false"), "{words}: {}", which.text);
        assert!(which.button("Nodes").is_some(), "{words}");
    }
    assert!(!house.say(&anna, "/node").await.text.contains("clean"), "{:#?}", house.last(&anna));
    for (words, told) in [("clean=maybe", "clean"), ("now", "now"), ("clean=false now", "now")] {
        let refused = house.say(&anna, &format!("/unprovision {name} {words}")).await;
        assert!(refused.text.contains(told) && refused.button("Approve").is_none(), "{words}: {}", refused.text);
    }
    assert!(house.say(&anna, "/unprovision nope clean=false").await.text.contains("I know no node"));
    let words = format!("/unprovision {name} clean=false");
    assert!(house.say(&vera, &words).await.text.contains("you are viewer"), "{:#?}", house.last(&vera));

    let question = house.say(&anna, &words).await;
    for part in [&format!("Unprovision {name}?"), "Cleaning: off", "nothing is wiped", "everything on its disk"] {
        assert!(question.text.contains(part), "no {part} in {}", question.text);
    }
    house.tap(&anna, "Approve: take it down").await;
    let worker = work(&house.ops, "w", Arc::new(NoWitness));
    let end = house.until(&anna, "is free again").await;
    worker.abort();
    assert!(end.text.contains("As asked, nothing was wiped"), "{}", end.text);
    let free = lab.until(&node.uuid, "available").await;
    assert_eq!((free.automated_clean, free.maintenance), (Some(true), false));
}

/// At night, in Russian: what failed says why and what to do, and the buttons do it.
#[tokio::test]
async fn what_failed_says_why_and_what_to_do() {
    let Some(lab) = Lab::new().await else { return };
    let (undeployed, uncleaned) = tokio::join!(
        lab.node(json!({ "deploy": "fail", "message": "no disk found" })),
        lab.active(json!({ "clean": "fail", "message": "disk 3 does not answer" })),
    );
    let mut house = House::at_ironic(&lab.between.url, Some(IMAGE)).await;
    let ivan = Person::new(101, "Ivan").speaking("ru");
    house.telegram.meet(&ivan);
    house.as_member(&ivan, Role::Admin).await;
    let vera = house.member(102, "Vera", Role::Viewer).await;
    let worker = work(&house.ops, "w", Arc::new(NoWitness));

    house.say(&ivan, undeployed.name.as_deref().unwrap()).await;
    house.tap(&ivan, "Установить").await;
    let failed = house.refreshed(&ivan, "Обновить", (&lab, &undeployed), "deploy failed").await;
    assert!(failed.text.contains("no disk found") && failed.text.contains("👉 Нажмите «Снять»"), "{}", failed.text);
    house.tap(&ivan, "Снять…").await;
    assert!(house.last(&ivan).text.contains("Очистка: как настроено в Ironic"), "{}", house.last(&ivan).text);
    house.tap(&ivan, "Согласен").await;
    house.until(&ivan, "снова свободен").await;

    house.say(&ivan, &format!("/unprovision {}", uncleaned.uuid)).await;
    house.tap(&ivan, "Согласен").await;
    let failed = house.until(&ivan, "Не удалось снять").await;
    assert!(failed.text.contains("disk 3 does not answer") && failed.text.contains("👉"), "{}", failed.text);
    // Ironic says that it is kept out of use a moment before its state does.
    lab.until(&uncleaned.uuid, "clean failed").await;
    lab.patch(&uncleaned.uuid, &[Patch::add("/extra/script", json!({}))]).await;
    house.tap(&ivan, "Узел").await;
    let card = house.last(&ivan);
    assert!(card.text.contains("clean failed") && card.text.contains("нажмите «Взять в управление»"), "{}", card.text);
    // Ironic keeps it out of use until somebody says otherwise: whoever may sees the button, the others who has it.
    assert!(card.text.contains("disk 3 does not answer") && card.text.contains("нажмите «Закончить обслуживание»"));
    let seen = house.say(&vera, &uncleaned.uuid).await;
    assert!(seen.text.contains("until an admin ends its maintenance"), "{}", seen.text);
    assert_eq!(labels(&seen), ["🔄 Refresh", "🗄 Nodes"]);
    house.tap(&ivan, "Взять в управление").await;
    let card = house.refreshed(&ivan, "Обновить", (&lab, &uncleaned), "manageable").await;
    assert!(card.text.contains("🛠") && card.button("Установить").is_none(), "{}", card.text);
    let toast = house.tap(&ivan, "Закончить обслуживание").await.unwrap();
    assert!(toast.contains("обслуживание закончено"), "{toast}");
    let card = house.last(&ivan);
    assert!(!card.text.contains("👉") && card.button("Закончить обслуживание").is_none(), "{}", card.text);
    // Ironic wipes it on the way: a person says yes to that, and one message tells how it goes.
    house.tap(&ivan, "Сделать доступным…").await;
    let question = house.last(&ivan);
    let name = uncleaned.name.clone().unwrap();
    for part in
        [&format!("Сделать {name} доступным?"), "Состояние: manageable", "В этом состоянии с:", "всё, что на диске"]
    {
        assert!(question.text.contains(part), "no {part} in {}", question.text);
    }
    house.tap(&ivan, "Согласен: стереть").await;
    house.until(&ivan, &format!("{name} доступен")).await;
    house.tap(&ivan, "Узел").await;
    let card = house.last(&ivan);
    assert!(card.text.contains("· available") && card.button("Установить").is_some(), "{}", card.text);
    house.tap(&ivan, "Установить").await;
    house.refreshed(&ivan, "Обновить", (&lab, &uncleaned), "active").await;
    worker.abort();
}
