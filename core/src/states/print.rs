//! docs/states.md, printed from the tables.

use std::fmt::Write;

use super::{ApprovalStatus, IncidentStatus, JobStatus, Machine, ServerStatus};

/// All machines as Markdown with Mermaid diagrams.
pub fn markdown() -> String {
    let mut out = String::from(
        "# States\n\nPrinted from the tables in `core/src/states` by `rackhand states`; do not edit. No row, no move.\n",
    );
    section::<ServerStatus>(&mut out);
    section::<JobStatus>(&mut out);
    section::<ApprovalStatus>(&mut out);
    section::<IncidentStatus>(&mut out);
    out
}

fn section<M: Machine>(out: &mut String) {
    let mut text = format!("\n## {}\n\n```mermaid\nstateDiagram-v2\n", M::NAME);
    for row in M::table() {
        let _ = writeln!(text, "    {} --> {}: {}", row.from, row.to, row.event);
    }
    text.push_str("```\n\n| from | event | to | why |\n| --- | --- | --- | --- |\n");
    for row in M::table() {
        let _ = writeln!(text, "| {} | {} | {} | {} |", row.from, row.event, row.to, row.why);
    }
    out.push_str(&text);
}
