//! Operations typed by their own names: what the table knows of them is enough.

use rackhand_core::{
    model::{Actor, Role},
    ops::{Answer, CreateToken, CreateTokenInput, HandleInput, ShowServer},
};
use serde_json::json;

use super::House;

#[tokio::test]
async fn an_operation_is_typed_by_its_name() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Operator).await;
    house.ready(7).await;
    let usage = house.say(&anna, "/label_server vps-7").await.text;
    assert!(
        usage.contains("/label_server HANDLE key=value …") && usage.contains("labels (key=value, needed)"),
        "{usage}"
    );

    let said = house.say(&anna, "/label_server vps-7 env=prod rack=<b>7").await.text;
    assert!(said.contains("handle: vps-7") && said.contains("labels.rack: <b>7"), "{said}");
    let card = house.say(&anna, "vps-7").await.text;
    assert!(card.contains("Labels: env=prod, rack=<b>7"), "{card}");
    assert!(house.say(&anna, "/servers").await.text.contains("env=prod"));

    let said = house.say(&anna, "/label_server vps-8 env=prod").await.text;
    assert!(said.contains("know no server"), "{said}");
    let said = house.say(&anna, "/label_server vps-7 env=prod nonsense").await.text;
    assert!(said.contains("nonsense") && said.contains("field=value"), "{said}");
    let said = house.say(&anna, "/label_servr vps-7").await.text;
    assert!(said.contains("Did you mean /label_server?"), "{said}");
    house.say(&anna, "/label_server vps-7 labels=").await;
    let input = HandleInput { handle: "vps-7".into() };
    let Answer::Done(view) = house.ops.call::<ShowServer>(&Actor::shell(), &input, None).await.unwrap() else {
        panic!()
    };
    assert!(view.server.labels.is_empty());
}

#[tokio::test]
async fn roles_and_secrets_keep_their_bounds_there_too() {
    let mut house = House::new().await;
    let (anna, oleg) = (house.member(101, "Anna", Role::Admin).await, house.member(102, "Oleg", Role::Operator).await);
    let said = house.say(&oleg, "/put_user 103 admin").await.text;
    assert!(said.contains("takes the role admin"), "{said}");
    let help = house.say(&oleg, "/help").await.text;
    assert!(help.contains("/label_server – give a server labels") && !help.contains("/put_user"), "{help}");
    // A token's secret would stay in the chat for ever.
    let said = house.say(&anna, "/create_token ci viewer").await.text;
    assert!(said.contains("did not understand") && !said.contains("rh_"), "{said}");
    let said = house.say(&anna, "/put_user 103 operator first_name=Boris").await.text;
    assert!(said.contains("role: operator") && said.contains("first_name: Boris"), "{said}");
    let said = house.say(&anna, "/put_user 103 king").await.text;
    assert!(said.contains("role") && said.contains("guest|viewer|operator|admin"), "{said}");
}

#[tokio::test]
async fn a_list_of_anything_turns_its_pages() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    for number in 10..30 {
        let input = CreateTokenInput { name: format!("ci-{number}"), role: Role::Viewer, expires_days: None };
        house.ops.call::<CreateToken>(&Actor::shell(), &input, None).await.unwrap();
    }
    let first = house.say(&anna, "/list_tokens").await;
    assert!(
        first.text.contains("ci-10 · ") && first.text.contains("ci-17") && !first.text.contains("ci-18"),
        "{first:?}"
    );
    house.tap(&anna, "▶").await;
    house.tap(&anna, "▶").await;
    let last = house.last(&anna);
    assert!(last.id == first.id && last.text.contains("ci-26") && last.text.contains("ci-29"), "{last:?}");
    assert!(last.button("▶").is_none() && last.button("◀").is_some());
    // Whoever chooses pages by words is told the next one in words.
    let said = house.say(&anna, "/list_tokens limit=3").await;
    assert!(said.text.contains("cursor=") && !said.text.contains("ci-13") && said.button("▶").is_none(), "{said:?}");
}

#[tokio::test]
async fn a_forged_press_reaches_no_more_than_what_can_be_typed() {
    let mut house = House::new().await;
    let anna = house.member(101, "Anna", Role::Admin).await;
    let server = house.ready(7).await;
    // A rebuild has a command of its own, with its question; by its name it is not there.
    let card = house.say(&anna, "/list_tokens").await;
    let data = format!("o:0:rebuild_server {}", server.handle);
    house.press(&anna, anna.id, card.id, &data).await;
    assert_eq!(house.jobs().await, 0);
    let open = house.ops.call_by_name(&Actor::shell(), "list_approvals", &json!({ "open": true }), None).await.unwrap();
    let Answer::Done(open) = open else { panic!("{open:?}") };
    assert_eq!(open["items"].as_array().map(Vec::len), Some(0), "{open}");
}
