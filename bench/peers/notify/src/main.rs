// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: notify-peer DIRECTORY: prints each event of the crate notify as one JSON line: [kind, path, old path or null].
use notify::{event::ModifyKind, EventKind, RecursiveMode, Watcher};
use serde_json::json;
use std::io::Write;

fn main() -> notify::Result<()> {
    let directory = std::env::args().nth(1).expect("a directory");
    let (send, receive) = std::sync::mpsc::channel();
    let mut watcher = notify::recommended_watcher(send)?;
    watcher.watch(directory.as_ref(), RecursiveMode::Recursive)?;
    let out = std::io::stdout();
    for answer in receive {
        let mut out = out.lock();
        let event = match answer {
            Ok(event) => event,
            Err(error) => {
                writeln!(out, "{}", json!(["notice", error.to_string(), null]))?;
                continue;
            }
        };
        if event.need_rescan() {
            writeln!(out, "{}", json!(["notice", "need_rescan", null]))?;
            continue;
        }
        // Opened, read and closed without a write: no change.
        if let EventKind::Access(kind) = event.kind {
            use notify::event::{AccessKind, AccessMode};
            if kind != AccessKind::Close(AccessMode::Write) {
                continue;
            }
        }
        let kind = format!("{:?}", event.kind);
        // A rename of which both names are known is told besides its halves; it has two paths.
        let both = matches!(event.kind, EventKind::Modify(ModifyKind::Name(_))) && event.paths.len() == 2;
        if both {
            writeln!(out, "{}", json!([kind, event.paths[1], event.paths[0]]))?;
        } else {
            for path in &event.paths {
                writeln!(out, "{}", json!([kind, path, null]))?;
            }
        }
    }
    Ok(())
}
