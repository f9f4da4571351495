// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: node_peers.mjs chokidar|parcel DIRECTORY [POLL_MS]
// Prints each change that a watcher from npm tells as one JSON line: [kind, path, null]. With POLL_MS chokidar looks at
// everything every so many milliseconds instead of asking the kernel.
import fs from 'node:fs';

const [peer, directory, pollMs] = process.argv.slice(2);
const tell = (kind, path) => fs.writeSync(1, JSON.stringify([kind, path, null]) + '\n');

if (peer === 'chokidar') {
  const { default: chokidar } = await import('chokidar');
  const interval = Number(pollMs);
  const polling = { backend: 'polling', pollingInterval: interval, pollingBinaryInterval: interval };
  chokidar
    .watch(directory, { ignoreInitial: true, ...(pollMs ? polling : {}) })
    .on('ready', () => tell('ready', directory))
    .on('all', tell)
    .on('error', (e) => tell('notice', String(e)));
} else if (peer === 'parcel') {
  const { default: watcher } = await import('@parcel/watcher');
  // Of what is installed it takes watchman before inotify; the second is faster here.
  const options = { backend: 'inotify' };
  await watcher.subscribe(directory, (error, events) => {
    if (error) tell('notice', String(error));
    for (const e of events ?? []) tell(e.type, e.path);
  }, options);
  tell('ready', directory);
} else {
  process.exit(2);
}
