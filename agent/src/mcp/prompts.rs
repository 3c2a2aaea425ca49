//! Ready-made questions to a model, with the facts that they are about.

use rackhand_core::model::Actor;
use rmcp::{
    ErrorData,
    model::{GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage, ResourceContents, Role},
};
use serde_json::Value;

use super::Mcp;

/// A ready-made question.
pub(super) struct Ready {
    pub(super) name: &'static str,
    about: &'static str,
    /// Its one argument: name, what it is, and the kind of address that has the facts.
    pub(super) argument: Option<(&'static str, &'static str, &'static str)>,
    text: &'static str,
}

/// All of them.
pub(super) const READY: [Ready; 3] = [
    Ready {
        name: "triage-incident",
        about: "What is wrong with a server, and what to do about it",
        argument: Some(("handle", "The server's handle, such as vps-267179", "server")),
        text: "Find out what is wrong with server {argument}, whose record is below. Look at its incidents and at its \
               job, and read the last jobs (list_jobs with its handle, then show_job). Compare with the runbooks among \
               the resources (runbook://…). Say: what is wrong, since when, what the evidence is, and what you are not \
               sure of. Then name the one next step. Do it yourself only if it changes nothing for good; a rebuild \
               wipes the disk, and a person has to approve it: propose it with your reasons.",
    },
    Ready {
        name: "plan-capacity",
        about: "Whether the fleet is enough, and what to change",
        argument: None,
        text: "Look at the whole fleet: show_status for the numbers, list_servers (all its pages) for the rented servers, \
               list_nodes (all its pages) for the bare metal, where an Ironic is configured, list_jobs for what was done \
               of late. Say how many servers are ready, how many are not in use and why (discovered, reserved, error, \
               maintenance), which fail again and again, and how long a set-up takes. Say of the nodes, by their \
               resource class, how many are free (available), in use (active), and how many neither and why (enroll, \
               manageable, cleaning, failed, in maintenance). Then say whether this is enough, and what you would \
               change, with the numbers behind it. Change nothing.",
    },
    Ready {
        name: "post-incident-review",
        about: "What happened in a job, and how to keep it from happening again",
        argument: Some(("job", "The job's id, or the end of it", "job")),
        text: "Write a review without blame of job {argument}, whose record is below: what was asked and by whom, what \
               happened when (from its events), what failed and why, what was undone, what a person had to do. Keep \
               facts and guesses apart. End with at most three things that would have prevented it or made it shorter.",
    },
];

/// The ready-made questions as clients see them.
pub(super) fn all() -> Vec<Prompt> {
    READY.iter().map(Ready::listed).collect()
}

impl Ready {
    fn listed(&self) -> Prompt {
        let argument =
            |(name, about, _)| PromptArgument::new::<&str>(name).with_description::<&str>(about).with_required(true);
        Prompt::new(self.name, Some(self.about), self.argument.map(|known| vec![argument(known)]))
    }
}

impl Mcp {
    /// The messages of a ready-made question.
    pub(super) async fn prompt(
        &self,
        actor: &Actor,
        wanted: &GetPromptRequestParams,
    ) -> Result<GetPromptResult, ErrorData> {
        let ready = READY.iter().find(|ready| ready.name == wanted.name).ok_or_else(|| {
            let name: String = wanted.name.chars().take(64).collect();
            ErrorData::invalid_params(format!("there is no prompt {name:?}"), None)
        })?;
        let Some((name, about, kind)) = ready.argument else {
            return Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, ready.text)]));
        };
        let given = wanted.arguments.as_ref().and_then(|arguments| arguments.get(name)).and_then(Value::as_str);
        let given = given.ok_or_else(|| ErrorData::invalid_params(format!("{name} is missing: {about}"), None))?;
        let facts = self.resource(actor, &format!("{kind}://{given}")).await?;
        let mut messages = vec![PromptMessage::new_text(Role::User, ready.text.replace("{argument}", given))];
        for contents in facts.contents {
            if let ResourceContents::TextResourceContents { uri, mime_type, text, .. } = contents {
                messages.push(PromptMessage::new_resource(Role::User, uri, mime_type, Some(text), None, None, None));
            }
        }
        Ok(GetPromptResult::new(messages).with_description(ready.about))
    }
}
