//! Telegram's Bot API, <https://core.telegram.org/bots/api>, with teloxide's types.
//!
//! Limits: a text of 4096 characters, 1024 under a file of at most 50 MB; about 30 messages a second in all, 1 a second
//! in a chat, 20 a minute in a group, else 429. Updates are kept for 24 hours; one poller for one bot. A press must be
//! answered within seconds.
//!
//! The calls themselves are made here and not by `teloxide::Bot`, which waits 10 s inside each call that is answered
//! with a 5xx (teloxide-core 0.13, `net/request.rs`: not to be switched off), drops the `error_code`, prints the URL
//! with the token in its errors and the token in its `Debug`, and takes a message for lost when it cannot read the
//! answer to a call that did take effect.

mod incoming;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use rackhand_core::{clients::calls::Call, fault::chain, secret::Secret};
use reqwest012::{RequestBuilder, Response, StatusCode, Url, multipart, redirect};
use serde::Serialize;
use serde_json::Value;
use teloxide::{
    payloads::{
        AnswerCallbackQuery, EditMessageCaption, EditMessageCaptionSetters, EditMessageText, EditMessageTextSetters,
        GetMe, GetUpdates, GetUpdatesSetters, SendMessage, SendMessageSetters, SetMyCommands, SetMyCommandsSetters,
    },
    requests::Payload,
    types::{
        self, AllowedUpdate, BotCommand, BotCommandScope, CallbackQueryId, InlineKeyboardButton, InlineKeyboardMarkup,
        LinkPreviewOptions, ParseMode, Recipient,
    },
};

use super::{
    Button, ChatId, CommandScope, Document, Incoming, Message, MessageId, Messenger, PressId, SendError, UpdateId,
};

/// Where the real API is.
pub const API_URL: &str = "https://api.telegram.org";

const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// For a call, from its first byte to the last of its answer.
const DEADLINE: Duration = Duration::from_secs(15);
/// The server holds a poll for so long when there is nothing to tell; [`DEADLINE`] leaves it 5 s more.
const POLL: Duration = Duration::from_secs(10);
/// For a call that uploads a file.
const UPLOAD_DEADLINE: Duration = Duration::from_mins(1);
/// What is left of a 429 that does not say how long to wait.
const DEFAULT_WAIT: Duration = Duration::from_secs(5);
/// An answer is read up to here: a hundred updates with the longest texts are less than half of it.
const MOST_BODY: usize = 8 * 1024 * 1024;

/// The bot's connection to Telegram.
pub struct Telegram {
    http: reqwest012::Client,
    api_url: Url,
    token: Secret,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").field("host", &self.api_url.host_str()).finish_non_exhaustive()
    }
}

impl Telegram {
    /// A connection to the API at `api_url` ([`API_URL`], or a server of one's own) as the bot that has this token.
    /// Nothing is sent yet. Fails with `Rejected` when the address is no http(s) URL or the token cannot be one.
    pub fn new(api_url: &str, token: Secret) -> Result<Self, SendError> {
        let api_url = Url::parse(api_url).map_err(|e| setup(&e))?;
        if !matches!(api_url.scheme(), "http" | "https") || api_url.cannot_be_a_base() {
            return Err(SendError::Rejected { method: "setup", what: "the API's address is no http(s) URL".into() });
        }
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
        if token.expose().is_empty() || !token.expose().bytes().all(is_token) {
            return Err(SendError::Unauthorized);
        }
        let mut builder = reqwest012::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(DEADLINE)
            .tcp_nodelay(true)
            // A redirect would be followed, and logged, with the token in its URL.
            .redirect(redirect::Policy::none());
        if matches!(api_url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]")) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|e| setup(&e.without_url()))?;
        Ok(Self { http, api_url, token })
    }

    /// One call with arguments as JSON.
    async fn call<P: Payload + Serialize>(&self, payload: &P) -> Result<Value, SendError> {
        let body = serde_json::to_vec(payload)
            .map_err(|e| SendError::Rejected { method: P::NAME, what: self.token.redact(&chain(&e)) })?;
        let request = self.http.post(self.url(P::NAME)).header("content-type", "application/json").body(body);
        self.execute(P::NAME, request).await
    }

