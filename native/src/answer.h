// What a command gives back, gathered on the worker thread and turned into one JavaScript object on Node's.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <napi.h>

#include "bytes.h"
#include "context.h"

namespace tpm2 {

class Answer {
 public:
  Answer() = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void Number(const char* key, double value) { fields_.emplace_back(key, value); }
  void Boolean(const char* key, bool value) { fields_.emplace_back(key, value); }
  void Octets(const char* key, Bytes value) { fields_.emplace_back(key, std::move(value)); }
  void OctetsList(const char* key, std::vector<Bytes> value) { fields_.emplace_back(key, std::move(value)); }

  // The content of a TPM2B of octets, without its size.
  template <typename Sized>
  void Content(const char* key, const Sized& sized) {
    const auto* first = reinterpret_cast<const uint8_t*>(&sized) + sizeof(sized.size);
    Octets(key, Bytes(first, first + sized.size));
  }

  // A structure, marshalled.
  template <typename T>
  void Structure(const char* key, const T& value, TSS2_RC (*marshal)(const T*, uint8_t*, size_t, size_t*)) {
    Bytes bytes(sizeof(T) + 64);
    size_t used = 0;
    Check(key, marshal(&value, bytes.data(), bytes.size(), &used));
    bytes.resize(used);
    Octets(key, std::move(bytes));
  }

  // `tr`, `tpmHandle` and `name` of a handle that the JavaScript side now owns. The Name is not the one that the TPM
  // told: ESAPI computes it from the public area that it keeps and salts sessions with.
  void Handle(Context& tpm, ESYS_TR handle);

  Napi::Object ToObject(Napi::Env env) const;

 private:
  using Field = std::variant<double, bool, Bytes, std::vector<Bytes>>;
  std::vector<std::pair<const char*, Field>> fields_;
};

}  // namespace tpm2
