// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0

// usage: fsnotify-peer DIRECTORY: prints each event of fsnotify as one JSON line: [kind, path, old path or null].
// It watches no trees; new directories are added when they are told, as its documentation advises.
package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

func main() {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		panic(err)
	}
	out := json.NewEncoder(os.Stdout)
	add := func(root string) {
		_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				return watcher.Add(path)
			}
			return nil
		})
	}
	add(os.Args[1])
	_ = out.Encode([]any{"ready", os.Args[1], nil})
	for {
		select {
		case event := <-watcher.Events:
			_ = out.Encode([]any{event.Op.String(), event.Name, nil})
			if event.Has(fsnotify.Create) {
				if status, err := os.Lstat(event.Name); err == nil && status.IsDir() {
					add(event.Name)
				}
			}
		case err := <-watcher.Errors:
			_ = out.Encode([]any{"notice", err.Error(), nil})
		}
	}
}
