//! Ironic's nodes: shown, provisioned, taken down.

use rackhand_core::{
    model::Role,
    ops::{
        self, Answer, NodeFault, OpError, Page,
        ironic::{GetNode, ListNodes, ListNodesInput, NodeInput, NodeView, ProvisionRequest, ProvisionServer},
    },
};
use serde_json::{Value, json};

use super::{Asked, Reply, RouteError, Router};
use crate::{
    messenger::Message,
    texts::{plain, say},
    views::{self, PAGE, node},
    want::{NodeAction, Want},
};

impl Router {
    pub(super) async fn list_nodes(&self, asked: &Asked<'_>, from: u32) -> Result<Reply, RouteError> {
        let input = ListNodesInput { cursor: Page::skip(from), limit: PAGE, ..ListNodesInput::default() };
        let list = self.done::<ListNodes>(asked, &input).await?;
        Ok(Reply::here(node::list(&asked.reader, from, &list)))
    }

    pub(super) async fn show_node(&self, asked: &Asked<'_>, id: &str) -> Result<Reply, RouteError> {
        let node = self.node(asked, id).await?;
        Ok(Reply::here(node::card(&asked.reader, &node)).toast(plain!(asked.reader.lang, "toast-fresh")))
    }

    /// A node by what was typed; for `/unprovision`, what is to be done to it, and how (`NODE clean=false`).
    pub(super) async fn about_node(
        &self,
        asked: &Asked<'_>,
        action: Option<NodeAction>,
        argument: &str,
    ) -> Result<Reply, RouteError> {
        if argument.is_empty() {
            return Ok(self.which_node(asked, action));
        }
        // No name of a node has any of these in it: more than a name was said.
        let is_more = argument.contains(|c: char| c.is_whitespace() || c == '=');
        if let Some(entry) = action.filter(|_| is_more).and_then(|action| ops::find(action.operation())) {
            let done = self.with_words(asked, entry, argument, 0, argument).await?;
            return Ok(done.unwrap_or_else(|| self.which_node(asked, action)));
        }
        let uuid = self.node(asked, argument).await?.uuid;
        let want = action.map_or_else(|| Want::Node(uuid.clone()), |action| Want::ActOnNode(action, uuid.clone()));
        Box::pin(self.answer(asked, &want)).await
    }

    fn which_node(&self, asked: &Asked<'_>, action: Option<NodeAction>) -> Reply {
        let mut html = say!(asked.reader.lang, "node-which");
        if action == Some(NodeAction::Unprovision) {
            html.push('\n');
            html.push_str(&say!(asked.reader.lang, "node-which-unprovision"));
        }
        Reply::below(views::body(self.or_a_node(asked, Message::new(html))))
    }

    /// What may have been meant is a node: with the way to all of them, where there are any.
    pub(super) fn or_a_node(&self, asked: &Asked<'_>, mut message: Message) -> Message {
        if self.ops.ironic.is_some() {
            message.buttons.push(vec![node::all(asked.reader.lang)]);
        }
        message
    }

    /// The card of the node of this name; none where no node has it.
    pub(super) async fn node_named(&self, asked: &Asked<'_>, name: &str) -> Result<Option<Reply>, RouteError> {
        Ok(self.node_if(asked, name).await?.map(|node| Reply::here(node::card(&asked.reader, &node))))
    }

    /// Provisions the node that `NODE [IMAGE]` names; none where no node has this name.
    pub(super) async fn provision_named(&self, asked: &Asked<'_>, argument: &str) -> Result<Option<Reply>, RouteError> {
        let (name, image) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
        let Some(node) = self.node_if(asked, name).await? else { return Ok(None) };
        let image = Some(image.trim().to_owned()).filter(|image| !image.is_empty());
        self.provision_node(asked, &node, image).await.map(Some)
    }

    /// Does something to a node, or asks for it.
    pub(super) async fn act_on_node(
        &self,
        asked: &Asked<'_>,
        action: NodeAction,
        id: &str,
    ) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        match action {
            NodeAction::Provision => {
                let node = self.node(asked, id).await?;
                self.provision_node(asked, &node, None).await
            }
            NodeAction::Unprovision => self.ask_for_node(asked, action, &json!({ "server_id": id })).await,
            NodeAction::Provide => self.ask_for_node(asked, action, &json!({ "node": id })).await,
            NodeAction::Manage | NodeAction::EndMaintenance => {
                self.call(asked, action.operation(), &json!({ "node": id })).await?;
                let told = |name: &str| say!(lang, &format!("done-{}", action.key()), name = name);
                self.told(asked, id, told, |name| views::html_to_plain(&told(name))).await
            }
        }
    }

    async fn provision_node(
        &self,
        asked: &Asked<'_>,
        node: &NodeView,
        image: Option<String>,
    ) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        let Some(image_id) = image.or_else(|| self.ops.image.clone()) else {
            let which = Message::new(say!(lang, "node-which-image", name = name(node)));
            return Ok(Reply::below(views::body(which)));
        };
        let server_id = Some(node.uuid.clone());
        let image = image_id.clone();
        let request = ProvisionRequest { server_id, resource_class: None, image_id, config_drive: None };
        self.done::<ProvisionServer>(asked, &request).await?;
        let told = |name: &str| say!(lang, "done-node-provision", name = name, image = &image);
        self.told(asked, &node.uuid, told, |name| plain!(lang, "toast-node-started", name = name)).await
    }

    /// Asks for what a person has to allow.
    async fn ask_for_node(&self, asked: &Asked<'_>, action: NodeAction, input: &Value) -> Result<Reply, RouteError> {
        let open = self.open_questions().await?;
        match self.call(asked, action.operation(), input).await? {
            Answer::AwaitingApproval(question) => Ok(Reply::question(asked.reader.lang, question, &open)),
            Answer::Done(_) => Err(OpError::NoPlan.into()),
        }
    }

    /// What was done, over the node's card as it is now; by itself, where Ironic does not show the node any more.
    async fn told(
        &self,
        asked: &Asked<'_>,
        id: &str,
        told: impl Fn(&str) -> String,
        toast: impl Fn(&str) -> String,
    ) -> Result<Reply, RouteError> {
        let lang = asked.reader.lang;
        let (card, name) = match self.node(asked, id).await {
            Ok(node) => (Some(node::card(&asked.reader, &node)), name(&node).to_owned()),
            Err(RouteError::Silent(_) | RouteError::Operation(OpError::Node(_))) => (None, id.to_owned()),
            Err(error) => return Err(error),
        };
        let message = match card {
            Some(card) => Message { html: format!("{}\n\n{}", told(&name), card.html), ..card },
            None => Message { buttons: vec![vec![node::all(lang)]], ..Message::new(told(&name)) },
        };
        Ok(Reply::here(message).toast(toast(&name)))
    }

    /// A node, where there is one of this name.
    async fn node_if(&self, asked: &Asked<'_>, name: &str) -> Result<Option<NodeView>, RouteError> {
        if self.ops.ironic.is_none() || asked.reader.role < Role::Viewer {
            return Ok(None);
        }
        match self.node(asked, name).await {
            Ok(node) => Ok(Some(node)),
            Err(RouteError::Operation(OpError::Node(NodeFault::NotFound { .. }))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn node(&self, asked: &Asked<'_>, id: &str) -> Result<NodeView, RouteError> {
        self.done::<GetNode>(asked, &NodeInput { node: id.to_owned() }).await
    }
}

fn name(node: &NodeView) -> &str {
    node.name.as_deref().unwrap_or(&node.uuid)
}
