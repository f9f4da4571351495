// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An open descriptor, or none. Floor 3.

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace hotwatch::inline v0::detail {

/// Owns it: moves, and closes it in the end.
template <class System>
class descriptor {
 public:
  descriptor() noexcept = default;
  descriptor(System& system, int fd) noexcept : system_(&system), fd_(fd) {}
  descriptor(descriptor&& other) noexcept : system_(other.system_), fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) {
      close();
      system_ = other.system_;
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~descriptor() { close(); }

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] System& system() const noexcept { return *system_; }

  void close() noexcept {
    if (fd_ >= 0) system_->close(std::exchange(fd_, -1));
  }

 private:
  System* system_ = nullptr;
  int fd_ = -1;
};

/// How a directory is opened, in every way: O_NONBLOCK because it may be a fifo by now.
inline constexpr int open_directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK;

/// A call that opens, made again while signals interrupt it.
template <class Open>
[[nodiscard]] int uninterrupted(Open&& open) noexcept {
  int fd;
  do fd = open();
  while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace hotwatch::inline v0::detail
