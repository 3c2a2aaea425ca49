//! Faults on the way, and the token in none of their words.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use rackhand_bot::messenger::{ChatId, Message, Messenger, SendError, telegram};
use rackhand_core::{
    clock::{Manual, ManualClock},
    secret::Secret,
    units::Timestamp,
};
use rackhand_tests::telegram::{Chaos, Fault, Outcome, Telegram, When};
use tracing_subscriber::{fmt::MakeWriter, util::SubscriberInitExt};

use super::{SOON, anna, connect, start};

#[tokio::test]
async fn no_answer_may_still_mean_done() {
    let (server, bot) = start().await;
    server.meet(&anna());
    let faults = [
        Fault::ServerError(When::Before),
        Fault::ServerError(When::After),
        Fault::Drop(When::Before),
        Fault::Drop(When::After),
        Fault::Garbage(When::Before),
        Fault::Garbage(When::After),
    ];
    let send = async {
        for (number, fault) in faults.iter().enumerate() {
            server.fail("sendMessage", fault, 1);
            let sent = bot.send(ChatId(101), &Message::new(number.to_string())).await;
            assert!(matches!(sent, Err(SendError::Unavailable { maybe_done: true, .. })), "{fault:?}: {sent:?}");
        }
    };
    // teloxide's own client would wait 10 s at each 500.
    tokio::time::timeout(Duration::from_secs(5), send).await.unwrap();
    let arrived: Vec<String> = server.transcript(101).into_iter().map(|shown| shown.text).collect();
    assert_eq!(arrived, ["1", "3", "5"]);
    assert_eq!(server.faults_left(), 0);
    let outcomes: Vec<Outcome> = server.calls().iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes[1..4], [Outcome::Answered(500), Outcome::Dropped, Outcome::Dropped]);

    // Telegram goes away in the middle of a poll, and comes back.
    let poller = connect(&server);
    let waiting = tokio::spawn(async move { (poller.updates(None).await, poller) });
    server.wait_for_call(SOON, |call| (call.method == "getupdates").then_some(())).await.unwrap();
    server.set_reachable(false);
    let (cut, poller) = waiting.await.unwrap();
    assert!(matches!(cut, Err(SendError::Unavailable { .. })), "{cut:?}");
    assert!(matches!(poller.me().await, Err(SendError::Unavailable { .. })));
    server.set_reachable(true);
    poller.me().await.unwrap();

    let nobody = telegram::Telegram::new("http://127.0.0.1:1", Secret::new("1:x")).unwrap();
    assert!(matches!(nobody.me().await, Err(SendError::Unavailable { maybe_done: false, .. })));
}

#[tokio::test]
async fn in_chaos_a_patient_sender_loses_nothing() {
    let clock = ManualClock::new(Timestamp(1_700_000_000_000));
    let server = Telegram::start_with(Arc::new(Manual(clock.clone()))).await.unwrap();
    let bot = connect(&server);
    server.meet(&anna());
    server.set_chaos(Some(Chaos { seed: 7, too_many: 0.2, server_error: 0.2, dropped: 0.2, polls: false }));
    let mut unsure = 0;
    for number in 0..50 {
        let message = Message::new(format!("n{number}"));
        loop {
            match bot.send(ChatId(101), &message).await {
                Ok(_) => break,
                Err(SendError::TooMany { retry_after }) => clock.advance(retry_after),
                Err(SendError::Unavailable { .. }) => unsure += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    let mut texts: Vec<String> = server.transcript(101).into_iter().map(|shown| shown.text).collect();
    let sent = texts.len();
    texts.dedup();
    assert_eq!(texts, (0..50).map(|number| format!("n{number}")).collect::<Vec<_>>());
    assert!(sent > 50 && sent - 50 < unsure, "{sent} sent, {unsure} without an answer");
    assert_eq!(server.violations(), []);
}

/// Everything that is logged on this thread, at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_token_is_never_told() {
    let log = Log::default();
    let _guard = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish()
        .set_default();
    let (server, bot) = start().await;
    server.meet(&anna());
    let token = server.token();
    let secret = token.split(':').next_back().unwrap();

    let mut told = vec![format!("{bot:?}")];
    let spiteful = Fault::Refuse { code: 400, description: format!("Bad Request: /bot{token}/sendMessage is wrong") };
    let spiteful_500 = Fault::Refuse { code: 502, description: format!("no route to /bot{token}/sendMessage") };
    for fault in [Fault::Drop(When::Before), Fault::Garbage(When::After), spiteful, spiteful_500] {
        server.fail("sendMessage", &fault, 1);
        let error = bot.send(ChatId(101), &Message::new("x")).await.unwrap_err();
        told.extend([error.to_string(), format!("{error:?}")]);
    }
    let nobody = telegram::Telegram::new("http://127.0.0.1:1/", Secret::new(token.clone())).unwrap();
    let error = nobody.me().await.unwrap_err();
    told.extend([error.to_string(), format!("{error:?}")]);
    assert!(told.iter().all(|words| !words.contains(secret)), "{told:#?}");
    assert!(told.iter().any(|words| words.contains("[redacted]")));

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("starting new connection"), "the log holds what the HTTP client says:\n{log}");
    assert!(!log.contains(secret), "{log}");
}
