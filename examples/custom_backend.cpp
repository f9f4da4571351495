// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The unsaved buffers of an editor, watched like the files of a directory: a backend of one's own. What each call has
// to do is told in docs/backends.md.
#include <hotwatch.hpp>
#include <iostream>
#include <map>

using hotwatch::entry_type, hotwatch::file_status, hotwatch::hint_kind;

class buffers : public hotwatch::backend_base {
 public:
  // The editor's side: each change of a buffer is said.
  void edit(const std::string& name, std::size_t size) {
    const auto [at, is_new] = files_.try_emplace(name, file_status{entry_type::file, 0, ++last_id_});
    at->second.size = size;
    at->second.modified = at->second.changed = file_now();
    if (is_new) say({hint_kind::appeared, the_watch, name});
    say({hint_kind::written, the_watch, name});
    say({hint_kind::completed, the_watch, name});
  }
  void rename(const std::string& from, const std::string& to) {
    files_[to] = files_.extract(from).mapped();
    say({hint_kind::moved_from, the_watch, from, entry_type::unknown, ++renames_});
    say({hint_kind::moved_to, the_watch, to, entry_type::unknown, renames_});
  }
  void close(const std::string& name) {
    if (files_.erase(name) != 0) say({hint_kind::vanished, the_watch, name});
  }

  // The watcher's side: one directory, and no other in it.
  class directory {
   public:
    explicit directory(const buffers* all = nullptr) : all_(all) {}
    explicit operator bool() const { return all_ != nullptr; }
    directory open_child(std::string_view, std::error_code& ec) const {
      ec = std::make_error_code(std::errc::not_a_directory);
      return directory();
    }
    directory open_link(std::string_view name, std::error_code& ec) const { return open_child(name, ec); }
    std::error_code list(std::vector<char>&, auto&& visit) const {
      for (const auto& [name, status] : all_->files_) visit(std::string_view(name), status.type, status.file_id);
      return {};
    }
    std::error_code look(std::string_view name, file_status& out) const {
      const auto found = all_->files_.find(name);
      if (!name.empty() && found == all_->files_.end())
        return std::make_error_code(std::errc::no_such_file_or_directory);
      out = name.empty() ? file_status{entry_type::directory} : found->second;
      return {};
    }
    bool dates_its_names() const { return false; }

   private:
    const buffers* all_;
  };
  directory open_root(const char*, std::error_code&) { return directory(this); }
  std::error_code look(const char* path, file_status& out) {
    return directory(this).look(std::string_view(path).substr(std::string_view(path).rfind('/') + 1), out);
  }
  std::string resolve(const char* path) { return path; }
  hotwatch::watch_answer watch(const directory&, hotwatch::watch_scope) { return {the_watch}; }

 private:
  static constexpr std::int32_t the_watch = 1;
  std::map<std::string, file_status, std::less<>> files_;
  std::uint64_t last_id_ = 0;
  std::uint32_t renames_ = 0;
};

int main() {
  hotwatch::basic_watcher<buffers> watcher;
  watcher.add("buffers");
  buffers& editor = watcher.used_backend();
  const auto tell = [&] { std::cout << watcher.wait()[0] << '\n'; };
  editor.edit("draft", 5), tell();
  editor.edit("draft", 12), tell();
  editor.rename("draft", "letter"), tell();
  editor.edit("scratch", 1), editor.close("scratch"), editor.close("letter"), tell();
}
