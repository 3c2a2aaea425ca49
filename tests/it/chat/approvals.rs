//! Questions and their answers.

use std::time::Duration;

use rackhand_core::{model::Role, model::Sighting};

use super::House;

#[tokio::test]
async fn a_rebuild_is_approved_once() {
    let mut house = House::new().await;
    let (anna, olga) = (house.member(101, "Anna", Role::Admin).await, house.member(102, "Olga", Role::Admin).await);
    house.ready(7).await;
    let plan = house.say(&anna, "/rebuild vps-7").await;
    for part in ["Rebuild vps-7?", "192.0.2.7", "SHA256:", "everything on its disk", "@anna", "15 min"] {
        assert!(plan.text.contains(part), "no {part} in {}", plan.text);
    }
    assert_eq!(house.jobs().await, 0);
    let seen_by_olga = house.last(&olga);
    let approve = seen_by_olga.button("Approve").unwrap().to_owned();
    // Asked again, it is the same question, brought down to where she is.
    let again = house.say(&anna, "/rebuild vps-7").await;
    assert!(again.id > plan.id && again.button("Approve") == Some(&approve));
    let old = house.telegram.transcript(anna.id).into_iter().find(|shown| shown.id == plan.id).unwrap();
    assert!(old.buttons.is_empty() && old.text.contains("below"), "{old:?}");

    // Both press at once: one yes counts, the other is told.
    let presses = [
        house.telegram.press(&olga, olga.id, seen_by_olga.id, &approve),
        house.telegram.press(&anna, anna.id, again.id, &approve),
    ];
    house.settle().await;
    let toasts = presses.map(|press| house.telegram.answer_to(&press).unwrap().text.unwrap());
    assert!(toasts[0].contains("it begins") && toasts[1].contains("@olga approved it already"), "{toasts:?}");
    assert_eq!(house.jobs().await, 1);
    let answered = house.telegram.transcript(anna.id).into_iter().find(|shown| shown.id == again.id).unwrap();
    assert!(answered.text.contains("Approved by @olga") && answered.button("Approve").is_none());
    // The live card is the requester's.
    assert!(house.last(&anna).text.contains("Rebuilding vps-7"), "{}", house.last(&anna).text);
    assert!(house.say(&anna, "/approvals").await.text.contains("No question"));
}

#[tokio::test]
async fn refused_expired_and_stale_questions_do_nothing_and_say_so() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let server = house.ready(7).await;

    let question = house.say(&anna, "/rebuild vps-7").await;
    assert!(house.tap(&anna, "Refuse").await.unwrap().contains("refused"));
    assert!(house.last(&anna).text.contains("Refused by @anna"));
    let toast = house.press(&anna, anna.id, question.id, question.button("Approve").unwrap()).await.unwrap();
    assert!(toast.contains("@anna refused it"), "{toast}");

    house.say(&anna, "/rebuild vps-7").await;
    house.clock.advance(Duration::from_mins(16));
    assert!(house.tap(&anna, "Approve").await.unwrap().contains("Too late"));
    assert!(house.last(&anna).text.contains("Nobody answered in time"), "{}", house.last(&anna).text);

    house.say(&anna, "/rebuild vps-7").await;
    let seen = Sighting {
        provider_id: "7".into(),
        address: Some("198.51.100.9".parse().unwrap()),
        label: String::new(),
        size: "Linux 4".into(),
    };
    let mut tx = house.ops.store.write().await.unwrap();
    tx.update_sighting(server.id, &seen, house.ops.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let toast = house.tap(&anna, "Approve").await.unwrap();
    assert!(toast.contains("Nothing was done") && toast.contains("Address"), "{toast}");
    let said = house.last(&anna).text;
    assert!(said.contains("changed from 192.0.2.7 to 198.51.100.9"), "{said}");
    assert_eq!(house.jobs().await, 0);
}

#[tokio::test]
async fn an_update_that_comes_twice_is_handled_once() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    house.ready(7).await;
    let update = house.telegram.say(&anna, "/provision vps-7");
    house.settle().await;
    let before = house.telegram.transcript(anna.id);
    assert!(house.last(&anna).text.contains("Setting up vps-7"), "{}", house.last(&anna).text);
    house.telegram.repeat(update);
    house.settle().await;
    assert_eq!(house.telegram.transcript(anna.id), before);
    assert_eq!(house.jobs().await, 1);
    assert!(house.say(&anna, "/provision vps-7").await.text.contains("Setting up vps-7"));
    assert_eq!(house.jobs().await, 1);
    assert!(house.tap(&anna, "Cancel").await.unwrap().contains("Calling it off"));
    assert!(house.last(&anna).text.contains("called off"), "{}", house.last(&anna).text);
}
