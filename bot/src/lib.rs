//! Rackhand bot.