    /// A poll is waited for as long as nothing comes: it is counted as a system of its own.
    async fn execute(&self, method: &'static str, request: RequestBuilder) -> Result<Value, SendError> {
        let system = if method == GetUpdates::NAME { "telegram-poll" } else { "telegram" };
        Call::of(system).ended(self.exchange(method, request).await)
    }

    async fn exchange(&self, method: &'static str, request: RequestBuilder) -> Result<Value, SendError> {
        let response = request.send().await.map_err(|e| {
            let maybe_done = !e.is_connect();
            self.unavailable(method, &e.without_url(), maybe_done)
        })?;
        let status = response.status();
        let body = self.read(method, response).await?;
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(&body) else {
            let what = format!("HTTP {status} without a JSON body");
            return Err(SendError::Unavailable { method, what, maybe_done: true });
        };
        if answer.get("ok") == Some(&Value::Bool(true)) {
            return Ok(answer.remove("result").unwrap_or_default());
        }
        Err(self.refused(method, status, &Value::Object(answer)))
    }

    async fn read(&self, method: &'static str, mut response: Response) -> Result<Vec<u8>, SendError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.unavailable(method, &e.without_url(), true))? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST_BODY {
                let what = format!("more than {MOST_BODY} bytes");
                return Err(SendError::Unavailable { method, what, maybe_done: true });
            }
        }
        Ok(body)
    }

    fn url(&self, method: &str) -> Url {
        let mut url = self.api_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&format!("bot{}", self.token.expose())).push(method);
        }
        url
    }

    fn unavailable(&self, method: &'static str, error: &reqwest012::Error, maybe_done: bool) -> SendError {
        SendError::Unavailable { method, what: self.token.redact(&chain(error)), maybe_done }
    }

    /// What a refusal means. The codes are documented, the words are not, but have been the same for years.
    fn refused(&self, method: &'static str, status: StatusCode, answer: &Value) -> SendError {
        let code = answer["error_code"].as_u64().unwrap_or_else(|| status.as_u16().into());
        let words = self.token.redact(answer["description"].as_str().unwrap_or_default());
        let what: String = words.chars().take(300).collect();
        if let Some(to) = answer["parameters"]["migrate_to_chat_id"].as_i64() {
            return SendError::Moved { to: ChatId(to) };
        }
        match code {
            429 => {
                let seconds = answer["parameters"]["retry_after"].as_u64();
                SendError::TooMany { retry_after: seconds.map_or(DEFAULT_WAIT, Duration::from_secs) }
            }
            401 | 404 => SendError::Unauthorized,
            403 => SendError::Blocked { why: what },
            409 => SendError::Conflict { what },
            500.. => SendError::Unavailable { method, what: format!("HTTP {code} {what}"), maybe_done: true },
            _ => bad_request(method, what),
        }
    }

    async fn send_document(&self, chat: ChatId, message: &Message, document: &Document) -> Result<Value, SendError> {
        const METHOD: &str = "SendDocument";
        let file = multipart::Part::bytes(document.bytes.clone()).file_name(document.name.clone());
        let mut form = multipart::Form::new()
            .text("chat_id", chat.0.to_string())
            .text("caption", message.html.clone())
            .text("parse_mode", "HTML")
            .text("disable_notification", message.silent.to_string())
            .part("document", file);
        if !message.buttons.is_empty() {
            let markup = serde_json::to_string(&keyboard(&message.buttons));
            form = form.text("reply_markup", markup.map_err(|e| setup(&e))?);
        }
        let request = self.http.post(self.url(METHOD)).timeout(UPLOAD_DEADLINE).multipart(form);
        self.execute(METHOD, request).await
    }
}

#[async_trait]
impl Messenger for Telegram {
    async fn send(&self, chat: ChatId, message: &Message) -> Result<MessageId, SendError> {
        let sent = if let Some(document) = &message.document {
            self.send_document(chat, message, document).await?
        } else {
            let mut payload = SendMessage::new(recipient(chat), message.html.clone())
                .parse_mode(ParseMode::Html)
                .link_preview_options(no_preview())
                .disable_notification(message.silent);
            if !message.buttons.is_empty() {
                payload = payload.reply_markup(keyboard(&message.buttons));
            }
            self.call(&payload).await?
        };
        sent["message_id"].as_i64().map(MessageId).ok_or_else(|| SendError::Unavailable {
            method: SendMessage::NAME,
            what: "an answer without the message's number".into(),
            maybe_done: true,
        })
    }

