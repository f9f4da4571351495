// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An open directory: the only way in which names are listed and looked at. Floor 3.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../../core/stamp.hpp"
#include "../../decode/windows.hpp"
#include "error.hpp"
#include "path.hpp"
#include "time.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

[[nodiscard]] constexpr entry_type entry_type_of(std::uint32_t attributes, std::uint32_t reparse_tag) noexcept {
  if (is_link(attributes, reparse_tag)) return entry_type::symlink;
  return (attributes & file_attribute_directory) != 0 ? entry_type::directory : entry_type::file;
}

/// A handle that is closed when it goes.
template <class System>
class owned_handle {
 public:
  owned_handle() noexcept = default;
  owned_handle(System& system, handle h) noexcept : system_(&system), handle_(h) {}
  owned_handle(owned_handle&& other) noexcept
      : system_(other.system_), handle_(std::exchange(other.handle_, nullptr)) {}
  owned_handle& operator=(owned_handle&& other) noexcept {
    if (this != &other) {
      close();
      system_ = other.system_;
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~owned_handle() { close(); }

  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] handle get() const noexcept { return handle_; }
  [[nodiscard]] System& system() const noexcept { return *system_; }
  void close() noexcept {
    if (handle_ != nullptr) system_->CloseHandle(std::exchange(handle_, nullptr));
  }

 private:
  System* system_ = nullptr;
  handle handle_ = nullptr;
};

/// Opens a name in a directory, or a whole NT path.
template <class System>
[[nodiscard]] owned_handle<System> open_handle(System& system, std::uint32_t access, handle directory,
                                               std::u16string_view name, std::uint32_t options,
                                               std::error_code& ec) noexcept {
  handle opened = nullptr;
  const status s =
      system.NtCreateFile(opened, access | synchronize, directory, name, options | file_open_for_backup_intent);
  ec = s == status_success ? std::error_code() : error_of_status(system, s);
  return s == status_success ? owned_handle<System>(system, opened) : owned_handle<System>();
}

template <class System>
[[nodiscard]] std::error_code status_of(const System& system, handle h, file_status& out) noexcept {
  by_handle_file_information all{};
  file_basic_info basic{};
  file_attribute_tag_info tag{};
  if (!system.GetFileInformationByHandle(h, all)) return last_error(system);
  // Only this has the time of the last change of any kind.
  if (!system.GetFileInformationByHandleEx(h, file_info::basic, &basic, sizeof basic)) return last_error(system);
  if ((all.attributes & file_attribute_reparse_point) != 0)
    (void)system.GetFileInformationByHandleEx(h, file_info::attribute_tag, &tag, sizeof tag);
  out = file_status{};
  out.type = entry_type_of(all.attributes, tag.reparse_tag);
  out.device = all.volume;
  out.file_id = std::uint64_t{all.index_high} << 32 | all.index_low;
  out.size = std::uint64_t{all.size_high} << 32 | all.size_low;
  out.modified = to_file_time(basic.written);
  out.changed = to_file_time(basic.changed);
  out.born = to_file_time(basic.created);
  // Not "archive": every write sets it.
  out.mode = all.attributes & (file_attribute_readonly | file_attribute_hidden | file_attribute_system);
  out.links = all.links;
  return {};
}

/// Looks at what a name in a directory, or a whole NT path, leads to, but not through a link at its end.
template <class System>
[[nodiscard]] std::error_code look_at(System& system, handle directory, std::u16string_view name,
                                      file_status& out) noexcept {
  std::error_code ec;
  const auto opened = open_handle(system, file_read_attributes, directory, name,
                                  file_synchronous_io_nonalert | file_open_reparse_point, ec);
  return opened ? status_of(system, opened.get(), out) : ec;
}

/// Everything below a root is reached from directory to directory by one name, and never through a link, unless it
/// is asked for (open_link): no name put in its way leads out of the root, and a path may be as long as the kernel can.
/// Moves; one thread at a time.
template <class System>
class directory {
 public:
  directory() noexcept = default;
  explicit directory(owned_handle<System> h) noexcept : handle_(std::move(h)) {}

  /// Opens a root by its path, through links.
  [[nodiscard]] static directory open(System& system, const char* path, std::error_code& ec) {
    return directory(open_handle(system, access, nullptr, to_whole_path(path), options, ec));
  }

  /// Opens the directory `name` in this one; ENOTDIR or ELOOP if it is something else by now.
  [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
    const std::u16string wide = to_wide(name);
    auto child = open_handle(handle_.system(), access, handle_.get(), wide, options | file_open_reparse_point, ec);
    if (!child) return directory();
    file_attribute_tag_info tag{};
    (void)handle_.system().GetFileInformationByHandleEx(child.get(), file_info::attribute_tag, &tag, sizeof tag);
    if ((tag.attributes & file_attribute_reparse_point) == 0) return directory(std::move(child));
    if (!is_link(tag.attributes, tag.reparse_tag))  // kept by a file system of its own (a cloud), who wants to see it
      return directory(open_handle(handle_.system(), access, handle_.get(), wide, options, ec));
    ec = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    return directory();
  }

