//! SIGKILL at every commit of the journal, one after another: each time the next process ends with the server ready,
//! and what was to happen once at the provider happened once.

use std::time::Duration;

use rackhand_core::{
    model::{Actor, JobEventRow},
    ops::{ApprovalInput, Approve, HandleInput, RebuildServer},
    states::{JobStatus, ServerStatus},
};
use rackhand_tests::time4vps::EffectKind;

use super::world::{SOON, World, eventually};

const SERVER: i64 = 201;
const HANDLE: &str = "vps-201";
