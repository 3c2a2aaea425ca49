use rackhand_core::model::Plan;
use serde_json::json;

use super::*;

/// A wipe is claimed where one was allowed and seen, and nowhere else.
#[test]
fn no_wipe_is_claimed_that_was_not_seen() {
    let (seen, unseen) = (json!({ "cleaned": true }), json!({ "cleaned": false }));
    for (clean, cleaning, what, told) in [
        (true, "as Ironic is configured", &seen, "node-free-wiped"),
        (true, "as Ironic is configured", &unseen, "node-free-unseen"),
        (true, "as Ironic is configured", &Value::Null, "node-free-unseen"),
        (true, "on", &seen, "node-free-wiped"),
        (true, "on", &json!({ "cleaned": "yes" }), "node-free-unseen"),
        (true, "off", &seen, "node-free-not-wiped"),
        (true, "off", &unseen, "node-free-not-wiped"),
        (false, "off", &seen, "node-free-kept"),
        (false, "off", &unseen, "node-free-kept"),
    ] {
        let plan = Plan {
            operation: "unprovision_server".to_owned(),
            input: json!({ "clean": clean, "server_id": "n" }),
            target: "n".to_owned(),
            identity: [("node", "n"), ("cleaning", cleaning)].map(|(fact, is)| (fact.into(), is.into())).into(),
            losses: Vec::new(),
        };
        let params = UnprovisionParams::of(&plan).unwrap();
        assert_eq!(outcome(&params, what).code, told, "{clean} {cleaning} {what}");
    }
}
