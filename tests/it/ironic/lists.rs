//! Lists of the real Ironic's nodes.

use futures::{StreamExt, stream};
use rackhand_core::clients::ironic::{IronicError, NodeFilter, NodePage, Patch, ProvisionState};

use super::{client, scripted, unique};
use crate::harness::{Peer, need};

#[tokio::test]
async fn pages_are_followed_to_their_end() {
    let Some(url) = need(Peer::Ironic) else { return };
    let (ironic, class) = (client(&url), unique("class"));
    let new = (0..103).map(|number| {
        let mut new = scripted(&unique(&format!("listed-{number}")));
        new.resource_class = Some(class.clone());
        new
    });
    let made = stream::iter(new.collect::<Vec<_>>()).map(async |new| ironic.create_node(&new).await.unwrap().uuid);
    let mut made: Vec<String> = made.buffer_unordered(4).collect().await;
    let filter = NodeFilter { resource_class: Some(class), ..NodeFilter::default() };
    let listed = ironic.nodes(&filter).await.unwrap();
    let mut uuids: Vec<_> = listed.iter().map(|node| node.uuid.clone()).collect();
    let NodePage { nodes, next } = ironic.nodes_page(&filter, None, 60).await.unwrap();
    let rest = ironic.nodes_page(&filter, next.as_deref(), 60).await.unwrap();
    assert_eq!((nodes.len(), rest.nodes.len(), rest.next), (60, 43, None));
    assert!(nodes.into_iter().chain(rest.nodes).map(|node| node.uuid).eq(uuids.iter().cloned()), "in one order");
    made.sort_unstable();
    uuids.sort_unstable();
    assert_eq!(uuids, made, "each once");

    let gone = uuid::Uuid::now_v7().to_string();
    let error = ironic.nodes_page(&filter, Some(&gone), 2).await.unwrap_err();
    assert!(matches!(error, IronicError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_filter_lets_through_what_it_names() {
    let Some(url) = need(Peer::Ironic) else { return };
    let (ironic, class) = (client(&url), unique("class & more"));
    let mut nodes = Vec::new();
    for name in ["free", "taken", "kept"] {
        let mut new = scripted(&unique(name));
        new.resource_class = Some(class.clone());
        nodes.push(ironic.create_node(&new).await.unwrap());
    }
    let instance = uuid::Uuid::now_v7().to_string();
    ironic.patch_node(&nodes[1].uuid, &[Patch::add("/instance_uuid", instance.as_str())]).await.unwrap();
    let kept = [Patch::add("/maintenance", true), Patch::add("/properties/cpus", 64)];
    let kept = ironic.patch_node(&nodes[2].uuid, &kept).await.unwrap();
    assert!(kept.maintenance && kept.properties["cpus"] == 64);

    let of_class = NodeFilter { resource_class: Some(class), ..NodeFilter::default() };
    let state = |state| NodeFilter { provision_state: Some(state), ..of_class.clone() };
    for (filter, expected) in [
        (of_class.clone(), vec![0, 1, 2]),
        (NodeFilter { associated: Some(false), ..of_class.clone() }, vec![0, 2]),
        (NodeFilter { associated: Some(true), ..of_class.clone() }, vec![1]),
        (NodeFilter { maintenance: Some(true), ..of_class.clone() }, vec![2]),
        (NodeFilter { associated: Some(false), maintenance: Some(false), ..of_class.clone() }, vec![0]),
        (NodeFilter { instance_uuid: Some(instance), ..NodeFilter::default() }, vec![1]),
        (state(ProvisionState::Enroll), vec![0, 1, 2]),
        (state(ProvisionState::Active), vec![]),
    ] {
        let listed = ironic.nodes(&filter).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|at: usize| &nodes[at].uuid).collect();
        assert_eq!(listed.iter().map(|node| &node.uuid).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    let error = ironic.nodes(&state(ProvisionState::Other("nonsense".to_owned()))).await.unwrap_err();
    assert!(matches!(error, IronicError::Refused { .. }), "{error}");
}
