// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: libuv-peer DIRECTORY: prints each event of libuv's uv_fs_event as one JSON line: [kind, path, null].
// On Linux uv_fs_event knows no trees (its documentation: UV_FS_EVENT_RECURSIVE is for macOS and Windows only), so
// there is a handle a directory; one that is told is added, the handles of one that is gone are closed.
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

struct watched {
  uv_fs_event_t handle;
  struct watched* next;
  char path[];
};

static struct watched* all;

static void tell(const char* kind, const char* path) { dprintf(1, "[\"%s\",\"%s\",null]\n", kind, path); }

static char* joined(const char* directory, const char* name) {
  char* path = NULL;
  if (asprintf(&path, "%s/%s", directory, name) < 0) abort();
  return path;
}

static void free_watched(uv_handle_t* handle) { free(handle->data); }

static void forget(const char* path) {
  const size_t length = strlen(path);
  for (struct watched** at = &all; *at != NULL;) {
    struct watched* w = *at;
    if (strncmp(w->path, path, length) == 0 && (w->path[length] == '\0' || w->path[length] == '/')) {
      *at = w->next;
      uv_close((uv_handle_t*)&w->handle, free_watched);
    } else {
      at = &w->next;
    }
  }
}

static void add_tree(const char* path);

static void on_event(uv_fs_event_t* handle, const char* name, int events, int status) {
  const struct watched* w = handle->data;
  if (status < 0) {
    tell("notice", uv_strerror(status));
    return;
  }
  char* path = joined(w->path, name);
  tell((events & UV_RENAME) != 0 ? "rename" : "change", path);
  if ((events & UV_RENAME) != 0) {
    struct stat s;
    if (lstat(path, &s) != 0)
      forget(path);
    else if (S_ISDIR(s.st_mode))
      add_tree(path);
  }
  free(path);
}

static void add(const char* path) {
  const size_t length = strlen(path);
  struct watched* w = calloc(1, sizeof *w + length + 1);
  if (w == NULL) abort();
  memcpy(w->path, path, length + 1);
  uv_fs_event_init(uv_default_loop(), &w->handle);
  w->handle.data = w;
  w->next = all;
  all = w;
  const int error = uv_fs_event_start(&w->handle, on_event, path, 0);
  if (error < 0) tell("notice", uv_strerror(error));
}

static void add_tree(const char* path) {
  add(path);
  DIR* directory = opendir(path);
  if (directory == NULL) return;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL;) {
    if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char* below = joined(path, entry->d_name);
    add_tree(below);
    free(below);
  }
  closedir(directory);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (strcmp(argv[1], "--version") == 0) return puts(uv_version_string()) < 0;
  add_tree(argv[1]);
  tell("ready", argv[1]);
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
