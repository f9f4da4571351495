// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: node_peers.mjs chokidar|parcel DIRECTORY
// Prints each change that a watcher from npm tells as one JSON line: [kind, path, null].
import fs from 'node:fs';

const [peer, directory] = process.argv.slice(2);
const tell = (kind, path) => fs.writeSync(1, JSON.stringify([kind, path, null]) + '\n');

if (peer === 'chokidar') {
  const { default: chokidar } = await import('chokidar');
  chokidar.watch(directory, { ignoreInitial: true }).on('all', tell).on('error', (e) => tell('notice', String(e)));
} else if (peer === 'parcel') {
  const { default: watcher } = await import('@parcel/watcher');
  // Of what is installed it takes watchman before inotify; the second is faster here.
  const options = { backend: 'inotify' };
  await watcher.subscribe(directory, (error, events) => {
    if (error) tell('notice', String(error));
    for (const e of events ?? []) tell(e.type, e.path);
  }, options);
} else {
  process.exit(2);
}
