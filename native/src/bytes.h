// Octets whose memory is wiped before it is given back: commands, answers and arguments may hold secrets.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace tpm2 {

template <typename T>
struct WipingAllocator {
  using value_type = T;

  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}

  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    explicit_bzero(memory, count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  bool operator==(const WipingAllocator&) const = default;
};

using Bytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;

}  // namespace tpm2