    async fn edit(&self, chat: ChatId, id: MessageId, message: &Message) -> Result<(), SendError> {
        let id = types::MessageId(i32::try_from(id.0).map_err(|_| SendError::MessageGone)?);
        let buttons = keyboard(&message.buttons);
        if message.document.is_some() {
            let payload = EditMessageCaption::new(recipient(chat), id)
                .caption(message.html.clone())
                .parse_mode(ParseMode::Html)
                .reply_markup(buttons);
            self.call(&payload).await?;
        } else {
            let payload = EditMessageText::new(recipient(chat), id, message.html.clone())
                .parse_mode(ParseMode::Html)
                .link_preview_options(no_preview())
                .reply_markup(buttons);
            self.call(&payload).await?;
        }
        Ok(())
    }

    async fn answer_press(&self, press: &PressId, text: Option<&str>) -> Result<(), SendError> {
        let mut payload = AnswerCallbackQuery::new(CallbackQueryId(press.0.clone()));
        payload.text = text.map(ToOwned::to_owned);
        self.call(&payload).await.map(drop)
    }

    async fn updates(&self, after: Option<UpdateId>) -> Result<Vec<Incoming>, SendError> {
        let mut payload = GetUpdates::new()
            .timeout(u32::try_from(POLL.as_secs()).unwrap_or(u32::MAX))
            .allowed_updates([AllowedUpdate::Message, AllowedUpdate::CallbackQuery]);
        payload.offset = after.and_then(|after| i32::try_from(after.0 + 1).ok());
        match self.call(&payload).await? {
            Value::Array(updates) => Ok(updates.iter().filter_map(incoming::read).collect()),
            _ => Err(SendError::Unavailable {
                method: GetUpdates::NAME,
                what: "an answer that is no list".into(),
                maybe_done: false,
            }),
        }
    }

    async fn set_commands(
        &self,
        scope: CommandScope,
        language: Option<&str>,
        commands: &[(String, String)],
    ) -> Result<(), SendError> {
        let mut payload =
            SetMyCommands::new(commands.iter().map(|(name, about)| BotCommand::new(name, about))).scope(match scope {
                CommandScope::Default => BotCommandScope::Default,
                CommandScope::Chat(chat) => BotCommandScope::Chat { chat_id: recipient(chat) },
            });
        payload.language_code = language.map(ToOwned::to_owned);
        self.call(&payload).await.map(drop)
    }

    async fn me(&self) -> Result<String, SendError> {
        let me = self.call(&GetMe::new()).await?;
        me["username"].as_str().map(ToOwned::to_owned).ok_or_else(|| SendError::Unavailable {
            method: GetMe::NAME,
            what: "an answer without a user name".into(),
            maybe_done: false,
        })
    }
}

/// What a 400 means, by its words (without regard to case).
fn bad_request(method: &'static str, what: String) -> SendError {
    let words = what.to_lowercase();
    let says = |needles: &[&str]| needles.iter().any(|needle| words.contains(needle));
    if says(&["message is not modified"]) {
        SendError::NotModified
    } else if says(&["message to edit not found", "message can't be edited", "message_id_invalid"]) {
        SendError::MessageGone
    } else if says(&["query is too old", "query id is invalid"]) {
        SendError::PressExpired
    } else if says(&["chat not found", "user not found", "peer_id_invalid", "group is deactivated"])
        || says(&["have no rights to send", "not enough rights to send", "chat_write_forbidden"])
    {
        SendError::Blocked { why: what }
    } else {
        SendError::Rejected { method, what }
    }
}

fn setup(error: &dyn std::error::Error) -> SendError {
    SendError::Rejected { method: "setup", what: chain(error) }
}

fn recipient(chat: ChatId) -> Recipient {
    Recipient::Id(types::ChatId(chat.0))
}

fn keyboard(rows: &[Vec<Button>]) -> InlineKeyboardMarkup {
    let button = |button: &Button| InlineKeyboardButton::callback(button.label.clone(), button.data.clone());
    InlineKeyboardMarkup::new(rows.iter().map(|row| row.iter().map(button).collect::<Vec<_>>()))
}

fn no_preview() -> LinkPreviewOptions {
    LinkPreviewOptions {
        is_disabled: true,
        url: None,
        prefer_small_media: false,
        prefer_large_media: false,
        show_above_text: false,
    }
}
