// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: wtr-peer LIBRARY DIRECTORY: prints each event of wtr-watcher's C interface as one JSON line: [kind, path,
// old path or null]. The wheel has the library under a name that no linker finds, and not its header watcher-c.h: what
// is used of it is declared here.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { path_is_watcher = 4 };

struct wtr_watcher_event {
  int64_t effect_time;
  const char* path_name;
  const char* associated_path_name;
  int8_t effect_type;
  int8_t path_type;
};
typedef void (*callback)(struct wtr_watcher_event, void*);
typedef void* (*opener)(const char* path, callback, void* context);

static const char* const kinds[] = {"rename", "modify", "create", "destroy", "owner", "other"};

static void on_event(struct wtr_watcher_event event, void* context) {
  (void)context;
  if (event.path_type == path_is_watcher) {
    // "s/self/live@...": it watches; other words are errors and warnings.
    const char* kind = strncmp(event.path_name, "s/self/live", 11) == 0 ? "ready" : "notice";
    dprintf(1, "[\"%s\",\"%s\",null]\n", kind, event.path_name);
  } else if (event.associated_path_name != NULL && event.associated_path_name[0] != '\0') {
    dprintf(1, "[\"%s\",\"%s\",\"%s\"]\n", kinds[event.effect_type], event.associated_path_name, event.path_name);
  } else {
    dprintf(1, "[\"%s\",\"%s\",null]\n", kinds[event.effect_type], event.path_name);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  void* library = dlopen(argv[1], RTLD_NOW);
  if (library == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  const opener wtr_watcher_open = (opener)(uintptr_t)dlsym(library, "wtr_watcher_open");
  if (wtr_watcher_open == NULL || wtr_watcher_open(argv[2], on_event, NULL) == NULL) return 1;
  return pause();
}
