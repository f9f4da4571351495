// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: notify-peer DIRECTORY [POLL_MS]
// Prints each event of the crate notify as one JSON line: [kind, path, old path or null]. With POLL_MS it looks at
// everything every so many milliseconds instead of asking the kernel.
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Config, Event, EventKind, PollWatcher, RecursiveMode, Watcher};
use serde_json::json;
use std::io::Write;
use std::time::Duration;

fn tell(line: serde_json::Value) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn tell_event(event: Event) {
    if event.need_rescan() {
        return tell(json!(["notice", "need_rescan", null]));
    }
    // Opened, read and closed without a write: no change.
    if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
    {
        return;
    }
    let kind = format!("{:?}", event.kind);
    // A rename of which both names are known is told besides its halves; it has two paths.
    if matches!(event.kind, EventKind::Modify(ModifyKind::Name(_))) && event.paths.len() == 2 {
        return tell(json!([kind, event.paths[1], event.paths[0]]));
    }
    for path in &event.paths {
        tell(json!([kind, path, null]));
    }
}

fn on_answer(answer: notify::Result<Event>) {
    match answer {
        Ok(event) => tell_event(event),
        Err(error) => tell(json!(["notice", error.to_string(), null])),
    }
}

fn main() -> notify::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let mut watcher: Box<dyn Watcher> = match arguments.next() {
        None => Box::new(notify::recommended_watcher(on_answer)?),
        Some(poll_ms) => {
            let interval = Duration::from_millis(poll_ms.parse().expect("milliseconds"));
            Box::new(PollWatcher::new(
                on_answer,
                Config::default().with_poll_interval(interval),
            )?)
        }
    };
    watcher.watch(directory.as_ref(), RecursiveMode::Recursive)?;
    tell(json!(["ready", directory, null]));
    loop {
        std::thread::park();
    }
}
