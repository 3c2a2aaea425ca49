//! What Ironic is told of the system that is to be installed, beside what is kept of it for an operator.
//!
//! Facts: github openstack/ironic, `ironic/drivers/modules/deploy_utils.py` and `boot_mode_utils.py`.

use serde_json::{Map, Value, json};

use crate::clients::ironic::Node;

/// What an instance wants of a node's firmware and disk.
const CAPABILITIES: &str = "capabilities";

/// What a node's `instance_info` is for this image; behind a `#`, the image's checksum.
pub(super) fn told(node: &Node, image: &str) -> Map<String, Value> {
    let (source, checksum) = match image.split_once('#') {
        Some((source, checksum)) if !checksum.is_empty() => (source, Some(checksum)),
        _ => (image, None),
    };
    let facts = [
        ("image_source", Some(json!(source))),
        ("image_checksum", checksum.map(|checksum| json!(checksum))),
        ("root_gb", root_gb(node).map(|size| json!(size))),
    ];
    let mut info = left(node);
    info.extend(facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    info
}

/// What stays of a node's `instance_info` whatever is installed on it, or not: the capabilities. We never set any, so they
/// are an operator's wish. `secure_boot` and `disk_label` are heeded nowhere else; `boot_mode` needs no copy, since
/// Ironic falls back on the node's own.
pub(super) fn left(node: &Node) -> Map<String, Value> {
    let wish = node.instance_info.get(CAPABILITIES).filter(|wish| !wish.is_null());
    wish.map(|wish| (CAPABILITIES.to_owned(), wish.clone())).into_iter().collect()
}

/// How large the root partition is, in GiB: an image of a partition is refused without it, and one of a whole disk does
/// not mind it. It is the size that Ironic found, which leaves the partition table its place already.
fn root_gb(node: &Node) -> Option<u64> {
    let size = node.properties.get("local_gb")?;
    let size = size.as_u64().or_else(|| size.as_str()?.trim().parse().ok())?;
    (size > 0).then_some(size)
}
