//! The chat: what a person writes or presses becomes an operation's call, and what happens becomes words.

pub mod commands;
pub mod facts;
pub mod html;
pub mod messenger;
pub mod router;
pub mod sender;
pub mod texts;
pub mod views;
pub mod want;
pub mod words;
