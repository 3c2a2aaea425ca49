//! Rackhand bot: the chat door. What a person writes or presses becomes an operation's call, and its answer words.
pub mod commands;
pub mod html;
pub mod messenger;
pub mod router;
pub mod texts;
pub mod views;
pub mod want;
