use rackhand_core::{
    model::Plan,
    ops::ironic::{ProvideParams, UnprovisionParams},
};
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
        let plan = |operation: &str, input: Value| Plan {
            operation: operation.to_owned(),
            input,
            target: "n".to_owned(),
            identity: [("node", "n"), ("cleaning", cleaning)].map(|(fact, is)| (fact.into(), is.into())).into(),
            losses: Vec::new(),
        };
        let down = plan("unprovision_server", json!({ "clean": clean, "server_id": "n" }));
        let down = NodeJob::Unprovision(UnprovisionParams::of(&down).unwrap());
        assert_eq!(outcome(&down, what).code, told, "{clean} {cleaning} {what}");
        if clean {
            let provided = ProvideParams::of(&plan("provide_node", json!({ "node": "n" }))).unwrap();
            assert_eq!(outcome(&NodeJob::Provide(provided), what).code, told, "{cleaning} {what}");
        }
    }
}
