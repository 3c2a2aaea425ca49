//! Asking the person at the client for a text that the model left out, where the client offers that.

use std::time::Duration;

use rmcp::{
    RoleServer,
    model::{
        CallToolRequestParams, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
        InputRequest, InputRequests, InputRequiredResult, JsonObject, StringSchema,
    },
    service::RequestContext,
};
use serde_json::Value;

/// The name of the one question, in the protocol's later form.
const QUESTION: &str = "arguments";
/// How long the person at the client may take, in the protocol's earlier form.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a call is made with.
pub(super) enum Arguments {
    /// All that is to be known.
    Known(JsonObject),
    /// The client asks first and then calls again.
    Ask(InputRequiredResult),
}

/// The call's arguments, and for what is missing the answers of the person at the client. Where nobody can be asked, or
/// nobody answers, the arguments as they came: the operation then says what is wrong.
pub(super) async fn completed(
    call: &CallToolRequestParams,
    schema: &JsonObject,
    about: &str,
    context: &RequestContext<RoleServer>,
) -> Arguments {
    let mut given = call.arguments.clone().unwrap_or_default();
    let missing = missing(&given, schema);
    if missing.is_empty() {
        return Arguments::Known(given);
    }
    if let Some(answers) = &call.input_responses {
        let answer = answers.get(QUESTION).and_then(|answer| serde_json::from_value(answer.clone()).ok());
        fill_in(&mut given, &missing, answer);
        return Arguments::Known(given);
    }
    let (true, Some(question)) = (offers_forms(context), question(&missing, schema, about)) else {
        return Arguments::Known(given);
    };
    if super::is_later(context) {
        let request = InputRequest::Elicitation(ElicitRequest::new(question));
        return Arguments::Ask(InputRequiredResult::from_input_requests(InputRequests::from([(
            QUESTION.to_owned(),
            request,
        )])));
    }
    let asked = context.peer.create_elicitation_with_timeout(question, Some(PATIENCE));
    let answer = tokio::select! {
        answer = asked => answer.ok(),
        () = context.ct.cancelled() => None,
    };
    fill_in(&mut given, &missing, answer);
    Arguments::Known(given)
}

/// The required texts that were not given. Other types are the model's own business.
fn missing(given: &JsonObject, schema: &JsonObject) -> Vec<String> {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let names = required.filter_map(Value::as_str).filter(|name| !given.contains_key(*name));
    names.filter(|name| property(schema, name, "type") == Some("string")).map(str::to_owned).collect()
}

fn property<'a>(schema: &'a JsonObject, name: &str, fact: &str) -> Option<&'a str> {
    schema.get("properties")?.get(name)?.get(fact)?.as_str()
}

fn offers_forms(context: &RequestContext<RoleServer>) -> bool {
    let offered = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    // A client that says no more than "elicitation" is of the time when there were only forms.
    offered.is_some_and(|offered| offered.form.is_some() || offered.url.is_none())
}

fn question(missing: &[String], schema: &JsonObject, about: &str) -> Option<ElicitRequestParams> {
    let form = missing.iter().fold(ElicitationSchema::builder(), |form, name| {
        let words = property(schema, name, "description").unwrap_or_default().to_owned();
        form.required_string_property(name, move |text: StringSchema| text.description(words))
    });
    let requested_schema = form.build().ok()?;
    let message = format!("{about}: {} is missing", missing.join(", "));
    Some(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

fn fill_in(given: &mut JsonObject, missing: &[String], answer: Option<ElicitResult>) {
    let Some(answer) = answer.filter(|answer| answer.action == ElicitationAction::Accept) else { return };
    for name in missing {
        if let Some(text @ Value::String(_)) = answer.content.as_ref().and_then(|content| content.get(name)) {
            given.insert(name.clone(), text.clone());
        }
    }
}
