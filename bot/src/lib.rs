//! Rackhand bot.
pub mod html;
pub mod messenger;
pub mod sender;
