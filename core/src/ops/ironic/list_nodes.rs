//! The nodes, in the order in which they were enrolled.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{NodeFault, NodeView};
use crate::{
    clients::ironic::{IronicError, Node, NodeFilter, PAGE},
    model::{Risk, Role},
    ops::{OpError, Operation, Outside, Page, PageOf, Reach, Rest, Spec, Topic},
};

/// Lists nodes.
pub struct ListNodes;

/// Which nodes, and which part of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListNodesInput {
    /// Only those in this state of Ironic's, such as `available` or `active`.
    pub provision_state: Option<String>,
    /// Only those of this kind of machine.
    pub resource_class: Option<String>,
    /// What `next` said on the page before; empty for the first page.
    pub cursor: String,
    /// How many at most, 1 to 500; 0 means 50.
    #[schemars(range(max = 500))]
    pub limit: u32,
}

#[async_trait]
impl Operation for ListNodes {
    type Input = ListNodesInput;
    type Output = PageOf<NodeView>;
    const SPEC: Spec = Spec {
        name: "list_nodes",
        summary: "Lists the bare-metal nodes of Ironic with their states",
        topic: Topic::Ironic,
        rest: &[Rest::get("/nodes")],
        cli: "nodes list",
        risk: Risk::Read,
        lowest: Role::Viewer,
        repeatable: true,
        people_only: false,
    };
    const REACH: Reach = Reach::Run;

    async fn run_outside(cx: &Outside, input: ListNodesInput) -> Result<PageOf<NodeView>, OpError> {
        let page = Page::of(&input.cursor, input.limit)?;
        let filter = NodeFilter {
            provision_state: input.provision_state.map(Into::into),
            resource_class: input.resource_class,
            ..NodeFilter::default()
        };
        let nodes = some(cx, &filter, &page).await?;
        let page = page.cut(nodes, |node| node.uuid.clone());
        Ok(PageOf { items: page.items.into_iter().map(NodeView::from).collect(), next: page.next })
    }
}

/// The nodes of a page, and one more where there is one.
async fn some(cx: &Outside, filter: &NodeFilter, page: &Page) -> Result<Vec<Node>, OpError> {
    let slice = page.slice();
    let skip = usize::try_from(slice.offset).unwrap_or(0);
    let wanted = skip.saturating_add(usize::try_from(slice.limit).unwrap_or(0));
    let (mut found, mut after) = (Vec::new(), Some(slice.after).filter(|after| !after.is_empty()));
    loop {
        let limit = (wanted - found.len()).min(PAGE);
        let part = cx.ironic()?.nodes_page(filter, after.as_deref(), limit).await.map_err(bad_list)?;
        found.extend(part.nodes);
        after = part.next;
        if after.is_none() || found.len() >= wanted {
            return Ok(found.into_iter().skip(skip).collect());
        }
    }
}

fn bad_list(error: IronicError) -> OpError {
    match error {
        // The node that the cursor names is gone.
        IronicError::NotFound { .. } => OpError::BadInput {
            path: "cursor".to_owned(),
            message: "the node that this page begins after is gone: begin at the first page".to_owned(),
        },
        IronicError::Refused { message } => OpError::BadInput { path: "provision_state".to_owned(), message },
        error => NodeFault::Away(error).into(),
    }
}