  /// Opens the directory that `name` in this one leads to, if it is a link.
  [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const {
    return directory(open_handle(handle_.system(), access, handle_.get(), to_wide(name), options, ec));
  }

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(handle_); }
  [[nodiscard]] handle get() const noexcept { return handle_.get(); }

  /// Calls visit(name, type, file_id) for each entry but "." and "..".
  template <class Visit>
  [[nodiscard]] std::error_code list(std::vector<char>& buffer, Visit&& visit) const {
    if (buffer.size() < listing_buffer) buffer.resize(listing_buffer);
    std::string name;
    std::u16string wide;
    listing_class c = with_file_ids;
    bool first = true;
    while (ask(c, first, buffer)) {
      first = false;
      const char* entry = buffer.data();
      for (std::uint32_t step = 1; step != 0; entry += step) {
        step = read<std::uint32_t>(entry);
        wide.resize(read<std::uint32_t>(entry + 60) / 2);
        std::memcpy(wide.data(), entry + c.name, wide.size() * 2);
        if (wide == u"." || wide == u"..") continue;
        name.clear();
        append_wtf8(wide, name);
        // Of a reparse point the size of its extended attributes is its tag.
        visit(std::string_view(name), entry_type_of(read<std::uint32_t>(entry + 56), read<std::uint32_t>(entry + 64)),
              c.file_id == 0 ? 0 : read<std::uint64_t>(entry + c.file_id));
      }
    }
    const std::uint32_t why = handle_.system().GetLastError();
    // A drive's root has neither "." nor "..", and where it is empty nothing is found.
    return why == error_no_more_files || (first && why == error_file_not_found) ? std::error_code() : error_of(why);
  }

  /// Looks at a name in this directory, or with an empty name at the directory itself.
  [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
    if (name.empty()) return status_of(handle_.system(), handle_.get(), out);
    return look_at(handle_.system(), handle_.get(), to_wide(name), out);
  }

  /// FAT keeps no change time, nobody says that servers move it with the names, and on NTFS it can be set
  /// (FILE_BASIC_INFO).
  [[nodiscard]] bool dates_its_names() const noexcept { return false; }

  /// Looks at what a path leads to, through links on the way but not at its end.
  [[nodiscard]] static std::error_code look(System& system, const char* path, file_status& out) {
    return look_at(system, nullptr, to_whole_path(path), out);
  }

 private:
  static constexpr std::size_t listing_buffer = 64 * 1024;
  static constexpr std::uint32_t access = file_list_directory | file_read_attributes;
  static constexpr std::uint32_t options = file_directory_file | file_synchronous_io_nonalert;

  /// FILE_ID_BOTH_DIR_INFO and FILE_FULL_DIR_INFO: they begin alike, with NextEntryOffset, FileAttributes at 56,
  /// FileNameLength at 60 and EaSize at 64.
  struct listing_class {
    file_info restart;
    file_info next;
    std::size_t file_id;  ///< where it is; 0: there is none
    std::size_t name;
  };
  static constexpr listing_class with_file_ids{file_info::id_both_directory_restart, file_info::id_both_directory, 96,
                                               104};
  static constexpr listing_class without{file_info::full_directory_restart, file_info::full_directory, 0, 68};

  // FAT and some servers number no files.
  [[nodiscard]] bool ask(listing_class& c, bool first, std::vector<char>& buffer) const noexcept {
    System& system = handle_.system();
    const auto size = static_cast<std::uint32_t>(buffer.size());
    if (system.GetFileInformationByHandleEx(handle_.get(), first ? c.restart : c.next, buffer.data(), size))
      return true;
    const std::uint32_t why = system.GetLastError();
    if (!first || c.file_id == 0 ||
        (why != error_invalid_parameter && why != error_invalid_level && why != error_not_supported))
      return false;
    c = without;
    return system.GetFileInformationByHandleEx(handle_.get(), c.restart, buffer.data(), size);
  }

  template <class T>
  [[nodiscard]] static T read(const char* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }

  owned_handle<System> handle_;
};

/// The absolute path of what is open, free of links; empty when the system has no name for it.
template <class System>
[[nodiscard]] std::string path_of(const System& system, handle opened) {
  return to_text(ask_for_text(
      [&](char16_t* out, std::uint32_t room) { return system.GetFinalPathNameByHandleW(opened, out, room); }));
}

/// The absolute path that `path` leads to, free of links; empty when it leads nowhere.
template <class System>
[[nodiscard]] std::string resolve(System& system, const char* path) {
  std::error_code ec;
  const auto opened =
      open_handle(system, file_read_attributes, nullptr, to_whole_path(path), file_synchronous_io_nonalert, ec);
  return opened ? path_of(system, opened.get()) : std::string();
}

}  // namespace hotwatch::inline v0::detail::windows
