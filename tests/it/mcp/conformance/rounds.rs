//! Tools and a prompt that first need something of the client, in the later revision's way: an answer that asks, and the
//! same call again with what was asked for.

use rmcp::{
    ErrorData, RoleServer,
    model::{InputRequiredResult, InputResponses, ProtocolVersion},
    service::RequestContext,
};
use serde_json::{Map, Value, json};

use super::server::read;

/// The prompt that asks.
pub const PROMPT: &str = "test_input_required_result_prompt";
/// What the state begins with; the number of the round follows.
const STATE: &str = "round-";

/// What is asked, round by round: names, and requests of the protocol.
pub type Rounds = Vec<Value>;

/// What a tool asks; none where it asks nothing.
pub fn of_tool(name: &str) -> Option<Rounds> {
    let who = form("What is your name?", "name", "string");
    Some(match name {
        "test_input_required_result_elicitation" | "test_tool_with_task" | "test_streaming_elicitation" => {
            vec![json!({ "user_name": who })]
        }
        "test_input_required_result_sampling" => vec![json!({ "capital": model("What is the capital of France?") })],
        "test_missing_capability" => vec![json!({ "anything": model("Anything?") })],
        "test_input_required_result_list_roots" => vec![json!({ "client_roots": roots() })],
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            vec![json!({ "confirm": form("Please confirm", "ok", "boolean") })]
        }
        "test_input_required_result_multiple_inputs" => {
            vec![json!({ "user_name": who, "greeting": model("Generate a greeting"), "client_roots": roots() })]
        }
        "test_input_required_result_multi_round" => vec![
            json!({ "step1": form("Step 1: What is your name?", "name", "string") }),
            json!({ "step2": form("Step 2: What is your favorite color?", "color", "string") }),
        ],
        "test_input_required_result_capabilities" => vec![json!({ "user_name": who, "greeting": model("Greet") })],
        _ => return None,
    })
}

/// What the prompt asks.
pub fn of_prompt() -> Rounds {
    vec![json!({ "user_context": form("What context should the prompt use?", "context", "string") })]
}

/// What has to be asked now, of what the client can answer; none when all is known.
///
/// # Errors
/// The state is none of ours, or the client can answer nothing of it.
pub fn next(
    rounds: &Rounds,
    (answers, state): (Option<&InputResponses>, Option<&str>),
    context: &RequestContext<RoleServer>,
) -> Result<Option<InputRequiredResult>, ErrorData> {
    let mut round = round_of(state, rounds.len())?;
    let mut asked = answerable(&rounds[round], context)?;
    let known = |key: &str| answers.and_then(|answers| answers.get(key)).is_some_and(Value::is_object);
    if asked.keys().all(|key| known(key)) {
        round += 1;
        let Some(next) = rounds.get(round) else { return Ok(None) };
        asked = answerable(next, context)?;
    }
    Ok(Some(InputRequiredResult::new(Some(read(Value::Object(asked))), Some(format!("{STATE}{round}")))))
}

/// Whether the request is of the later revision, which has no sessions.
pub fn is_stateless(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

fn round_of(state: Option<&str>, rounds: usize) -> Result<usize, ErrorData> {
    let Some(state) = state else { return Ok(0) };
    let round = (0..rounds).find(|round| state == format!("{STATE}{round}"));
    round.ok_or_else(|| ErrorData::invalid_params("this state was not given out by this server", None))
}

/// Those requests that the client said it can answer: `sampling/createMessage` by `sampling`.
fn answerable(asked: &Value, context: &RequestContext<RoleServer>) -> Result<Map<String, Value>, ErrorData> {
    let client = serde_json::to_value(context.client_capabilities().unwrap_or_default()).expect("capabilities");
    let needs = |request: &Value| request["method"].as_str().and_then(|it| it.split('/').next()).map(str::to_owned);
    let all = asked.as_object().expect("requests by name");
    let can = |request: &Value| needs(request).is_some_and(|needs| client.get(needs).is_some());
    let some: Map<_, _> = all.iter().filter(|(_, asked)| can(asked)).map(|(k, v)| (k.clone(), v.clone())).collect();
    if some.is_empty() {
        let needed: Map<_, _> = all.values().filter_map(needs).map(|needs| (needs, json!({}))).collect();
        return Err(ErrorData::missing_required_client_capability(read(Value::Object(needed))));
    }
    Ok(some)
}

/// A form of one field for the person at the client.
pub fn form(message: &str, field: &str, kind: &str) -> Value {
    let schema = json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    let params = json!({ "mode": "form", "message": message, "requestedSchema": schema });
    json!({ "method": "elicitation/create", "params": params })
}

fn model(prompt: &str) -> Value {
    let message = json!({ "role": "user", "content": { "type": "text", "text": prompt } });
    json!({ "method": "sampling/createMessage", "params": { "messages": [message], "maxTokens": 100 } })
}

fn roots() -> Value {
    json!({ "method": "roots/list", "params": {} })
}
