//! Questions and their answers.

use std::time::Duration;

use rackhand_core::{
    model::{Role, Sighting},
    ops::Answer,
    secret::Secret,
};
use serde_json::json;

use super::House;
use crate::api::caller::token;

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
async fn a_question_taken_back_says_so_to_everybody_who_got_it() {
    let mut house = House::new().await;
    let (anna, olga) = (house.member(101, "Anna", Role::Admin).await, house.member(102, "Olga", Role::Admin).await);
    let oleg = house.member(103, "Oleg", Role::Operator).await;
    house.ready(7).await;
    house.say(&olga, "/rebuild vps-7").await;
    let question = house.last(&anna);
    let approve = question.button("Approve").unwrap().to_owned();
    assert!(question.button("Take back").is_none() && house.last(&olga).button("Take back").is_none());

    // She may not answer it any more, and yet it is hers.
    house.as_member(&olga, Role::Operator).await;
    for (person, is_hers) in [(&oleg, false), (&olga, true)] {
        house.say(person, "/approvals").await;
        house.tap(person, "vps-7").await;
        let card = house.last(person);
        assert_eq!(card.button("Take back").is_some(), is_hers, "{card:?}");
        assert!(card.text.contains("Asked by @olga") && card.button("Approve").is_none(), "{card:?}");
    }
    let back = house.last(&olga).button("Take back").unwrap().to_owned();
    for other in [&anna, &oleg] {
        let toast = house.press(other, other.id, house.last(other).id, &back).await.unwrap();
        assert!(toast.contains("@olga asked for this, and nobody else takes it back"), "{toast}");
    }
    assert!(house.tap(&olga, "Take back").await.unwrap().contains("Taken back: nothing was done"));
    for person in [&anna, &oleg, &olga] {
        let told = house.last(person);
        assert!(told.text.contains("Taken back by @olga, who asked for it"), "{told:?}");
        assert!(told.buttons.is_empty(), "{told:?}");
    }
    let toast = house.press(&anna, anna.id, question.id, &approve).await.unwrap();
    assert!(toast.contains("@olga asked for it, and took it back"), "{toast}");
    let again = house.press(&olga, olga.id, house.last(&olga).id, &back).await.unwrap();
    assert!(again.contains("Taken back"), "{again}");

    // What a program asked, and a model that acts for it took back.
    let sync =
        house.ops.bearer(&Secret::new(token(&house.ops, "sync", Role::Admin, None).await)).await.unwrap().unwrap();
    let rebuild = json!({ "handle": "vps-7" });
    let asked = house.ops.call_by_name(&sync, "rebuild_server", &rebuild, None).await.unwrap();
    let Answer::AwaitingApproval(id) = asked else { panic!("{asked:?}") };
    house.settle().await;
    let question = house.last(&anna);
    assert!(question.text.contains("Asked by sync") && question.button("Approve").is_some(), "{question:?}");
    house.ops.call_by_name(&sync.model(), "withdraw_approval", &json!({ "approval": id }), None).await.unwrap();
    house.settle().await;
    let told = house.last(&anna);
    assert!(told.id == question.id && told.text.contains("Taken back by sync"), "{told:?}");
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
