//! Rackhand bot.
pub mod html;
pub mod messenger;
