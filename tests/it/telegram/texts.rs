//! Texts: what Telegram refuses, and cutting long ones.

use proptest::prelude::*;
use rackhand_bot::{
    html::{MOST_IN_MESSAGE, escape, length, split},
    messenger::{ChatId, Message, Messenger, SendError},
};
use rackhand_tests::telegram::html;

use super::{anna, start};

#[tokio::test]
async fn what_telegram_refuses_is_our_bug() {
    let (server, bot) = start().await;
    server.meet(&anna());
    let long = "é".repeat(MOST_IN_MESSAGE + 1);
    let data = "x".repeat(65);
    let cases = [
        (Message::new("<b>a<i>b</b></i>"), "Unmatched end tag at byte offset 8, expected \"</i>\", found \"</b>\""),
        (Message::new("<b>never closed"), "Can't find end tag corresponding to start tag \"b\""),
        (Message::new("load < 5 > 3"), "Unsupported start tag \"\" at byte offset 5"),
        (Message::new("vps</b>"), "Unexpected end tag at byte offset 3"),
        (Message::new("<br>"), "Unsupported start tag \"br\""),
        (Message::new("<a href=\"x"), "Unclosed start tag"),
        (Message::new(&long), "message is too long"),
        (Message::new(" <b> </b>\n"), "text must be non-empty"),
        (Message::new(""), "message text is empty"),
        (Message::new("x").row([("label", data.as_str())]), "BUTTON_DATA_INVALID"),
        (Message::new("x").row([("label", "")]), "BUTTON_DATA_INVALID"),
        (Message::new("x").row([("", "data")]), "must be non-empty"),
        (Message::new(&long).document("log", vec![1]), "caption is too long"),
    ];
    for (message, words) in cases {
        match bot.send(ChatId(101), &message).await {
            Err(SendError::Rejected { what, .. }) => assert!(what.contains(words), "{what} lacks {words}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    // What was escaped arrives as it was.
    let rude = "a<b>&amp; \"q\" </i> 5 > 3 &#65;";
    bot.send(ChatId(101), &Message::new(escape(rude))).await.unwrap();
    bot.send(ChatId(101), &Message::new(&long[2..])).await.unwrap();
    let texts: Vec<String> = server.transcript(101).into_iter().map(|shown| shown.text).collect();
    assert_eq!(texts, [rude, &long[2..]]);
}

#[test]
fn a_long_text_is_cut_at_lines() {
    let text = format!("<b>{}\n{}</b>\n<i>tail</i>", "a".repeat(3000), "b&amp;".repeat(1000));
    let parts = split(&text, MOST_IN_MESSAGE);
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0], format!("<b>{}</b>", "a".repeat(3000)));
    assert_eq!(parts[1], format!("<b>{}</b>\n<i>tail</i>", "b&amp;".repeat(1000)));
    assert_eq!(split("short", 5), ["short"]);
    assert!(split(" \n<b>\n</b>", 4).is_empty());
    // Each half of a pair of surrogates counts, and a pair is never cut.
    assert_eq!(split("ab😀😀", 3), ["ab", "😀", "😀"]);
}

/// HTML that is well formed, with everything in it that is awkward to cut.
fn markup() -> impl Strategy<Value = String> {
    let text = prop_oneof!["[a-z \n]{0,12}", Just("😀<&\">".to_owned()), Just("длинно\n\n".to_owned())];
    let leaf = text.prop_map(|text| escape(&text));
    leaf.prop_recursive(4, 40, 6, |inner| {
        let tag = prop_oneof![
            Just(("<b>", "</b>")),
            Just(("<pre>", "</pre>")),
            Just(("<a href=\"https://x.org/?a=1&amp;b=%3E\">", "</a>")),
        ];
        (tag, prop::collection::vec(inner, 0..6))
            .prop_map(|((open, close), inner)| format!("{open}{}{close}", inner.concat()))
    })
}

proptest! {
    #[test]
    fn each_part_stands_by_itself_and_nothing_is_lost(text in markup(), limit in 2_usize..40) {
        let seen = |html: &str| {
            let text = html::parse(html).unwrap().text;
            text.chars().filter(|next| !next.is_whitespace()).collect::<String>()
        };
        let parts = split(&text, limit);
        for part in &parts {
            let shown = html::parse(part).unwrap().text;
            prop_assert!(length(part) <= limit && html::units(&shown) <= limit && !shown.is_empty(), "{part:?}");
        }
        prop_assert_eq!(parts.iter().map(|part| seen(part)).collect::<String>(), seen(&text));
    }
}
