//! A door that listens, and a program in front of it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rackhand_agent::{
    api::{self, Api, Auth, Patience},
    mcp::{self, Web},
};
use rackhand_core::{
    clock::SystemClock,
    model::{Actor, Role},
    ops::{Answer, CreateToken, CreateTokenInput, Ops},
};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{databases::Database, desk::Desk};

/// More than any test asks for in a minute.
const PLENTY: u32 = 100_000;

/// A door; it closes when this is dropped.
pub struct Door {
    pub address: SocketAddr,
    open: DropGuard,
    serving: JoinHandle<()>,
}

impl Door {
    pub async fn open(ops: &Ops) -> Self {
        Self::with(ops, Auth::Token, PLENTY).await
    }

    pub async fn with(ops: &Ops, auth: Auth, per_minute: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let web = Web { listen: address, hosts: vec!["rackhand.example".to_owned()], origins: Vec::new() };
        let models = mcp::service(ops.clone(), &web, stop.clone());
        let router = api::router(Api::new(ops.clone(), auth, per_minute).with_models(models));
        let serving = tokio::spawn(api::serve(listener, router, stop.clone()));
        Self { address, open: stop.drop_guard(), serving }
    }

    /// A door to so many streams of events: of one caller, and in all.
    pub fn with_streams(ops: &Ops, of_one: usize, in_all: usize) -> Self {
        Self::serving(Api::new(ops.clone(), Auth::Token, PLENTY).with_streams(of_one, in_all), Patience::default())
    }

    /// Closes it, and waits until it is closed.
    pub async fn close(self) {
        drop(self.open);
        timeout(Duration::from_secs(5), self.serving).await.expect("nobody keeps it open").unwrap();
    }

    /// A door that drops whoever takes longer, with small buffers on the way.
    pub fn paced(ops: &Ops, patience: Patience) -> Self {
        Self::serving(Api::new(ops.clone(), Auth::Token, PLENTY), patience)
    }

    fn serving(api: Api, patience: Patience) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(16 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let serving = tokio::spawn(api::serve_paced(listener, api::router(api), patience, stop.clone()));
        Self { address, open: stop.drop_guard(), serving }
    }

    /// A program with this secret.
    pub fn caller(&self, secret: &str) -> Caller {
        Caller::new(&format!("http://{}", self.address), secret)
    }
}

/// A program that asks.
#[derive(Clone)]
pub struct Caller {
    client: reqwest::Client,
    pub root: String,
    pub secret: String,
}

/// What was answered, read to its end.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Caller {
    /// A program in front of the door at `root`.
    pub fn new(root: &str, secret: &str) -> Self {
        Self { client: client(), root: root.to_owned(), secret: secret.to_owned() }
    }

    /// A request below /api/v1.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.at(method, &format!("/api/v1{path}"))
    }

    /// A GET of exactly this path, which no library has put in order before.
    pub async fn get_exactly(&self, path: &str) -> Answered {
        let mut stream = TcpStream::connect(self.root.trim_start_matches("http://")).await.unwrap();
        let secret = &self.secret;
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Answered { status, headers, text: body.to_owned() }
    }

    /// A request to this path from the root.
    pub fn at(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.root)).bearer_auth(&self.secret)
    }

    pub async fn get(&self, path: &str) -> Answered {
        Answered::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answered {
        Answered::of(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answered {
        Answered::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// A POST with an idempotency key.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answered {
        Answered::of(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }
}

impl Answered {
    pub async fn of(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{self:?} is no JSON: {error}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The JSON of a good answer with this status.
    #[track_caller]
    pub fn good(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        self.json()
    }

    /// The problem with this status and code, after a look at its form.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        for (field, value) in [("code", code.into()), ("status", status.into())] as [(&str, Value); 2] {
            assert_eq!(problem[field], value, "{problem}");
        }
        assert_eq!(problem["type"], format!("urn:rackhand:problem:{code}"));
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{problem}");
        assert!(
            ["title", "detail", "instance"]
                .iter()
                .all(|name| problem[name].as_str().is_some_and(|text| !text.is_empty()))
        );
        for error in problem["errors"].as_array().unwrap() {
            assert!(["path", "code", "message"].iter().all(|name| error[name].is_string()), "{problem}");
        }
        problem
    }

    /// The same, and the field that it is about.
    #[track_caller]
    pub fn bad(&self, path: &str) {
        let problem = self.problem(400, "bad-input");
        assert_eq!(problem["errors"][0]["path"], path, "{problem}");
    }
}

/// A client that keeps no connection for another test, and no proxy.
pub fn client() -> reqwest::Client {
    crate::harness::init();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A desk with a door, and a token of each role.
pub struct Place {
    pub desk: Desk,
    pub door: Door,
    pub viewer: Caller,
    pub operator: Caller,
    pub admin: Caller,
}

impl Place {
    pub async fn new(db: &Database) -> Self {
        Self::at(Desk::new(db).await).await
    }

    /// The same on the machine's own clock, by which replicas look for each other's news.
    pub async fn real(db: &Database) -> Self {
        let desk = Desk::new(db).await;
        let ops = Ops { clock: Arc::new(SystemClock), ..desk.ops.clone() };
        Self::at(Desk { ops, ..desk }).await
    }

    /// The same on a desk that somebody has put in order.
    pub async fn at(desk: Desk) -> Self {
        let door = Door::open(&desk.ops).await;
        let viewer = door.caller(&token(&desk.ops, "viewer", Role::Viewer, None).await);
        let operator = door.caller(&token(&desk.ops, "operator", Role::Operator, None).await);
        let admin = door.caller(&token(&desk.ops, "admin", Role::Admin, None).await);
        Self { desk, door, viewer, operator, admin }
    }
}

/// The secret of a new token.
pub async fn token(ops: &Ops, name: &str, role: Role, expires_days: Option<u32>) -> String {
    let input = CreateTokenInput { name: name.to_owned(), role, expires_days };
    match ops.call::<CreateToken>(&Actor::shell(), &input, None).await.unwrap() {
        Answer::Done(new) => new.secret,
        Answer::AwaitingApproval(id) => panic!("it waits for {id}"),
    }
}
